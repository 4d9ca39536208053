"""python -m tests.support.pictures docs/pictures: the pictures of the main pages, taken from a running embedded start.

Start it first (`make run`); its data folder is `.data`, or what DATA_DIR names.
"""

import argparse
import base64
import json
import os
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from shared.web.pages import LANGUAGE_COOKIE
from tests.support.chromium import ARGUMENTS, MISSING, chromium

PHONE = {"width": 390, "height": 880}
DESKTOP = {"width": 1180, "height": 880}
FRAME = """<body style="margin:0;padding:36px;display:flex;gap:36px;align-items:center;background:#e9e6dc">
<img src="{wide}" style="width:1180px;border-radius:14px;box-shadow:0 10px 40px #0003">
<img src="{narrow}" style="width:390px;border-radius:34px;border:9px solid #17211e;box-shadow:0 10px 40px #0004">"""


def main() -> int:
    """0 when the pictures are there; 2, with one sentence, when not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    data = Path(os.environ.get("DATA_DIR", ".data"))
    program = chromium()
    if program is None or not (data / "instance.json").exists():
        print(MISSING if program is None else f"Nothing has been started in {data}: make run", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        _Pictures(browser, data, folder).take_all()
        browser.close()
    return 0


# Whose page, the picture's name, and the way there: an address, then links.
PAGES: list[tuple[str, str, tuple[str, ...]]] = [
    ("", "start", ("/outreach/start",)),
    ("", "map", ("/events/?view=map",)),
    ("", "open-dates", ("/events/",)),
    ("", "sign-in", ("/outreach/sign-in",)),
    ("teacher", "teacher-home", ("/events/home",)),
    ("teacher", "teacher-find", ("/events/find",)),
    ("teacher", "teacher-register", ("/events/find", "main a[href^='/events/slots/']", "main a[href*='/register']")),
    ("teacher", "teacher-registration", ("/events/home", "main h3 a[href^='/events/registrations/']")),
    ("teacher", "class-link", ("/events/home", "main a[href^='/notify/class-links/']")),
    ("company", "company-home", ("/events/company",)),
    ("company", "company-visitors", ("/events/company/visitors",)),
    ("company", "company-new-offer", ("/events/offers/new",)),
    ("ambassador", "ambassador-home", ("/outreach/my-visits",)),
    ("coordinator", "coordinator-home", ("/outreach/",)),
    ("coordinator", "need-and-supply", ("/events/coverage",)),
    ("coordinator", "who-got-nothing", ("/outreach/coverage",)),
    ("coordinator", "mail-log", ("/notify/",)),
    ("coordinator", "mail-template", ("/notify/templates/registration_confirmed",)),
]  # fmt: skip


class _Pictures:
    """Takes pictures of the instance whose data are in `data`: each page on a desktop and a phone, side by side."""

    def __init__(self, browser: Browser, data: Path, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._data = data
        self._url = json.loads((data / "instance.json").read_text())["url"]
        self._sessions: dict[str, StorageState] = {}

    def take_all(self) -> None:
        """The main pages of everybody, in German and in English."""
        for language in ("de", "en"):
            for role, name, way in PAGES:
                self._side_by_side(f"{name}.{language}.jpg", role, way, language)

    def _side_by_side(self, file: str, role: str, way: tuple[str, ...], language: str) -> None:
        shots = []
        for size in (DESKTOP, PHONE):
            page = self._window(role, size, language)
            self._go(page, way)
            shots.append(page.screenshot(type="jpeg", quality=85))
            page.context.close()
        wide, narrow = (f"data:image/jpeg;base64,{base64.b64encode(shot).decode()}" for shot in shots)
        frame = self._browser.new_page(viewport={"width": 1696, "height": 970})
        frame.set_content(FRAME.format(wide=wide, narrow=narrow))
        frame.screenshot(path=self._folder / file, type="jpeg", quality=80)
        frame.close()
        print(file, flush=True)

    def _go(self, page: Page, way: tuple[str, ...]) -> None:
        """Open the first address, then follow the links that the selectors find."""
        page.goto(way[0])
        for selector in way[1:]:
            address = page.locator(selector).first.get_attribute("href")
            page.goto(str(address))

    def _window(self, role: str, size: dict[str, int], language: str) -> Page:
        if role and role not in self._sessions:
            self._sessions[role] = self._sign_in(role)
        context = self._browser.new_context(
            base_url=self._url, viewport=size, locale=language, color_scheme="light",  # type: ignore[arg-type]
            storage_state=self._sessions.get(role),
        )  # fmt: skip
        context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": self._url}])
        return context.new_page()

    def _sign_in(self, role: str) -> StorageState:
        """The session of the demo's person of this role, by a link that works once."""
        links = {link["role"]: link["url"] for link in json.loads((self._data / "sign-in-links.json").read_text())}
        context = self._browser.new_context(base_url=self._url)
        page = context.new_page()
        page.goto(links[role])
        page.locator("main form button").first.click()
        page.wait_for_load_state()
        state = context.storage_state()
        context.close()
        return state


if __name__ == "__main__":
    sys.exit(main())
