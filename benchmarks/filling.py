"""A database as large as the largest that Perspektive is made for: it is written directly, in the form in which the
stores write, around the demo campaign of a running instance."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from services.events.domain.facts import Offer, Registration, Slot
from services.events.store.documents import offer_document, offer_of, registration_document, slot_document
from services.events.store.store import Store as EventsStore
from services.notify.domain import Attempt, Delivery
from services.notify.store.core import Store as NotifyStore
from services.notify.store.deliveries import delivery_document, delivery_of
from services.outreach.domain.ambassadors import Ambassador
from services.outreach.domain.campaigns import Campaign
from services.outreach.domain.companies import Company, location
from services.outreach.domain.people import Person, email_key
from services.outreach.domain.schools import School
from services.outreach.domain.visit_dates import PlannedDate
from services.outreach.domain.visits import Member, Visit
from services.outreach.store import reports, visits
from services.outreach.store.core import Store as OutreachStore
from services.outreach.store.core import from_document, to_document, with_words
from services.outreach.store.remembered import note_changed
from shared.ids import random_id
from shared.mongo import Collection, Document, database
from shared.region import career_fields
from shared.schemas.events import GroupFacts, RegistrationState
from shared.schemas.outreach import Contact, Role

COMPANIES, OFFERS, SLOTS, SCHOOLS, REGISTRATIONS = 200, 1_000, 10_000, 5_600, 50_000
PEOPLE, VISITS, DELIVERIES = 6_000, 2_000, 50_000
ZONE = "Europe/Berlin"
KEPT = timedelta(days=400)
AT_ONCE = 2_000
SENT_WITHIN = 180  # seconds
TITLES = ("Vom Stahl zum Zahnrad", "Ein Haus aus Holz", "Pflege mit Kopf und Herz", "Licht und Labor", "Große Küche")
STATES: tuple[RegistrationState, ...] = ("confirmed", "confirmed", "confirmed", "requested", "cancelled")


@dataclass
class Filled:
    """What pages are opened for: ids by name."""

    ids: dict[str, str]
    counts: dict[str, int]


@dataclass
class _World:
    """The demo campaign's documents, which the others are made after."""

    outreach: OutreachStore
    events: EventsStore
    notify: NotifyStore
    now: datetime
    chance: random.Random
    campaign: Campaign
    own: dict[str, str]


async def fill(mongodb_url: str, people: dict[str, str]) -> Filled:
    """Fill the three databases; `people`: the ids of the demo's people by role."""
    async with (
        database(mongodb_url, "perspektive_outreach") as outreach,
        database(mongodb_url, "perspektive_events") as events,
        database(mongodb_url, "perspektive_notify") as notify,
    ):
        stores = (
            OutreachStore(outreach),
            EventsStore(events),
            NotifyStore(notify, KEPT.days, secret_key="of no use here"),
        )
        campaign = from_document(Campaign, await _one(outreach.campaigns))
        world = _World(*stores, datetime.now(UTC), random.Random(1), campaign, await _own(outreach, people))
        schools = await _schools(world)
        companies = await _companies(world, [school.postal_code for school in schools])
        offers = await _offers(world, companies)
        slots = await _slots(world, offers)
        registrations = await _registrations(world, slots, offers, schools)
        await _people(world, schools, companies)
        visit = await _visits(world, schools, companies)
        delivery = await _deliveries(world, registrations)
        await world.events.tally.start_again()  # registrations were written without their slots
        await note_changed(outreach)
        counts = {
            f"{db.name.partition('_')[2]}.{name}": await db[name].estimated_document_count()
            for db, names in ((events, "offers slots registrations schools"), (outreach, "companies people visits"),
                              (notify, "deliveries"))
            for name in names.split()
        }  # fmt: skip
    ids = {**world.own, "campaign": campaign.id, "visit": visit, "delivery": delivery}
    return Filled(ids, counts)


async def _own(outreach: Any, people: dict[str, str]) -> dict[str, str]:
    teacher = await _one(outreach.people, {"_id": people["teacher"]})
    company = await _one(outreach.people, {"_id": people["company"]})
    ambassador = await _one(outreach.ambassadors, {"person_id": people["ambassador"]})
    return {
        "school": teacher["roles"][0]["organisation_id"], "company": company["roles"][0]["organisation_id"],
        "ambassador": ambassador["_id"], "ambassador_person": people["ambassador"],
    }  # fmt: skip


async def _one(collection: Collection, where: Document | None = None) -> Document:
    found = await collection.find_one(where or {})
    assert found is not None, f"no {collection.name} in the demo data"
    return found


async def _write(collection: Collection, rows: Iterable[Document]) -> None:
    """In parts and outside any transaction: MongoDB ends one after a minute, which a busy machine needs for 2,000."""
    rows = iter(rows)
    while part := list(islice(rows, AT_ONCE)):
        await collection.insert_many(part, ordered=False)


async def _schools(world: _World) -> list[School]:
    """As many schools as the whole state has; the demo's among them."""
    known = [from_document(School, row) async for row in world.outreach.db.schools.find()]
    copies = {row["_id"]: row async for row in world.events.db.schools.find()}
    fresh = [(known[n % len(known)], f"8{n:05}") for n in range(SCHOOLS - len(known))]
    schools = [
        like.model_copy(update={"id": id, "short_name": f"{like.short_name} {id}", "email": f"{id}@schule.example"})
        for like, id in fresh
    ]
    rows = (with_words("schools", to_document(school)) for school in schools)
    await _write(world.outreach.db.schools, rows)
    copied = ({**copies[like.id], "_id": id} for like, id in fresh)
    await _write(world.events.db.schools, copied)
    return known + schools


async def _companies(world: _World, towns: Sequence[str]) -> list[Company]:
    codes = world.chance.choices(towns, k=COMPANIES)
    known = from_document(Company, await _one(world.outreach.db.companies, {"_id": world.own["company"]}))
    copy = await _one(world.events.db.companies, {"_id": known.id})
    companies = [
        known.model_copy(update={
            "id": random_id(), "name": f"Betrieb {n} (Demo)", "postal_code": code, "contact_person_id": None,
            **location(code),
        })
        for n, code in enumerate(codes)
    ]  # fmt: skip
    await _write(world.outreach.db.companies, (with_words("companies", to_document(each)) for each in companies))
    copied = ({**copy, **_copied(each), "_id": each.id} for each in companies)
    await _write(world.events.db.companies, copied)
    return [known, *companies]


def _copied(company: Company) -> Document:
    names = {"name", "street", "postal_code", "town", "municipality_ags", "district_ags", "lat", "lon", "active"}
    return company.model_dump(include=names)


async def _offers(world: _World, companies: Sequence[Company]) -> list[Offer]:
    """Five of each company, the demo's company with twenty."""
    like = offer_of(await _one(world.events.db.offers, {"company_id": world.own["company"]}))
    fields, offers = sorted(career_fields()), []
    for n in range(OFFERS):
        company = companies[0] if n % 50 == 0 else companies[n % len(companies)]
        place = like.facts.place.model_copy(update={
            "name": company.name, "postal_code": company.postal_code, "district_ags": company.district_ags,
            "lat": company.lat, "lon": company.lon,
        })  # fmt: skip
        facts = like.facts.model_copy(update={
            "offer_id": random_id(), "company_id": company.id, "company_name": company.name, "place": place,
            "title": f"{TITLES[n % len(TITLES)]} {n}", "field": fields[n % len(fields)],
        })  # fmt: skip
        offers.append(replace(like, facts=facts, created_at=world.now - timedelta(minutes=n), approval="company"))
    await _write(world.events.db.offers, (offer_document(each, world.now + KEPT) for each in offers))
    told = ({"_id": each.id, **reports.offer_copy(each.facts), "version": 1} for each in offers)
    await _write(world.outreach.db.report_offers, told)
    return offers


async def _slots(world: _World, offers: Sequence[Offer]) -> list[Slot]:
    """Ten dates of each offer, over half a year around today, with room for six groups; each has five."""
    slots = [_slot(world, offer, number) for offer in offers for number in range(SLOTS // OFFERS)]
    by_id = {offer.id: offer for offer in offers}
    await _write(world.events.db.slots, (slot_document(each, by_id[each.offer_id]) for each in slots))
    copies = (
        {"_id": each.id, **reports.slot_copy(by_id[each.offer_id].facts, each.places, each.state), "version": 1}
        for each in slots
    )
    await _write(world.outreach.db.report_slots, copies)
    return slots


def _slot(world: _World, offer: Offer, number: int) -> Slot:
    day = world.now.date() + timedelta(days=7 * number - 21 + world.chance.randrange(5))
    starts = datetime.combine(day, time(9))
    ends = starts + timedelta(hours=3)
    zone = ZoneInfo(ZONE)
    return Slot(
        id=random_id(), offer_id=offer.id, campaign_id=offer.facts.campaign_id, company_id=offer.facts.company_id,
        starts_local=starts, ends_local=ends, zone=ZONE, starts_utc=starts.replace(tzinfo=zone).astimezone(UTC),
        ends_utc=ends.replace(tzinfo=zone).astimezone(UTC), places=150, groups=6, grades=offer.grades,
        approval=offer.approval, waiting_list=offer.waiting_list, taken=80, groups_taken=4, version=6,
    )  # fmt: skip


async def _registrations(
    world: _World, slots: Sequence[Slot], offers: Sequence[Offer], schools: Sequence[School]
) -> list[Registration]:
    """Five on each slot: three confirmed, one requested, one cancelled, each of 20 pupils. The demo's school has 40."""
    by_id = {offer.id: offer for offer in offers}
    own = next(school for school in schools if school.id == world.own["school"])
    made = []
    for n in range(REGISTRATIONS):
        slot = slots[n % len(slots)]
        school = own if n % 1250 == 0 else schools[n % len(schools)]
        made.append(_registration(world, slot, school, n))
    rows = (registration_document(each, world.now + KEPT) for each in made)
    await _write(world.events.db.registrations, rows)
    copies = ({"_id": each.id, **_counted(each, by_id[each.offer_id]), "version": 1} for each in made)
    await _write(world.outreach.db.report_registrations, copies)
    world.own["registration"] = next(each.id for each in made if each.school_id == own.id and each.active)
    mine = {slot.id for slot in slots if slot.company_id == world.own["company"]}
    ahead = [slot for slot in slots if slot.starts_utc > world.now + timedelta(days=3)]
    world.own["own_slot"] = next(slot.id for slot in ahead if slot.id in mine)
    world.own |= {"slot": ahead[0].id, "slot2": ahead[1].id, "slot3": ahead[2].id}
    return made


def _registration(world: _World, slot: Slot, school: School, n: int) -> Registration:
    at = world.now - timedelta(minutes=n)
    return Registration(
        id=random_id(), slot_id=slot.id, offer_id=slot.offer_id, campaign_id=slot.campaign_id,
        company_id=slot.company_id, school_id=school.id, school_name=school.short_name,
        school_type=school.school_type, school_district_ags=school.district_ags,
        group=GroupFacts(name=f"{8 + n % 3}{'abcd'[n % 4]}", grade=8 + n % 3, pupils=20, adults=2),
        contact=Contact(name=f"Lehrkraft {n} (Demo)", email=f"lehrkraft{n}@schule.example"),
        state=STATES[n // SLOTS], created_at=at, changed_at=at, acknowledged=True,
    )  # fmt: skip


def _counted(registration: Registration, offer: Offer) -> Document:
    return reports.registration_copy(
        campaign_id=registration.campaign_id, slot_id=registration.slot_id, school_id=registration.school_id,
        school_type=registration.school_type, district=registration.school_district_ags, field=offer.facts.field,
        state=registration.state, pupils=registration.group.pupils, attended=registration.pupils_attended or 0,
    )  # fmt: skip


async def _people(world: _World, schools: Sequence[School], companies: Sequence[Company]) -> None:
    people = [_person(world, n, schools[n % len(schools)].id, companies[n % len(companies)].id) for n in range(PEOPLE)]
    rows = ({**with_words("people", to_document(each)), "email_key": email_key(each.email)} for each in people)
    await _write(world.outreach.db.people, rows)


def _person(world: _World, n: int, school: str, company: str) -> Person:
    role = Role(kind="teacher", organisation_id=school)
    if n % 20 == 0:
        role = Role(kind="company", organisation_id=company)
    return Person(
        id=random_id(), name=f"Person {n} (Demo)", email=f"person{n}@schule.example", roles=(role,),
        erase_after=world.now + KEPT,
    )  # fmt: skip


async def _visits(world: _World, schools: Sequence[School], companies: Sequence[Company]) -> str:
    """Half of them confirmed; the demo's ambassador has ten of these."""
    person = from_document(Person, await _one(world.outreach.db.people, {"_id": world.own["ambassador_person"]}))
    row = await _one(world.outreach.db.ambassadors, {"_id": world.own["ambassador"]})
    ambassador = from_document(Ambassador, row)
    made = [_visit(world, n, schools[n % len(schools)], ambassador, person) for n in range(VISITS)]
    rows = ({**with_words("visits", to_document(each)), "rank": visits.rank(each)} for each in made)
    await _write(world.outreach.db.visits, rows)
    return next(visit.id for visit in made if visit.team)


def _visit(world: _World, n: int, school: School, ambassador: Ambassador, person: Person) -> Visit:
    day = world.now.date() + timedelta(days=10 + n % 90)
    starts = datetime.combine(day, time(10))
    date = PlannedDate(starts_local=starts, ends_local=starts + timedelta(minutes=90), zone=ZONE)
    own = n % 200 == 0
    member = Member(
        ambassador_id=ambassador.id, person_id=person.id, company_id=ambassador.company_id, answer="accepted"
    )
    return Visit(
        id=random_id(), campaign_id=world.campaign.id, school_id=school.id, district_ags=school.district_ags,
        field="M", grade=9, group_name="9a", pupils=24,
        contact=Contact(name=f"Lehrkraft {n} (Demo)", email=f"lehrkraft{n}@schule.example"),
        alternatives=(date,), state="confirmed" if n % 2 == 0 else "requested", chosen=date if n % 2 == 0 else None,
        team=(member,) if own else (), requested_at=world.now, erase_after=world.now + KEPT,
    )  # fmt: skip


async def _deliveries(world: _World, registrations: Sequence[Registration]) -> str:
    """Mails of the last four weeks: most sent, some refused, cancelled, and one in ten planned for the next weeks."""
    like = delivery_of(await _sent(world))
    made = [_delivery(world, like, registrations[n % len(registrations)], n) for n in range(DELIVERIES)]
    await _write(world.notify.db.deliveries, map(delivery_document, made))
    return next(each.key for each in made if each.state == "refused")


async def _sent(world: _World) -> Document:
    """A mail of the demo that was sent; a busy machine takes its time."""
    for _ in range(SENT_WITHIN * 5):
        found = await world.notify.db.deliveries.find_one({"kind": "registration_confirmed", "state": "sent"})
        if found:
            return found
        await asyncio.sleep(0.2)
    raise RuntimeError(f"no mail of the demo was sent within {SENT_WITHIN} seconds")


def _delivery(world: _World, like: Delivery, about: Registration, n: int) -> Delivery:
    planned = n % 10 == 0
    due = world.now + (timedelta(minutes=60 + n) if planned else -timedelta(minutes=n * 0.8))
    state: Any = "planned" if planned else "refused" if n % 500 == 1 else "cancelled" if n % 25 == 2 else "sent"
    tried = (Attempt(due, state, ""),) if state in ("sent", "refused") else ()
    to = replace(like.to, name=about.contact.name, email=about.contact.email)
    return replace(
        like, key=f"measured:{n}", to=to, about=f"registration:{about.id}", due_at=due, planned_at=due,
        gives_up_at=due + timedelta(days=30), erase_after=world.now + KEPT, message_id=random_id(), state=state,
        kind="slot_reminder" if planned else like.kind, priority=2 if planned else like.priority,
        reason="refused" if state == "refused" else "", sent_at=due if state == "sent" else None, attempts=tried,
        attempt_count=len(tried), lease_token="", calendar=None,
    )  # fmt: skip


def fill_now(mongodb_url: str, people: dict[str, str]) -> Filled:
    """The same for a program that has no loop."""
    return asyncio.run(fill(mongodb_url, people))
