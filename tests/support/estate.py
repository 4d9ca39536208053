"""Two schools, two companies and everybody who acts for them, made through the public API of a running system."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.local.demo.client import Client, until
from services.outreach.domain.api_keys import IssueApiKey
from services.outreach.domain.people import EnterPerson, RoleGiven
from services.outreach.store.core import Store
from services.outreach.usecases.api_keys import issue_api_key
from services.outreach.usecases.bootstrap import ensure_api_key, ensure_coordinator, new_key
from services.outreach.usecases.people import enter_person, remove_role
from shared.auth import SCOPES, hash_of_key
from shared.identity import Identity
from shared.ids import random_id
from shared.mongo import database
from shared.schemas.outreach import Role
from tests.support.front_door import NOW, FrontDoor

REGISTER = Path(__file__).parents[2] / "shared" / "data" / "schuldaten.csv"
NOBODY = "nobody"
# "foreign": of another school, another company.
ACTORS = (
    NOBODY, "teacher", "foreign teacher", "company", "foreign company", "ambassador", "foreign ambassador",
    "coordinator", "operator", "stranger", "teacher and company", "both, as teacher", "both, as company",
)  # fmt: skip
# Each a person of the own school and of the own company, acting as this role, or as both.
IN_TWO_ROLES = {"teacher and company": "", "both, as teacher": "teacher", "both, as company": "company"}


@dataclass
class Estate:
    """What there is: the ids in the addresses by their names there, and each actor's person."""

    door: FrontDoor
    mongodb_url: str
    people: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[tuple[str, ...], str] = field(default_factory=dict)
    browsers: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    async def client(self, actor: str) -> httpx.AsyncClient:
        """The browser in which `actor` has signed in, or nobody; kept open, with the token of its forms."""
        if actor not in self.browsers:
            cookie = self.door.cookie(self.people[actor]) if actor != NOBODY else None
            browser = httpx.AsyncClient(
                base_url=self.door.url, cookies={cookie["name"]: cookie["value"]} if cookie else {},
                headers={"Sec-Fetch-Site": "same-origin"}, timeout=30,
            )  # fmt: skip
            token = re.search(r'name="csrf" value="(\w+)"', (await browser.get("/outreach/account")).text)
            self.tokens[actor] = token[1] if token else ""
            if chosen := IN_TWO_ROLES.get(actor):
                await self._act_as(browser, actor, chosen)
            self.browsers[actor] = browser
        return self.browsers[actor]

    async def _act_as(self, browser: httpx.AsyncClient, actor: str, kind: str) -> None:
        role = f"{kind}:{self.ids['school_id' if kind == 'teacher' else 'company_id']}"
        answer = await browser.post("/outreach/act-as", data={"csrf": self.tokens[actor], "role": role})
        assert answer.status_code == 303, answer.text[:400]

    async def key(self, scopes: tuple[str, ...]) -> str:
        """The API key with just these scopes, known to all services."""
        if scopes not in self.keys:
            key = new_key()
            async with database(self.mongodb_url, f"{self.door.prefix}_outreach") as db:
                command = IssueApiKey(name=random_id(), scopes=list(scopes))
                await issue_api_key(Store(db), self.kim, command, key, now=NOW, request_id=random_id())
            await until("the key to be known", lambda: _knows_the_key(self, key))
            self.keys[scopes] = key
        return self.keys[scopes]

    @property
    def kim(self) -> Identity:
        """The coordinator, for use cases."""
        role = Role(kind="coordinator", organisation_id="agency")
        return Identity(self.people["coordinator"], "person", "Kim Koordination", (role,), frozenset(SCOPES))


@asynccontextmanager
async def furnished(door: FrontDoor, mongodb_url: str) -> AsyncIterator[Estate]:
    """The estate, known to all three services."""
    async with database(mongodb_url, f"{door.prefix}_outreach") as db:
        store = Store(db)
        coordinator = await ensure_coordinator(store, "kim@agentur.example", "Kim Koordination", NOW)
        key = await ensure_api_key(store, "tests", NOW)
        assert key is not None
        estate = Estate(door, mongodb_url, {"coordinator": coordinator})
        async with Client(door.url, key) as client:
            await until("the key to be known", lambda: _knows_the_key(estate, key))
            await _agency(store, estate)
            await _furnish(client, estate)
            await know_each_other(estate)
        yield estate
        for browser in estate.browsers.values():
            await browser.aclose()


async def _agency(store: Store, estate: Estate) -> None:
    """An operator, and somebody whose only role was taken away: a program may make neither."""
    kim = estate.kim
    operator = RoleGiven(kind="operator")
    for name in ("operator", "stranger"):
        command = EnterPerson(name=name.title(), email=f"{name}@agentur.example", roles=[operator])
        entered = await enter_person(store, kim, command, now=NOW, request_id=name)
        estate.people[name] = entered.id
    await remove_role(store, kim, estate.people["stranger"], operator, now=NOW, request_id="removed")


async def _furnish(client: Client, estate: Estate) -> None:
    schools = await _schools(client)
    companies = [await _post(client, "/outreach/api/v1/companies", _company(number)) for number in (1, 2)]
    campaign = await _post(client, "/outreach/api/v1/campaigns", _campaign(NOW))
    own = {"teacher": schools[0], "company": companies[0]["id"]}
    for role, organisation in (*own.items(), ("foreign teacher", schools[1]), ("foreign company", companies[1]["id"])):
        estate.people[role] = await _person(client, role, {role.split()[-1]: organisation})
    for actor in IN_TWO_ROLES:
        estate.people[actor] = await _person(client, actor, own)
    ambassadors = [
        await _post(client, "/outreach/api/v1/ambassadors", _ambassador(company["id"], number))
        for number, company in enumerate(companies)
    ]
    estate.people["ambassador"], estate.people["foreign ambassador"] = (each["person_id"] for each in ambassadors)
    visit = await _visit(client, campaign["id"], schools[0], ambassadors[0]["id"])
    estate.ids |= {
        "school_id": schools[0], "company_id": companies[0]["id"], "campaign_id": campaign["id"],
        "organisation_id": schools[0],
        "ambassador_id": ambassadors[0]["id"], "visit_id": visit, "person_id": await _spare_person(client, schools[1]),
    }  # fmt: skip
    estate.ids["colleague_id"] = await _person(client, "colleague", {"teacher": schools[0]})
    estate.ids["other_school_id"] = schools[1]
    await _tour(client, estate)


async def _tour(client: Client, estate: Estate) -> None:
    """A slot of the company with a requested registration of the school, and a self-found place."""
    ids = estate.ids
    offer = await _post(client, "/events/api/v1/offers", offer_of(ids))
    opened = {"starts_local": "2026-12-01T09:00", "ends_local": "2026-12-01T12:00", "places": 60, "groups": 4}
    slots = (await _post(client, f"/events/api/v1/offers/{offer['id']}/slots", opened))["slots"]
    registration = await _post(
        client, f"/events/api/v1/slots/{slots[0]['id']}/registrations", _registration(ids["school_id"])
    )
    found = await _post(client, "/events/api/v1/self-found-places", _self_found(ids))
    ids["confirmed_id"] = await _confirmed(client, ids)
    # Nothing else is tested with what is cancelled or confirmed by a mail's link.
    ids["answered_id"] = await _confirmed(client, ids)
    ids["asked_id"] = await _asked_again(client, ids)
    ids["waiting_id"] = await _waiting_offer(client, ids)
    ids |= {
        "offer_id": offer["id"], "slot_id": slots[0]["id"], "registration_id": registration["id"],
        "record_id": found["id"],
    }  # fmt: skip
    delivery = await until("the first mail", lambda: _first_delivery(client))
    ids["delivery_id"] = delivery["id"]


async def _confirmed(client: Client, ids: dict[str, str]) -> str:
    """A registration of the school at the same company, where nobody has to approve."""
    offer = await _post(client, "/events/api/v1/offers", {**offer_of(ids), "approval": "automatic"})
    opened = {"starts_local": "2026-12-03T09:00", "ends_local": "2026-12-03T12:00", "places": 60, "groups": 4}
    slots = (await _post(client, f"/events/api/v1/offers/{offer['id']}/slots", opened))["slots"]
    path = f"/events/api/v1/slots/{slots[0]['id']}/registrations"
    return (await _post(client, path, _registration(ids["school_id"])))["id"]


async def _asked_again(client: Client, ids: dict[str, str]) -> str:
    """A registration of the school on a date so near that its class has to confirm again, had it not just been made."""
    asking = {"approval": "automatic", "confirm_again": {"asked": 6, "until": 2}}
    offer = await _post(client, "/events/api/v1/offers", {**offer_of(ids), **asking})
    opened = {"starts_local": "2026-10-13T09:00", "ends_local": "2026-10-13T12:00", "places": 60, "groups": 4}
    slots = (await _post(client, f"/events/api/v1/offers/{offer['id']}/slots", opened))["slots"]
    path = f"/events/api/v1/slots/{slots[0]['id']}/registrations"
    return (await _post(client, path, _registration(ids["school_id"])))["id"]


async def _waiting_offer(client: Client, ids: dict[str, str]) -> str:
    """The id of an offer that a coordinator has yet to look at."""
    campaign = await _post(client, "/outreach/api/v1/campaigns", {**_campaign(NOW), "check_offers": True})
    offer = {**offer_of(ids), "campaign_id": campaign["id"]}
    return (await _post(client, "/events/api/v1/offers", offer))["id"]


async def _first_delivery(client: Client) -> Any:
    items = (await client.get("/notify/api/v1/deliveries", limit=1))["items"]
    return items[0] if items else None


async def _schools(client: Client) -> list[str]:
    lines = REGISTER.read_bytes().splitlines(keepends=True)[:30]
    await _post(
        client, "/outreach/api/v1/imports/schools?dry_run=false",
        files={"file": ("schuldaten.csv", b"".join(lines), "text/csv")},
    )  # fmt: skip
    found = (await client.get("/outreach/api/v1/schools", limit=2))["items"]
    return [school["id"] for school in found]


async def _person(client: Client, name: str, roles: dict[str, str]) -> str:
    """The id of a new person with these kinds of roles, each in an organisation."""
    mailbox = name.replace(",", "").replace(" ", "-")
    body = {
        "name": name.title(), "email": f"{mailbox}@beispiel.example", "language": "de",
        "roles": [{"kind": kind, "organisation_id": organisation} for kind, organisation in roles.items()],
    }  # fmt: skip
    return (await _post(client, "/outreach/api/v1/people", body))["id"]


async def _spare_person(client: Client, school_id: str) -> str:
    return await _person(client, "spare person", {"teacher": school_id})


def _company(number: int) -> dict[str, Any]:
    contact = {"name": f"Kontakt {number}", "email": f"kontakt{number}@firma.example", "language": "de"}
    return {
        "name": f"Beispiel {number} GmbH", "street": "Musterweg 1", "postal_code": "59821", "town": "Arnsberg",
        "contact": contact,
    }  # fmt: skip


def _campaign(now: datetime) -> dict[str, Any]:
    return {
        "name": "Musterkampagne", "starts_on": str(now.date()), "ends_on": str(now.date() + timedelta(days=200)),
        "districts": ["05958", "05962", "05966", "05970", "05974"], "kinds": ["tour", "visit"],
        "offers_from": (now - timedelta(days=30)).isoformat(), "booking_from": (now - timedelta(days=1)).isoformat(),
        "closes_at": (now + timedelta(days=190)).isoformat(),
    }  # fmt: skip


def _ambassador(company_id: str, number: int) -> dict[str, Any]:
    return {
        "name": f"Azubi {number}", "email": f"azubi{number}@firma.example", "language": "de", "fields": ["M"],
        "company_id": company_id, "limits": {"per_week": 1, "per_campaign": 6},
    }  # fmt: skip


async def _visit(client: Client, campaign_id: str, school_id: str, ambassador_id: str) -> str:
    dates = [{"starts_local": f"2026-12-0{day}T09:00", "ends_local": f"2026-12-0{day}T10:30"} for day in (7, 8)]
    asked = {
        "campaign_id": campaign_id, "school_id": school_id, "field": "M", "grade": 9,
        "group": {"name": "9b", "pupils": 24}, "contact": CONTACT, "alternatives": dates,
    }  # fmt: skip
    visit = (await _post(client, "/outreach/api/v1/visits", asked))["id"]
    await _post(
        client, f"/outreach/api/v1/visits/{visit}/propose", {"alternative": 0, "ambassador_ids": [ambassador_id]}
    )
    return visit


CONTACT = {"name": "Lehrkraft Muster", "email": "lehrkraft@schule.example", "language": "de"}


def offer_of(ids: dict[str, str]) -> dict[str, Any]:
    return {
        "campaign_id": ids["campaign_id"], "company_id": ids["company_id"], "title": "Vom Stahl zum Zahnrad",
        "description": "Ein Vormittag in der Fertigung.", "field": "M", "requirements": ["Feste Schuhe"],
        "place": {"name": "Werk 1", "street": "Musterweg 1", "postal_code": "59821", "town": "Arnsberg"},
        "contact": {"name": "Kontakt 1", "email": "kontakt1@firma.example"}, "grades": [8, 9, 10],
        "approval": "company", "waiting_list": "next_that_fits",
    }  # fmt: skip


def _registration(school_id: str) -> dict[str, Any]:
    group = {"name": "9a", "grade": 9, "pupils": 20, "adults": 2}
    return {"school_id": school_id, "group": group, "contact": CONTACT, "acknowledged": True}


def _self_found(ids: dict[str, str]) -> dict[str, Any]:
    return {
        "campaign_id": ids["campaign_id"], "school_id": ids["school_id"], "company_name": "Werkstatt Beispiel",
        "group": {"name": "9a", "grade": 9, "pupils": 2}, "field": "M", "day": "2026-12-02",
    }  # fmt: skip


async def _post(client: Client, path: str, body: Any = None, **options: Any) -> Any:
    """The answer, once every copy that the request needs has arrived."""

    async def accepted() -> Any:
        answer = await client.post(path, body, **options)
        return answer if answer.status not in (404, 422) or answer.problem == "invalid" else None

    return (await until(path, accepted, seconds=20)).ok()


async def _knows_the_key(estate: Estate, key: str) -> bool:
    for service in ("outreach", "events", "notify"):
        async with database(estate.mongodb_url, f"{estate.door.prefix}_{service}") as db:
            if await db.api_keys.count_documents({"key_hash": hash_of_key(key)}) == 0:
                return False
    return True


async def know_each_other(estate: Estate) -> None:
    """Wait until every service knows the estate's people."""
    await until("the people to be known", lambda: _knows_the_people(estate))


async def _knows_the_people(estate: Estate) -> bool:
    for service in ("events", "notify"):
        async with database(estate.mongodb_url, f"{estate.door.prefix}_{service}") as db:
            if await db.people.count_documents({"_id": {"$in": [*estate.people.values()]}}) < len(estate.people):
                return False
    return True
