"""What opening a page costs its reader: every page of every role, loaded as a browser does with all that it brings,
stays below 100 kB on the wire and 20 requests, and asks no other origin for anything. It counts; how long it takes is
measured by `make bench NAME=pages`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page

from shared.identity import Identity
from shared.schemas.outreach import Role
from shared.ui.menu import menu
from tests.browser.test_accessibility import ORDER, PAGES, address, who_opens
from tests.support.estate import NOBODY, Estate
from tests.support.looks import PHONE, Window

pytestmark = pytest.mark.processes_only
BYTES, REQUESTS = 100_000, 20


@dataclass
class Scales:
    """Weighs what a window transfers; its cache is off, so that each page is weighed as a newcomer's first."""

    window: Window
    asked: list[str] = field(default_factory=list)
    bytes: int = 0

    async def begin(self) -> None:
        """Note all that Chromium's network asks for and gets from now on."""
        session = await self.window.context.new_cdp_session(self.window.page)
        await session.send("Network.enable")
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on("Network.requestWillBeSent", self._note_request)
        session.on("Network.loadingFinished", self._note_bytes)

    async def weigh(self, path: str) -> list[str]:
        """What is too much about the page at `path`."""
        self.asked.clear()
        self.bytes = 0
        await self.window.page.goto(path)
        if await self.window.page.query_selector("[hx-trigger=load]"):
            await self.window.page.wait_for_load_state("networkidle")
        origin = self.window.estate.door.url
        wrong = [f"{path} asks {url}" for url in self.asked if not url.startswith(f"{origin}/")]
        if self.bytes >= BYTES:
            wrong.append(f"{path} transfers {self.bytes} bytes")
        if len(self.asked) >= REQUESTS:
            wrong.append(f"{path} makes {len(self.asked)} requests")
        return wrong

    def _note_request(self, event: dict[str, Any]) -> None:
        if urlsplit(event["request"]["url"]).scheme != "data":
            self.asked.append(event["request"]["url"])

    def _note_bytes(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])


@pytest.fixture
async def scales(browser: Browser, estate: Estate) -> AsyncIterator[Scales]:
    context = await browser.new_context(base_url=estate.door.url, locale="de")
    made = Scales(Window(estate, PHONE, context, await context.new_page()))
    await made.begin()
    yield made
    await context.close()


def pages_of(actor: str, estate: Estate) -> list[str]:
    """What this role's menu leads to, and every other page that is above all this role's."""
    roles = () if actor == NOBODY else (Role.model_validate({"kind": actor, "organisation_id": "own"}),)
    in_menu = menu(Identity("id", "person", "Name", roles) if roles else None, "de").addresses
    return sorted({*in_menu, *(address(route[1], estate) for route in PAGES if who_opens(route) == actor)})


async def is_page(page: Page, path: str) -> bool:
    """Whether there is a page, neither a file nor part of one."""
    answer = await page.request.get(path)
    return answer.headers.get("content-type", "").startswith("text/html") and "<html" in await answer.text()


@pytest.mark.parametrize("actor", ORDER)
async def test_every_page_of_a_role_is_light(scales: Scales, estate: Estate, actor: str) -> None:
    await scales.window.sign_in(actor)
    weighed = [path for path in pages_of(actor, estate) if await is_page(scales.window.page, path)]
    assert len(weighed) >= len(menu(None, "de").addresses)
    assert [wrong for path in weighed for wrong in await scales.weigh(path)] == []


async def test_a_page_that_brings_too_much_is_found(scales: Scales, estate: Estate) -> None:
    await scales.window.sign_in(NOBODY)
    many = "".join(f"<link rel='stylesheet' href='/outreach/static/perspektive.css?n={n}'>" for n in range(REQUESTS))
    heavy = f"<html><head><link rel='icon' href='data:,'>{many}</head><body><img src='https://elsewhere.example/x.png'></body></html>"
    await scales.window.page.route("**/heavy", lambda route: route.fulfill(body=heavy, content_type="text/html"))
    found = " ".join(await scales.weigh("/heavy"))
    for wrong in ("/heavy asks https://elsewhere.example/x.png", "bytes", f"makes {REQUESTS + 2} requests"):
        assert wrong in found, found
