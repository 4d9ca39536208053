"""Two ways to do the same on a page: with a pointer or finger, and by the keyboard alone."""

import re
from abc import abstractmethod
from datetime import date

from playwright.async_api import Locator, Page, expect

from shared.ui.language import translate, translations
from tests.support.waiting import until

MOST_STOPS = 150
MOST_OPTIONS = 60
MOST_PARTS = 6
FOCUS = """() => {
  const it = document.activeElement;
  if (!it || it === document.body) return "nothing";
  const box = it.getBoundingClientRect(), style = getComputedStyle(it);
  const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const drawn = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return inside && drawn ? "seen" : `unseen: ${it.outerHTML.slice(0, 160)}`;
}"""
HAS_FOCUS = "it => it === document.activeElement"
# A radio button that Tab cannot reach is reached from the one of its group that Tab stops at.
IN_GROUP = "it => it.type === 'radio' && it.name === document.activeElement.name"


class Hand:
    """Somebody at `page`, who reads it in `language`. Texts are given in English, as the templates have them."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.language = language

    def say(self, english: str, **values: object) -> str:
        """The text in the reader's language."""
        return translate(english, self.language, **values)

    async def open(self, path: str) -> None:
        """Type an address."""
        await self.page.goto(path)
        await self._look()

    async def follow(self, link: str, **values: object) -> None:
        await self._onward(self._first("link", self.say(link, **values)))

    async def press(self, button: str) -> None:
        """Press a button that sends a form; the answer stands open then."""
        await self._onward(self._first("button", self.say(button)))

    async def unfold(self, summary: str) -> None:
        """Open what is folded away."""
        await self.activate(self.page.locator("main summary").filter(has_text=self._pattern(self.say(summary))).first)

    async def stands_at(self, heading: str, **values: object) -> None:
        """The page's heading is this."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(self.say(heading, **values))

    async def reads(self, text: str, **values: object) -> None:
        await expect(self.page.locator("main")).to_contain_text(self.say(text, **values))

    async def is_told_of_errors(self) -> None:
        """The summary of errors is there and has the focus, so that a screen reader begins with it."""
        await expect(self.page.locator("main [role=alert]").first).to_be_focused()

    @abstractmethod
    async def activate(self, target: Locator) -> None:
        """Follow, press or unfold it."""

    @abstractmethod
    async def type(self, label: str, text: str) -> None:
        """Replace what stands in a field."""

    @abstractmethod
    async def date(self, label: str, day: date) -> None:
        """Enter a day."""

    @abstractmethod
    async def moment(self, label: str, day: date) -> None:
        """Enter nine o'clock on a day."""

    @abstractmethod
    async def choose(self, label: str, option: str) -> None:
        """Choose from a list what has this text."""

    @abstractmethod
    async def tick(self, label: str) -> None:
        """Tick a box, or choose the radio button."""

    def field(self, label: str) -> Locator:
        """The first visible field whose label begins with this."""
        return self.page.get_by_label(self._pattern(self.say(label))).locator("visible=true").first

    def _first(self, role: str, name: str) -> Locator:
        return self.page.get_by_role(role, name=self._pattern(name)).first  # type: ignore[arg-type]

    @staticmethod
    def _pattern(text: str) -> re.Pattern[str]:
        """What begins with `text`: hints and the words for screen readers follow it."""
        return re.compile(rf"^\s*{re.escape(text)}")

    async def _onward(self, target: Locator) -> None:
        async with self.page.expect_navigation():
            await self.activate(target)
        await self._look()

    async def _look(self) -> None:
        """No line of the page is left in the other language."""
        await expect(self.page.locator("html")).to_have_attribute("lang", self.language)
        lines = set((await self.page.locator("body").inner_text()).split("\n"))
        assert not (left := lines & _foreign(self.language)), (self.page.url, left)


def _foreign(language: str) -> set[str]:
    """Each text of the catalogues in the language that is not `language`, unless it is the same in both."""
    catalogue = translations("de")._catalog  # type: ignore[attr-defined]
    pairs = [(english, german) for english, german in catalogue.items() if isinstance(english, str) and english]
    both = {english for english, _ in pairs} & {german for _, german in pairs}
    return {(pair[0] if language == "de" else pair[1]) for pair in pairs if pair[0] != pair[1]} - both - SWITCH


SWITCH = {"English", "Deutsch"}


class Pointer(Hand):
    """Mouse or finger."""

    async def activate(self, target: Locator) -> None:
        await target.click()

    async def type(self, label: str, text: str) -> None:
        await self.field(label).fill(text)

    async def date(self, label: str, day: date) -> None:
        await self.field(label).fill(day.isoformat())

    async def moment(self, label: str, day: date) -> None:
        await self.field(label).fill(f"{day}T09:00")

    async def choose(self, label: str, option: str) -> None:
        await self.field(label).select_option(label=self.say(option))

    async def tick(self, label: str) -> None:
        await self.field(label).check()


class Keyboard(Hand):
    """Tab, Enter, Space, arrows and letters; a locator only tells what has the focus."""

    async def reach(self, target: Locator, also: str = HAS_FOCUS) -> None:
        """Press Tab until the focus is on it, and see the focus at every stop on the way."""
        await expect(target).to_be_visible()
        for _ in range(MOST_STOPS):
            if await target.evaluate(HAS_FOCUS) or await target.evaluate(also):
                return
            await self.page.keyboard.press("Tab")
            await until(self._sees_the_focus)
        raise AssertionError(f"{self.page.url}: Tab does not reach {target}")

    async def _sees_the_focus(self) -> bool:
        return not (await self.page.evaluate(FOCUS)).startswith("unseen")

    async def activate(self, target: Locator) -> None:
        await self.reach(target)
        await self.page.keyboard.press("Enter")

    async def type(self, label: str, text: str) -> None:
        field = self.field(label)
        await self.reach(field)
        await self.page.keyboard.press("Control+a")
        await self.page.keyboard.type(text)
        await expect(field).to_have_value(text)

    async def date(self, label: str, day: date) -> None:
        await self._parts(label, day.isoformat(), f"{day:%d%m%Y}", f"{day:%m%d%Y}")

    async def moment(self, label: str, day: date) -> None:
        await self._parts(label, f"{day}T09:00", f"{day:%d%m}00{day:%Y}0900", f"{day:%m%d}00{day:%Y}0900AM")

    async def _parts(self, label: str, value: str, *orders: str) -> None:
        """Chromium takes a date in parts, in the order of the system's language: day or month first. A year beside a
        time has six digits."""
        field = self.field(label)
        await self.reach(field)
        for keys in orders:
            await self.page.keyboard.type(keys)
            if await field.input_value() == value:
                return
            for _ in range(MOST_PARTS):
                await self.page.keyboard.press("ArrowLeft")
        raise AssertionError(f"{label}: {await field.input_value()} instead of {value}")

    async def choose(self, label: str, option: str) -> None:
        field = self.field(label)
        await self.reach(field)
        await self.page.keyboard.press("Home")
        await self._press_until("ArrowDown", field, "it => it.selectedOptions[0].label.trim()", self.say(option))

    async def tick(self, label: str) -> None:
        field = self.field(label)
        await self.reach(field, also=IN_GROUP)
        if await field.evaluate(HAS_FOCUS):
            await self._turn_on(field)
        else:
            await self._press_until("ArrowDown", field, HAS_FOCUS, True)
        await expect(field).to_be_checked()

    async def _turn_on(self, field: Locator) -> None:
        if not await field.is_checked():
            await self.page.keyboard.press("Space")

    async def _press_until(self, key: str, field: Locator, question: str, answer: object) -> None:
        for _ in range(MOST_OPTIONS):
            if await field.evaluate(question) == answer:
                return
            await self.page.keyboard.press(key)
        raise AssertionError(f"{self.page.url}: {key} does not lead to {answer}")


def hand_of(kind: str, page: Page, language: str) -> Hand:
    return {"pointer": Pointer, "keyboard": Keyboard}[kind](page, language)
