"""A browser before the real front door. Without one these tests are skipped; with CI=true they fail."""

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from services.notify.consumer import HANDLERS
from services.notify.rendering import Writer
from services.notify.store.core import Store as NotifyStore
from services.notify.usecases.context import Context
from services.notify.usecases.tokens import Tokens
from services.outreach.domain.people import Person
from services.outreach.store.core import Store
from shared.mongo import Database, database
from shared.schemas import events
from shared.schemas.outreach import PersonChanged, Role
from tests.support.chromium import ARGUMENTS, MISSING, chromium
from tests.support.estate import Estate, furnished
from tests.support.estate_traces import leave_traces
from tests.support.front_door import NOW, ROLES, SECRET, FrontDoor, World, running_front_door
from tests.support.looks import LOOKS, Window, opened
from tests.support.notify_builders import registration, said, slot
from tests.support.servers import MailServer, running_nats
from tests.support.visits import NOW as VISITS_NOW
from tests.support.visits_db import fill

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
    """A second running system, with everybody in it and what they left there."""
    with (
        running_nats(tmp_path_factory.mktemp("nats")) as nats_url,
        running_front_door(mongodb_url, nats_url, running_mailbox.smtp_url) as door,
    ):
        async with furnished(door, mongodb_url) as made:
            await leave_traces(made)
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


USED = ("schools", "companies", "campaigns", "people", "ambassadors", "visits", "bookings", "outbox")


@pytest.fixture
async def store(door: FrontDoor, mongodb_url: str) -> AsyncIterator[Store]:
    """What visits need, on the day on which they can be asked for."""
    before, door.clock.moment = door.clock.moment, VISITS_NOW
    async with database(mongodb_url, f"{door.prefix}_outreach") as db:
        for name in USED:
            await db[name].delete_many({})
        prepared = Store(db)
        await fill(prepared)
        teacher = Role(kind="teacher", organisation_id="100001")
        person = Person(id="teacher-1", name="Erika Muster", email="erika@schule.example", roles=(teacher,))
        await prepared.insert("people", person, email_key=person.email)
        yield prepared
        for name in USED:
            await db[name].delete_many({})
    door.clock.moment = before


@dataclass
class Class:
    """A confirmed class with its link; every test has addresses of its own."""

    db: Database
    id: str
    secret: str
    mails: MailServer

    def address(self, name: str) -> str:
        return f"{name}.{self.id}@post.example"

    async def link(self, to: str, action: str) -> str:
        """The path of the link in the newest mail to somebody that leads to `action`."""
        for mail in reversed(await self.mails.wait_for(to=to)):
            if found := re.search(rf"/notify/{action}/\S+", mail["text"]):
                return found[0]
        raise AssertionError(f"no mail to {to} leads to {action}")


@pytest.fixture
async def school_class(door: FrontDoor, mongodb_url: str, mail_server: MailServer) -> AsyncIterator[Class]:
    """Known to the running service as if events had said it."""
    async with database(mongodb_url, f"{door.prefix}_notify") as db:
        writer = Writer(door.url, "mail@perspektive.example", "perspektive.example", "Europe/Berlin")
        context = Context(NotifyStore(db, 90, secret_key=SECRET), writer, Tokens(SECRET, door.url))
        id = uuid4().hex[:10]
        facts = registration("confirmed", id=id, school_id="school-1", slot=slot(slot_id=id))
        name, role = ROLES["teacher"]
        teacher = PersonChanged.about(
            "person:teacher", 1, now=NOW, person_id="teacher", name=name, email="teacher@beispiel.example",
            language="de", roles=[role], session_epoch=1, active=True,
        )  # fmt: skip
        for message in (teacher, said(events.RegistrationConfirmed, facts, now=NOW)):
            await HANDLERS[type(message)](message, context, NOW)
        link = await db.class_links.find_one({"_id": id})
        assert link
        yield Class(db, id, link["secret"], mail_server)


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
