"""What pages show in one view: a person's own schools and companies, what waits for an answer, what comes next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from services.events.domain.facts import Slot
from services.events.store.documents import campaign_of, registration_of
from services.events.store.places import UNREAD
from services.events.store.store import Store
from services.events.usecases.results import (
    RegistrationView,
    SlotView,
    registration_view,
    slot_view,
)
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.mongo import Document
from shared.schemas.outreach import RoleKind

Phase = Literal["open", "not_yet", "closed", "paused", "withdrawn", "cancelled", "past"]


SLOTS_AT_ONCE = 10_000  # in one answer of the database, which else leaves a cursor open


@dataclass(frozen=True)
class Booking:
    """Whether a slot can be booked; `since` is the wall time from which it can, could, or no longer can."""

    phase: Phase
    since: datetime | None = None


@dataclass(frozen=True)
class Named:
    """Something to choose by its name."""

    id: str
    name: str
    about: Document


async def show_booking(store: Store, slot: SlotView, *, now: datetime) -> Booking:
    """Whether and from when this slot can be booked. Anybody may look."""
    if slot.state == "cancelled":
        return Booking("cancelled")
    if now >= slot.starts_at:
        return Booking("past")
    if slot.offer.state != "published":
        return Booking("withdrawn" if slot.offer.state == "withdrawn" else "paused")
    campaign = await store.campaign(slot.campaign_id)
    zone = ZoneInfo(slot.zone)
    if campaign and now < campaign.booking_from:
        return Booking("not_yet", campaign.booking_from.astimezone(zone).replace(tzinfo=None))
    if campaign and now >= campaign.closes_at:
        return Booking("closed", campaign.closes_at.astimezone(zone).replace(tzinfo=None))
    return Booking("open")


async def count_offered(store: Store, identity: Identity | None) -> int:
    """How many of the own schools' groups are offered places that somebody should accept."""
    schools = identity.organisations("teacher") if identity else []
    if not schools:
        return 0
    return await store.db.registrations.count_documents({"school_id": {"$in": schools}, "state": "offered"})


async def find_requests(store: Store, identity: Identity, most: int) -> tuple[list[RegistrationView], int]:
    """Registrations that wait for the own companies' approval, those with the earliest slots first, up to `most`; and
    how many wait in all."""
    filter: Document = {"state": "requested", **own_companies(identity)}
    by_slot = [{"$match": filter}, {"$group": {"_id": "$slot_id", "waiting": {"$sum": 1}}}]
    counted = await store.db.registrations.aggregate(by_slot, batchSize=SLOTS_AT_ONCE).to_list(None)
    slots = await store.earliest_slots([row["_id"] for row in counted], most)
    rows = await store.db.registrations.find({"slot_id": {"$in": list(slots)}, **filter}, UNREAD).to_list(None)
    rows.sort(key=lambda row: (slots[row["slot_id"]].starts_utc, row["_id"]))
    return await _with_these(store, rows[:most], slots), sum(row["waiting"] for row in counted)


async def find_own(store: Store, identity: Identity, kind: RoleKind) -> list[Named]:
    """The schools (kind teacher) or companies (kind company) for which this person acts, by name; for the coordinator
    all that are open."""
    collection, is_open = {"teacher": ("schools", "open"), "company": ("companies", "active")}[kind]
    own: Document = {} if identity.coordinates else {"_id": {"$in": identity.organisations(kind)}}
    rows = await store.db[collection].find({**own, is_open: True}).sort("name", 1).to_list(None)
    return [Named(row["_id"], row["name"], row) for row in rows]


async def find_schools_to_register(store: Store, identity: Identity, school_id: str = "") -> list[Named]:
    """The open schools whose classes this person may register, by name: the own ones, and for the coordinator the one
    chosen among all. For teachers and the coordinator."""
    if not (identity.coordinates or identity.has("teacher")):
        raise NotAllowed
    chosen = [school_id] if identity.coordinates and school_id else []
    mine: Document = {"_id": {"$in": [*identity.organisations("teacher"), *chosen]}, "open": True}
    rows = await store.db.schools.find(mine).sort("name", 1).to_list(None)
    return [Named(row["_id"], row["name"], row) for row in rows]


async def find_campaigns(store: Store, *, now: datetime) -> list[Named]:
    """Campaigns that have not ended, the earliest first. Anybody may look."""
    today = now.astimezone(ZoneInfo(store.zone)).date().isoformat()
    rows = await store.db.campaigns.find({"ends_on": {"$gte": today}}).sort("starts_on", 1).to_list(None)
    return [Named(row["_id"], campaign_of(row).name, row) for row in rows]


async def with_slots(store: Store, rows: list[Document]) -> list[RegistrationView]:
    """The registrations in these rows, each with its slot."""
    return await _with_these(store, rows, await store.slots([row["slot_id"] for row in rows]))


async def _with_these(store: Store, rows: list[Document], slots: Mapping[str, Slot]) -> list[RegistrationView]:
    found = [registration_of(row) for row in rows]
    offers = await store.offers([registration.offer_id for registration in found])
    views = {each.slot_id: slot_view(slots[each.slot_id], offers[each.offer_id]) for each in found}
    return [registration_view(each, views[each.slot_id]) for each in found]


def own_companies(identity: Identity) -> Document:
    """The filter for rows of the own companies; NotAllowed for somebody who has none."""
    if identity.coordinates:
        return {}
    if not identity.has("company"):
        raise NotAllowed
    return {"company_id": {"$in": identity.organisations("company")}}
