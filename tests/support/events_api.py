"""The running service `events` with a real MongoDB and no broker, and programs that call its API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.events.app import create_app
from services.events.consumer import HANDLERS, Context
from services.events.settings import Settings
from services.events.store.store import Store
from shared.auth import Directory, hash_of_key
from shared.ids import random_id
from shared.mongo import Database, database
from shared.schemas.outreach import ApiKeyChanged, CampaignChanged, CompanyChanged, Role, SchoolChanged
from shared.service import front_door
from tests.support.waiting import until

NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
NO_BROKER = "nats://127.0.0.1:1"  # the service must work while the broker is down
KEYS = {
    "coordinator-key": Role(kind="coordinator", organisation_id="agency"),
    "teacher-key": Role(kind="teacher", organisation_id="school-1"),
    "other-teacher-key": Role(kind="teacher", organisation_id="school-2"),
    "company-key": Role(kind="company", organisation_id="company-1"),
    "other-company-key": Role(kind="company", organisation_id="company-2"),
}
OFFER = {
    "campaign_id": "campaign-1",
    "company_id": "company-1",
    "title": "Blick in die Werkhalle",
    "description": "Ein Vormittag in der Fertigung.",
    "field": "BAV",
    "place": {"name": "Werk 1", "street": "Musterweg 1", "postal_code": "59821", "town": "Arnsberg", "directions": ""},
    "requirements": ["Feste Schuhe"],
    "contact": {"name": "Max Beispiel", "email": "max@firma.example"},
    "grades": [8, 9, 10],
    "waiting_list": "next_that_fits",
}
ONE_SLOT = {"starts_local": "2026-12-01T09:00", "ends_local": "2026-12-01T12:00", "places": 25, "groups": 2}


MADE = ("offers", "slots", "registrations", "waiting_list_log", "self_found_places", "outbox", "idempotency")


class MovableClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment


class Caller:
    """A program with a key."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client = client
        self._key = key

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self._client.get(f"/events/api/v1/{path}", params=query, headers=self._headers())

    async def post(self, path: str, body: Any = None, key: str = "") -> httpx.Response:
        headers = self._headers() | {"Idempotency-Key": key or random_id()}
        return await self._client.post(f"/events/api/v1/{path}", json=body or {}, headers=headers)

    async def made(self, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self.post(path, body)
        assert answer.is_success, answer.text
        return answer.json()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}", "Accept-Language": "en"}


class World:
    """The running service and those who call it."""

    def __init__(self, client: httpx.AsyncClient, clock: MovableClock, db: Database) -> None:
        self.clock = clock
        self.db = db
        self.client = client
        self.coordinator = Caller(client, "coordinator-key")
        self.teacher = Caller(client, "teacher-key")
        self.other_teacher = Caller(client, "other-teacher-key")
        self.company = Caller(client, "company-key")
        self.other_company = Caller(client, "other-company-key")

    async def reset(self) -> None:
        """Forget what an earlier test made, and set the clock back; copies and keys stay."""
        self.clock.moment = NOW
        for name in MADE:
            await self.db[name].delete_many({})

    async def slot(self, offer: dict[str, Any] | None = None, **slot: Any) -> dict[str, Any]:
        opened = await self.company.made("offers", OFFER | (offer or {}))
        return (await self.company.made(f"offers/{opened['id']}/slots", ONE_SLOT | slot))["slots"][0]


@asynccontextmanager
async def running_events(mongodb_url: str) -> AsyncIterator[World]:
    """The service while the block lasts, with copies of three schools, two companies, a campaign and five keys."""
    prefix = f"test_{random_id()[:10]}"
    settings = Settings(mongodb_url=mongodb_url, nats_url=NO_BROKER, secret_key="s" * 40, database_prefix=prefix)
    clock = MovableClock()
    app = create_app(settings, clock)
    transport = httpx.ASGITransport(front_door({"events": app}))
    async with (
        database(mongodb_url, f"{prefix}_events") as db,
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        await until(lambda: _is_ready(client), seconds=60)
        await _fill(db)
        yield World(client, clock, db)
        await db.client.drop_database(f"{prefix}_events")


async def _is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/events/readyz")).is_success


async def _fill(db: Database) -> None:
    context = Context(Store(db), Directory(db))
    facts = {"street": "Schulweg 1", "postal_code": "59821", "town": "Arnsberg", "municipality_ags": "05958004"}
    for number in (1, 2, 3):
        await HANDLERS[SchoolChanged](
            SchoolChanged.about(
                f"school:school-{number}", 1, now=NOW, school_id=f"school-{number}", name=f"Musterschule {number}",
                short_name="MS", school_type="15", district_ags="05958", lat=51.40, lon=8.07, pupils=300, open=True,
                movable_days=["2026-12-08"] if number == 3 else [], **facts,
            ), context, NOW,
        )  # fmt: skip
    for number in (1, 2):
        await HANDLERS[CompanyChanged](
            CompanyChanged.about(
                f"company:company-{number}", 1, now=NOW, company_id=f"company-{number}", name="Beispiel GmbH",
                district_ags="05958", lat=51.39, lon=8.06, active=True, **facts,
            ), context, NOW,
        )  # fmt: skip
    await HANDLERS[CampaignChanged](
        CampaignChanged.about(
            "campaign:campaign-1", 1, now=NOW, campaign_id="campaign-1", name="Muster", starts_on="2026-11-01",
            ends_on="2026-12-18", districts=["05958"], kinds=["tour"], offers_from=NOW - timedelta(days=30),
            booking_from=NOW - timedelta(days=3), closes_at=NOW + timedelta(days=90),
        ), context, NOW,
    )  # fmt: skip
    for key, role in KEYS.items():
        await HANDLERS[ApiKeyChanged](
            ApiKeyChanged.about(
                f"key:{key}", 1, now=NOW, key_id=key, key_hash=hash_of_key(key), name=key, roles=[role],
                scopes=["events:read", "events:write"], revoked=False,
            ), context, NOW,
        )  # fmt: skip


def booking(name: str = "9a", pupils: int = 20, school: str = "school-1", **more: Any) -> dict[str, Any]:
    group = {"name": name, "grade": 9, "pupils": pupils, "adults": 2, "needs": "Rollstuhl"}
    contact = {"name": "Erika Muster", "email": "erika@schule.example"}
    return {"school_id": school, "group": group, "contact": contact, "acknowledged": True, **more}
