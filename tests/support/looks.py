"""Looking at a page with a browser: what axe, our own check and the console say of it, in each look."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route
from playwright.async_api import Error as PlaywrightError

from shared.ids import random_id
from shared.web.callers import SESSION_COOKIE
from tests.support.estate import NOBODY, Estate

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"resultTypes": ["violations"], "iframes": False}  # what is framed, a mail, is looked at by itself
RUN_AXE = "options => axe.run(document, options).then(found => found.violations)"  # the rest is large, and not read
OWN_CHECK = (Path(__file__).parents[1] / "browser" / "check_page.js").read_text()
SHOWN = "/shown-again"


@dataclass(frozen=True)
class Look:
    """A language, a colour scheme and a window. 320 px wide is also what a window of 1280 px shows at 400 %."""

    language: str
    scheme: Literal["light", "dark"]
    width: int
    height: int = 800


PHONE, DESKTOP = Look("de", "light", 320), Look("en", "dark", 1280)
LOOKS = (PHONE, DESKTOP)


@dataclass
class Window:
    """A browser window with one look, in which everybody signs in in turn."""

    estate: Estate
    look: Look
    context: BrowserContext
    page: Page
    actor: str = ""
    status: int = 0
    said: list[str] = field(default_factory=list)
    left: str = ""
    asked: str = ""

    async def sign_in(self, actor: str) -> None:
        """The window is now that of `actor`."""
        if actor == self.actor:
            return
        self.actor = actor
        await self.context.clear_cookies()
        language = {"name": "perspektive_language", "value": self.look.language, "url": self.estate.door.url}
        person = [await self._session(actor)] if actor != NOBODY else []
        await self.context.add_cookies([language, *person])  # type: ignore[list-item]

    async def _session(self, actor: str) -> dict[str, str]:
        """The same that the estate's own forms are sent with: each session has a token of its own."""
        value = (await self.estate.client(actor)).cookies[SESSION_COOKIE]
        return {"name": SESSION_COOKIE, "value": value, "url": self.estate.door.url}

    async def open(self, path: str) -> list[str]:
        """What is wrong with the page at `path`; nothing when there is no page but a file."""
        self._leave(path)
        try:
            answer = await self.page.goto(path)
        except PlaywrightError:  # a file, which the browser saves instead
            return await self._download(path)
        assert answer
        self.status = answer.status
        headers = await answer.all_headers()
        html = await answer.text() if headers.get("content-type", "").startswith("text/html") else ""
        if "<html" not in html:  # a text, or part of a page, which is looked at where it is put in
            return [f"{path}: {answer.status}"] if answer.status >= 400 else []
        if "sandbox" in headers.get("content-security-policy", ""):  # a mail: axe needs scripts
            return await self.show(html, path, is_mail=True)
        return await self._wrong(path, answer.status)

    def _leave(self, path: str) -> None:
        self.said.clear()
        self.left, self.asked = self.page.url, self.estate.door.url + path

    async def _download(self, path: str) -> list[str]:
        answer = await self.page.request.get(path)
        self.status = answer.status
        is_saved = "attachment" in answer.headers.get("content-disposition", "")
        assert is_saved or answer.headers["content-type"].startswith("text/calendar"), f"{path} did not open"
        return [f"{path}: {answer.status}"] if answer.status >= 400 else []

    async def show(self, html: str, name: str, is_mail: bool = False) -> list[str]:
        """What is wrong with the page that a form was answered with, or with a mail, which has styles of its own."""
        self._leave(SHOWN)
        await self.page.unroute_all()
        await self.page.route(f"**{SHOWN}", lambda route: _answer(route, html))
        await self.page.goto(SHOWN)
        return await self._wrong(name, is_mail=is_mail)

    async def _wrong(self, name: str, status: int = 200, is_mail: bool = False) -> list[str]:
        await self.page.wait_for_load_state("load")
        own = await self.page.evaluate(OWN_CHECK) if not is_mail else []
        tags = WCAG[:-1] if is_mail else WCAG  # a mail is inside a page, which has the landmarks
        await self.page.evaluate(AXE_FILE_PATH.read_text())
        violations = await self.page.evaluate(RUN_AXE, OPTIONS | {"runOnly": {"type": "tag", "values": tags}})
        by_axe = [
            f"{each['id']} ({each['help']}) {node['target']} {node['html'][:160]}"
            for each in violations
            for node in each["nodes"][:3]
        ]
        said = [text for text in self.said if not (status >= 400 and f"status of {status}" in text)]
        return [f"{name} {self.look.language} {self.look.scheme}: {text}" for text in (*by_axe, *own, *said)]


async def _answer(route: Route, html: str) -> None:
    await route.fulfill(body=html, content_type="text/html")


async def opened(browser: Browser, estate: Estate, look: Look) -> Window:
    """A new window, which notes what the console says and every request that leaves the origin."""
    context = await browser.new_context(
        base_url=estate.door.url, viewport={"width": look.width, "height": look.height}, locale=look.language,
        color_scheme=look.scheme, reduced_motion="reduce",
    )  # fmt: skip
    window = Window(estate, look, context, await context.new_page())

    def console(message: ConsoleMessage) -> None:
        if message.location["url"] == window.left != window.asked:
            return  # what the page before was answered with is told late
        window.said.append(f"console: {message.text}")

    def request(asked: Request) -> None:
        if urlsplit(asked.url).scheme != "data" and not asked.url.startswith(estate.door.url):
            window.said.append(f"foreign request: {asked.url}")

    window.page.on("console", console)
    window.page.on("request", request)
    return window


async def open_in_all(windows: list[Window], actor: str, path: str) -> list[str]:
    """What is wrong with a page of `actor`, in every window."""

    async def one(window: Window) -> list[str]:
        await window.sign_in(actor)
        return await window.open(path)

    return [wrong for found in await asyncio.gather(*map(one, windows)) for wrong in found]


async def show_in_all(windows: list[Window], actor: str, pages: list[str], name: str) -> list[str]:
    """What is wrong with the answers to forms of `actor`, one for each window."""
    found: list[str] = []
    for window, html in zip(windows, pages, strict=True):
        if html:
            await window.sign_in(actor)
            found += await window.show(html, name)
    return found


def too_long(value: Any) -> str:
    """What a browser can send in place of a good value, and no form accepts."""
    text = value[0] if isinstance(value, list) else str(value)
    if text.isdigit():
        return "999999999"
    if len(text) == 16 and text[10] == "T":
        return "1900-01-01T00:00"
    if len(text) == 10 and text[4] == text[7] == "-":
        return "1900-01-01"
    return "00:00" if len(text) == 5 and text[2] == ":" else "lang " * 820


def html_of(answer: httpx.Response) -> str:
    """The page with which a form is answered; empty for an answer that is no page."""
    return answer.text if answer.headers.get("content-type", "").startswith("text/html") else ""


async def answered(
    estate: Estate, actor: str, path: str, language: str, form: dict[str, Any], **hidden: str
) -> httpx.Response:
    """What a form is answered with, as its own page sends it but for the `hidden` fields that are given."""
    http = await estate.client(actor)
    http.cookies.set("perspektive_language", language)
    hidden = {"csrf": estate.tokens[actor], "request_id": random_id(), **hidden}
    try:
        got = await http.post(path, data={**form, **hidden}, follow_redirects=True)
    finally:
        http.cookies.delete("perspektive_language")
    assert got.status_code < 500, got.text[:400]
    return got
