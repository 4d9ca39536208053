"""python -m tests.support.pictures docs/pictures: the README's pictures, taken from a running embedded start.

Start it first (`make run`); its data folder is `.data`, or what DATA_DIR names.
"""

import argparse
import base64
import json
import os
import sys
from pathlib import Path

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.chromium import ARGUMENTS, MISSING, chromium

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1180, "height": 844}
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


class _Pictures:
    """Takes pictures of the instance whose data are in `data`."""

    def __init__(self, browser: Browser, data: Path, folder: Path) -> None:
        self._browser = browser
        self._data = data
        self._folder = folder
        self._url = json.loads((data / "instance.json").read_text())["url"]

    def take_all(self) -> None:
        """The start page, signing in, and a teacher's way to a registration."""
        self._side_by_side("find-a-place", "/events/")
        self._side_by_side("sign-in", "/outreach/sign-in")
        teacher = self._signed_in("teacher")
        slot = self._free_slot()
        self._picture(teacher, "register", f"/events/slots/{slot}/register")
        self._picture(teacher, "registrations", "/events/registrations")
        registration = teacher.pages[0].locator(".cards h3 a").first.get_attribute("href")
        if registration:
            self._picture(teacher, "registration", registration)
        self._picture(self._signed_in("company"), "offers", "/events/offers")

    def _side_by_side(self, name: str, path: str) -> None:
        shots = []
        for size in (DESKTOP, PHONE):
            page = self._context(size).new_page()
            page.goto(path)
            shots.append(page.screenshot())
            page.context.close()
        wide, narrow = (f"data:image/png;base64,{base64.b64encode(shot).decode()}" for shot in shots)
        frame = self._browser.new_page(viewport={"width": 1696, "height": 934})
        frame.set_content(FRAME.format(wide=wide, narrow=narrow))
        frame.screenshot(path=self._folder / f"{name}.png")
        frame.close()

    def _picture(self, context: BrowserContext, name: str, path: str) -> Page:
        page = context.pages[0]
        page.goto(path)
        page.screenshot(path=self._folder / f"{name}.png")
        return page

    def _signed_in(self, role: str) -> BrowserContext:
        """A phone on which the demo's person of this role signs in with a link, which works once."""
        links = {link["role"]: link["url"] for link in json.loads((self._data / "sign-in-links.json").read_text())}
        context = self._context(PHONE)
        page = context.new_page()
        page.goto(links[role])
        page.locator("main form button").first.click()
        page.wait_for_load_state()
        return context

    def _free_slot(self) -> str:
        key = (self._data / "coordinator-api-key").read_text().strip()
        asked = {"state": "bookable", "free_places": 25, "limit": 1}
        answer = httpx.get(
            f"{self._url}/events/api/v1/slots", params=asked, headers={"Authorization": f"Bearer {key}"}
        ).raise_for_status()  # fmt: skip
        return answer.json()["items"][0]["id"]

    def _context(self, size: dict[str, int]) -> BrowserContext:
        return self._browser.new_context(base_url=self._url, viewport=size, locale="de-DE", color_scheme="light")  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
