"""Fills an empty embedded start: the first coordinator and her API key, the real schools, a fictitious campaign.

Everything but the first coordinator goes through the public HTTP API, with fixed Idempotency-Keys: a seed that was cut
short is run again and creates nothing twice.
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.local.data_folder import write_privately
from deploy.local.demo.client import Client, StoryBroken, known_soon, until
from deploy.local.demo_people import (
    AMBASSADORS,
    COMPANIES,
    COORDINATOR,
    OFFERS,
    TEACHERS,
    Offer,
)
from services.outreach.settings import Settings
from services.outreach.store.core import Store
from services.outreach.usecases.bootstrap import ensure_api_key, ensure_coordinator
from services.outreach.usecases.sign_in import make_sign_in_link
from shared.clock import FileClock
from shared.mongo import database

REGISTER = Path(__file__).parents[2] / "shared" / "data" / "schuldaten.csv"
LINKS_LAST = timedelta(days=3650)  # each works once; the clock of a demo may be moved by months


def main() -> int:
    """0 when everything is there; 1, with one sentence, when not."""
    folder = Path(os.environ["DATA_DIR"])
    try:
        asyncio.run(_seed(folder, FileClock(Path(os.environ["CLOCK_FILE"]))))
    except StoryBroken as error:
        print(f"The demo data could not be loaded: {error}", file=sys.stderr)
        return 1
    return 0


async def _seed(folder: Path, clock: FileClock) -> None:
    settings = Settings()  # type: ignore[call-arg]  # filled from the environment
    async with database(settings.mongodb_url, f"{settings.database_prefix}_outreach") as db:
        store = Store(db)
        name, email = COORDINATOR
        coordinator = await ensure_coordinator(store, email, name, clock.now())
        key = await _api_key(store, folder / "coordinator-api-key", clock)
        done = folder / "seeded"
        if not done.exists():
            async with Client(settings.public_url, key) as client:
                people = await _load(client, _began(folder, clock))
            done.write_text(json.dumps({"coordinator": [name, coordinator], **people}))
        await _write_links(store, folder, settings.public_url, json.loads(done.read_text()), clock)


def _began(folder: Path, clock: FileClock) -> datetime:
    """When the first run of the seed began: a later one must send the same requests."""
    note = folder / "seed-began"
    if not note.exists():
        write_privately(note, clock.now().isoformat(timespec="seconds"))
    return datetime.fromisoformat(note.read_text())


async def _api_key(store: Store, path: Path, clock: FileClock) -> str:
    if path.exists():
        return path.read_text().strip()
    # A key whose text was lost before it reached the file is replaced: only its hash is stored.
    key = await ensure_api_key(store, "coordinator", clock.now(), replace=True)
    assert key is not None
    write_privately(path, key + "\n")
    return key


async def _write_links(store: Store, folder: Path, address: str, people: dict[str, Any], clock: FileClock) -> None:
    links = []
    for role, (name, person_id) in people.items():
        path = await make_sign_in_link(store, person_id, LINKS_LAST, clock.now())
        links.append({"role": role, "name": name, "url": address + path})
    write_privately(folder / "sign-in-links.json", json.dumps(links))


class _Loader:
    """Posts with keys that are the same in every run of the seed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._count = 0

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        self._count += 1
        number = self._count
        attempt = 0

        async def send() -> Any:
            nonlocal attempt
            attempt += 1
            headers = {"Idempotency-Key": f"seed-{number}-{attempt}"}
            return await self._client.post(path, body, headers=headers, **options)

        return (await known_soon(send)).ok()


async def _load(client: Client, now: datetime) -> dict[str, tuple[str, str]]:
    await until("the services to know the API key", lambda: _all_know_the_key(client))
    loader = _Loader(client)
    register = {"file": ("schuldaten.csv", REGISTER.read_bytes(), "text/csv")}
    await loader.post("/outreach/api/v1/imports/schools?dry_run=false", files=register)
    campaign = await loader.post("/outreach/api/v1/campaigns", _campaign(now))
    companies = [await loader.post("/outreach/api/v1/companies", company.body()) for company in COMPANIES]
    slots = []
    for offer in OFFERS:
        slots += await _publish(loader, offer, campaign["id"], companies, now)
    schools = (await client.get("/outreach/api/v1/schools", school_type="15", limit=10))["items"]
    people = await _people(loader, schools, companies)
    await _some_registrations(loader, slots, schools)
    return people


async def _all_know_the_key(client: Client) -> bool:
    for path in ("/outreach/api/v1/schools", "/events/api/v1/slots", "/notify/api/v1/deliveries"):
        try:
            await client.get(path, limit=1)
        except StoryBroken:
            return False
    return True


def _campaign(now: datetime) -> dict[str, Any]:
    return {
        "name": "Perspektive Südwestfalen (Demo)",
        "starts_on": str(now.date()),
        "ends_on": str(now.date() + timedelta(days=240)),
        "districts": ["05958", "05962", "05966", "05970", "05974"],
        "kinds": ["tour", "visit"],
        "offers_from": (now - timedelta(days=30)).astimezone(UTC).isoformat(timespec="seconds"),
        "booking_from": (now - timedelta(days=1)).astimezone(UTC).isoformat(timespec="seconds"),
        "closes_at": (now + timedelta(days=230)).astimezone(UTC).isoformat(timespec="seconds"),
    }


async def _publish(
    loader: _Loader, offer: Offer, campaign_id: str, companies: list[dict[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    company = COMPANIES[offer.company]
    body = {"campaign_id": campaign_id, "company_id": companies[offer.company]["id"], **offer.body(company)}
    created = await loader.post("/events/api/v1/offers", body)
    series = {
        "series": {
            "weekdays": list(offer.weekdays),
            "first_day": str(now.date() + timedelta(days=7)),
            "last_day": str(now.date() + timedelta(days=7 * offer.weeks)),
            "starts": offer.starts,
            "ends": offer.ends,
            "skip_days_off": True,
        },
        "places": offer.places,
        "groups": offer.groups,
    }
    return (await loader.post(f"/events/api/v1/offers/{created['id']}/slots", series))["slots"]


async def _people(loader: _Loader, schools: list[Any], companies: list[Any]) -> dict[str, tuple[str, str]]:
    people = {}
    for index, (name, email) in enumerate(TEACHERS):
        role = {"kind": "teacher", "organisation_id": schools[index]["id"]}
        body = {"name": name, "email": email, "language": "de", "roles": [role]}
        person = await loader.post("/outreach/api/v1/people", body)
        people.setdefault("teacher", (name, person["id"]))
    role = {"kind": "company", "organisation_id": companies[0]["id"]}
    first = COMPANIES[0]
    contact = {"name": first.contact, "email": first.email, "language": "de", "roles": [role]}
    people["company"] = (first.contact, (await loader.post("/outreach/api/v1/people", contact))["id"])
    for index, (name, email, field, postal_code) in enumerate(AMBASSADORS):
        ambassador = {
            "name": name,
            "email": email,
            "language": "de",
            "company_id": companies[index]["id"],
            "limits": {"per_week": 1, "per_campaign": 6},
            "fields": [field],
            "home_postal_code": postal_code,
        }
        created = await loader.post("/outreach/api/v1/ambassadors", ambassador)
        people.setdefault("ambassador", (name, created["person_id"]))
    return people


async def _some_registrations(loader: _Loader, slots: list[dict[str, Any]], schools: list[dict[str, Any]]) -> None:
    for index, (name, email) in enumerate(TEACHERS):
        for number, pupils in enumerate((24, 27)):
            body = {
                "school_id": schools[index]["id"],
                "group": {"name": f"8{'abc'[number]}", "grade": 8, "pupils": pupils, "adults": 2, "needs": ""},
                "contact": {"name": name, "email": email},
                "acknowledged": True,
            }
            slot = slots[index if number == 0 else len(slots) // 2 + index]
            await loader.post(f"/events/api/v1/slots/{slot['id']}/registrations", body)


if __name__ == "__main__":
    sys.exit(main())
