"""A small world for tests of the service `events`: one campaign, a few schools, one company with an offer."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.events.domain import commands as do
from services.events.domain.facts import Campaign, Offer, Registration, School, Slot
from services.events.domain.ledger import Ledger
from services.events.store.documents import offer_document, slot_document
from services.events.store.store import COLLECTIONS, Store
from shared import outbox
from shared.auth import Identity
from shared.ids import derived_id, random_id
from shared.mongo import Database, create_collections
from shared.schemas.events import GroupFacts, OfferFacts, Place
from shared.schemas.outreach import Contact, Role
from shared.service import COLLECTIONS as COMMON_COLLECTIONS

NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
STARTS_LOCAL = datetime(2026, 12, 1, 9, 0)
STARTS = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
TEACHER_CONTACT = Contact(name="Erika Muster", email="erika.muster@schule.example")
COMPANY_CONTACT = Contact(name="Max Beispiel", email="max.beispiel@firma.example", phone="02931 000")


def campaign(**changes: Any) -> Campaign:
    """A campaign of autumn 2026 that takes bookings at NOW."""
    facts = Campaign(
        id="campaign-1",
        name="Muster-Kampagne",
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 12, 18),
        districts=("05958",),
        offers_from=NOW - timedelta(days=30),
        booking_from=NOW - timedelta(days=10),
        closes_at=NOW + timedelta(days=80),
    )
    return replace(facts, **changes)


def school(number: int = 1, **changes: Any) -> School:
    """An open school in the campaign's district."""
    facts = School(id=f"school-{number}", name=f"Musterschule {number}", school_type="15", district_ags="05958")
    return replace(facts, **changes)


def offer(requirements: Sequence[str] = (), state: Any = "published", **changes: Any) -> Offer:
    """A published offer for the grades 8 to 10."""
    facts = OfferFacts(
        offer_id="offer-1",
        campaign_id="campaign-1",
        company_id="company-1",
        company_name="Beispiel GmbH",
        title="Blick in die Werkhalle",
        description="Ein Vormittag in der Fertigung.",
        field="BAV",
        place=Place(
            name="Werk 1", street="Musterweg 1", postal_code="59821", town="Arnsberg", district_ags="05958",
            lat=51.39, lon=8.06,
        ),
        requirements=list(requirements),
        contact=COMPANY_CONTACT,
        reminder_days=[14, 2],
        state=state,
    )  # fmt: skip
    made = Offer(facts=facts, grades=(8, 9, 10), approval="automatic", waiting_list="strict_order", created_at=NOW)
    return replace(made, **changes)


def slot(**changes: Any) -> Slot:
    """An open slot of three hours on 1 December 2026 with 30 places for 3 groups."""
    facts = Slot(
        id="slot-1",
        offer_id="offer-1",
        campaign_id="campaign-1",
        company_id="company-1",
        starts_local=STARTS_LOCAL,
        ends_local=STARTS_LOCAL + timedelta(hours=3),
        zone="Europe/Berlin",
        starts_utc=STARTS,
        ends_utc=STARTS + timedelta(hours=3),
        places=30,
        groups=3,
        grades=(8, 9, 10),
    )
    return replace(facts, **changes)


def group(name: str = "9a", pupils: int = 10, grade: int = 9, adults: int = 1) -> GroupFacts:
    """A group of ten pupils of grade 9."""
    return GroupFacts(name=name, grade=grade, pupils=pupils, adults=adults)


def register(
    name: str = "9a", pupils: int = 10, *, school_id: str = "school-1", grade: int = 9, now: datetime = NOW,
    waitlist: bool = True, acknowledged: bool = True, request_id: str = "",
) -> do.Register:  # fmt: skip
    """The command to register a group."""
    asked = request_id or random_id()
    return do.Register(
        now=now, request_id=asked, registration_id=derived_id(asked, "registration"), school_id=school_id,
        group=group(name, pupils, grade), contact=TEACHER_CONTACT, acknowledged=acknowledged, waitlist=waitlist,
    )  # fmt: skip


def about(registration: Registration | str, *, now: datetime = NOW, request_id: str = "") -> dict[str, Any]:
    """What every command about a registration carries."""
    registration_id = registration if isinstance(registration, str) else registration.id
    return {"now": now, "request_id": request_id or random_id(), "registration_id": registration_id}


def ledger(
    held: Slot | None = None, *, offered: Offer | None = None, during: Campaign | None = None,
    schools: Sequence[School] | None = None, registrations: Sequence[Registration] = (),
) -> Ledger:  # fmt: skip
    """A ledger of the slot with everything in it."""
    known = schools if schools is not None else [school(number) for number in range(1, 6)]
    return Ledger.of(held or slot(), offered or offer(), during or campaign(), known, registrations)


async def furnish(
    db: Database, slots: Sequence[Slot] = (), *, schools: Sequence[School] | None = None,
    offered: Offer | None = None, during: Campaign | None = None,
) -> Store:  # fmt: skip
    """An empty database with the world's copies, its offer and `slots`; returns a store of it."""
    await create_collections(db, COMMON_COLLECTIONS + COLLECTIONS)
    await outbox.create_indexes(db)
    store = Store(db)
    await store.create_indexes()
    held = offered or offer()
    known = schools if schools is not None else [school(number) for number in range(1, 6)]
    await db.schools.insert_many([_school_row(each) for each in known])
    await db.companies.insert_one({"_id": "company-1", "name": "Beispiel GmbH", "active": True, "version": 1})
    await db.campaigns.insert_one(_campaign_row(during or campaign()))
    await db.offers.insert_one(offer_document(held, NOW + timedelta(days=400)))
    if slots:
        await db.slots.insert_many([slot_document(each, held) for each in slots])
    return store


def coordinator() -> Identity:
    """Somebody who may do everything."""
    return Identity("person-1", "person", "Kim Koordination", (Role(kind="coordinator", organisation_id="agency"),))


def teacher(school_id: str = "school-1") -> Identity:
    """A teacher of one school."""
    return Identity("person-2", "person", "Erika Muster", (Role(kind="teacher", organisation_id=school_id),))


def company(company_id: str = "company-1") -> Identity:
    """A contact of one company."""
    return Identity("person-3", "person", "Max Beispiel", (Role(kind="company", organisation_id=company_id),))


def _school_row(each: School) -> dict[str, Any]:
    return {
        "_id": each.id, "name": each.name, "school_type": each.school_type, "district_ags": each.district_ags,
        "open": each.open, "movable_days": [day.isoformat() for day in sorted(each.movable_days)],
        "lat": 51.40, "lon": 8.07, "version": 1,
    }  # fmt: skip


def _campaign_row(each: Campaign) -> dict[str, Any]:
    return {
        "_id": each.id, "name": each.name, "starts_on": each.starts_on.isoformat(),
        "ends_on": each.ends_on.isoformat(), "districts": list(each.districts), "offers_from": each.offers_from,
        "booking_from": each.booking_from, "closes_at": each.closes_at, "version": 1,
    }  # fmt: skip
