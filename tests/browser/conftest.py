"""A browser before the real front door. Without one these tests are skipped; with CI=true they fail."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from shared.mongo import database
from tests.support.chromium import ARGUMENTS, MISSING, chromium
from tests.support.estate import Estate, furnished
from tests.support.front_door import FrontDoor, World, running_front_door
from tests.support.looks import LOOKS, Window, opened
from tests.support.servers import MailServer, running_nats

PHONE = {"width": 360, "height": 780}
OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
def door(
    mongodb_url: str, running_mailbox: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FrontDoor]:
    """The running system, one for all of these tests. Its broker is its own: on a common one it would take the
    messages of later tests."""
    with (
        running_nats(tmp_path_factory.mktemp("nats")) as nats_url,
        running_front_door(mongodb_url, nats_url, running_mailbox.smtp_url) as running,
    ):
        yield running


@pytest.fixture(scope="session")
async def estate(
    mongodb_url: str, running_mailbox: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Estate]:
    """A second running system, with everybody in it."""
    with (
        running_nats(tmp_path_factory.mktemp("nats")) as nats_url,
        running_front_door(mongodb_url, nats_url, running_mailbox.smtp_url) as door,
    ):
        async with furnished(door, mongodb_url) as made:
            yield made


@pytest.fixture
async def world(door: FrontDoor, mongodb_url: str) -> AsyncIterator[World]:
    """Its small world, without any offer."""
    async with database(mongodb_url, f"{door.prefix}_events") as db:
        for name in ("offers", "slots", "registrations", "waiting_list_log", "self_found_places", "campaigns"):
            await db[name].delete_many({})
        world = World(db)
        await world.furnish()
        yield world


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium without a window."""
    program = chromium()
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest.fixture
async def page_of(browser: Browser, door: FrontDoor) -> AsyncIterator[OpenPage]:
    """Opens a page on a phone, in German, without JavaScript, for a person of ROLES or for nobody."""
    contexts: list[BrowserContext] = []

    async def opened(
        person: str = "", language: str = "de", width: int = PHONE["width"], scripts: bool = False
    ) -> Page:
        context = await browser.new_context(
            base_url=door.url, viewport={**PHONE, "width": width}, locale=language, java_script_enabled=scripts
        )  # fmt: skip
        contexts.append(context)
        cookies = [{"name": "perspektive_language", "value": language, "url": door.url}]
        await context.add_cookies([*cookies, door.cookie(person)] if person else cookies)  # type: ignore[list-item]
        return await context.new_page()

    yield opened
    for context in contexts:
        await context.close()


@pytest.fixture(scope="session")
async def windows(browser: Browser, estate: Estate) -> AsyncIterator[list[Window]]:
    """A window of each look on the estate."""
    made = [await opened(browser, estate, look) for look in LOOKS]
    yield made
    for window in made:
        await window.context.close()
