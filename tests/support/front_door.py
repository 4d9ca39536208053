"""The real front door on a free port of this machine, and a small world of schools and companies behind it."""

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import uvicorn

from deploy.local.ports import HOST, listen, port_of
from services.events.consumer import HANDLERS, Context
from services.events.store.store import Store
from services.events.usecases import offers, slots
from services.events.usecases.inputs import OpenOffer, OpenSlots
from services.events.usecases.results import SlotView
from shared.auth import Directory, Identity, Sessions
from shared.ids import random_id
from shared.mongo import Database
from shared.schemas.base import Message
from shared.schemas.outreach import CampaignChanged, CompanyChanged, PersonChanged, Role, SchoolChanged
from shared.service import KEEP_ALIVE_SECONDS, front_door
from shared.web.callers import SESSION_COOKIE
from tests.support.waiting import wait_until

SERVICES = ("outreach", "events", "notify")
SECRET = "for-tests-only-" * 4
NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
ROLES = {
    "coordinator": ("Kim Koordination", Role(kind="coordinator", organisation_id="agency")),
    "teacher": ("Erika Muster", Role(kind="teacher", organisation_id="school-1")),
    "other-teacher": ("Toni Tafel", Role(kind="teacher", organisation_id="school-2")),
    "company": ("Max Beispiel", Role(kind="company", organisation_id="company-1")),
    "other-company": ("Alex Anders", Role(kind="company", organisation_id="company-2")),
}
COORDINATOR = Identity("coordinator", "person", "Kim Koordination", (ROLES["coordinator"][1],))
OFFER: dict[str, Any] = {
    "campaign_id": "campaign-1", "company_id": "company-1", "title": "Vom Stahl zum Zahnrad", "field": "M",
    "description": "Ein Vormittag in der Fertigung.", "requirements": ["Feste Schuhe"], "grades": [8, 9, 10],
    "place": {"name": "Werk 1", "street": "Musterweg 1", "postal_code": "59821", "town": "Arnsberg"},
    "contact": {"name": "Max Beispiel", "email": "max@firma.example"}, "waiting_list": "next_that_fits",
}  # fmt: skip
ONE_SLOT: dict[str, Any] = {
    "starts_local": "2026-12-01T09:00", "ends_local": "2026-12-01T12:00", "places": 30, "groups": 2,
}  # fmt: skip


@dataclass
class SetClock:
    """A clock that a test sets."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class FrontDoor:
    """A running system: where it answers, its clock, and its databases' prefix."""

    url: str
    prefix: str
    clock: SetClock = field(default_factory=SetClock)

    def cookie(self, person: str) -> dict[str, str]:
        """The session of one of ROLES, signed in as the sign-in page would."""
        return {"name": SESSION_COOKIE, "value": Sessions(SECRET).open(person, 1), "url": self.url}


@contextmanager
def running_front_door(mongodb_url: str, nats_url: str, smtp_url: str, prefix: str = "") -> Iterator[FrontDoor]:
    """The services that exist, in a thread of their own, until the block ends; new databases without a `prefix`."""
    with listen(0, "PORT") as listener:
        door = FrontDoor(f"http://{HOST}:{port_of(listener)}", prefix or f"test_{random_id()[:10]}")
        settings = {
            "mongodb_url": mongodb_url, "nats_url": nats_url, "smtp_url": smtp_url, "secret_key": SECRET,
            "public_url": door.url, "database_prefix": door.prefix, "webhooks_to_this_machine": True,
        }  # fmt: skip
        config = uvicorn.Config(
            _application(settings, door.clock), log_config=None, access_log=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            wait_until(lambda: all(_is_ready(f"{door.url}/{name}") for name in SERVICES), seconds=40)
            yield door
        finally:
            server.should_exit = True
            thread.join(20)


def _application(settings: dict[str, str], clock: SetClock) -> Any:
    parts = {}
    for name in SERVICES:
        wanted = importlib.import_module(f"services.{name}.settings").Settings(**settings)
        parts[name] = importlib.import_module(f"services.{name}.app").create_app(wanted, clock)
    return front_door(parts)


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=5).is_success
    except httpx.TransportError:
        return False


class World:
    """Two schools, two companies, a campaign and the people of ROLES, as `events` knows them from messages."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.store = Store(db)

    async def furnish(self) -> None:
        """Everything but offers."""
        for message in [*_schools(), *_companies(), _campaign(), *_people()]:
            await HANDLERS[type(message)](message, Context(self.store, Directory(self.db)), NOW)

    async def slot(self, offer: dict[str, Any] | None = None, **slot: Any) -> SlotView:
        """A new offer with one slot."""
        command = OpenOffer.model_validate(OFFER | (offer or {}))
        opened = await offers.open_offer(self.store, COORDINATOR, command, now=NOW, request_id=random_id())
        dates = OpenSlots.model_validate(ONE_SLOT | slot)
        made = await slots.open_slots(self.store, COORDINATOR, opened.id, dates, now=NOW, request_id=random_id())
        return made.slots[0]


ADDRESS = {"street": "Musterweg 1", "postal_code": "59821", "town": "Arnsberg", "municipality_ags": "05958004",
           "district_ags": "05958", "lat": 51.39, "lon": 8.06}  # fmt: skip


def _schools() -> Iterator[Message]:
    for number, name in ((1, "Musterschule Arnsberg"), (2, "Beispielschule Sundern")):
        yield SchoolChanged.about(
            f"school:school-{number}", 1, now=NOW, school_id=f"school-{number}", name=name, short_name=name,
            school_type="15", pupils=300, open=True, **ADDRESS,
        )  # fmt: skip


def _companies() -> Iterator[Message]:
    for number, name in ((1, "Beispiel GmbH"), (2, "Andere AG")):
        yield CompanyChanged.about(
            f"company:company-{number}", 1, now=NOW, company_id=f"company-{number}", name=name, active=True, **ADDRESS
        )


def _campaign() -> Message:
    return CampaignChanged.about(
        "campaign:campaign-1", 1, now=NOW, campaign_id="campaign-1", name="Musterkampagne", districts=["05958"],
        starts_on="2026-10-01", ends_on="2026-12-18", kinds=["tour"], offers_from=NOW - timedelta(days=30),
        booking_from=NOW - timedelta(days=3), closes_at=NOW + timedelta(days=70),
    )  # fmt: skip


def _people() -> Iterator[Message]:
    for person, (name, role) in ROLES.items():
        yield PersonChanged.about(
            f"person:{person}", 1, now=NOW, person_id=person, name=name, email=f"{person}@beispiel.example",
            language="de", roles=[role], session_epoch=1, active=True,
        )  # fmt: skip
