"""What pages show in one view: a person's own schools and companies, what waits for an answer, what comes next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from zoneinfo import ZoneInfo

from services.events.store.documents import campaign_of, registration_of
from services.events.store.store import Store
from services.events.usecases.inputs import OfferFilter, SlotFilter
from services.events.usecases.offers import find_offers
from services.events.usecases.results import (
    ListOf,
    OfferView,
    RegistrationView,
    SlotView,
    registration_view,
    slot_view,
)
from services.events.usecases.search import find_slots
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.mongo import Document
from shared.schemas.outreach import RoleKind

Phase = Literal["open", "not_yet", "closed", "paused", "withdrawn", "cancelled", "past"]
MOST_COMING = 500


@dataclass(frozen=True)
class Booking:
    """Whether a slot can be booked; `since` is the wall time from which it can, could, or no longer can."""

    phase: Phase
    since: datetime | None = None


@dataclass(frozen=True)
class OfferWithSlots:
    """An offer with its next slots, and how many slots are ahead."""

    offer: OfferView
    slots: list[SlotView]
    more: bool


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
        return Booking(slot.offer.state)
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


async def find_requests(store: Store, identity: Identity) -> list[RegistrationView]:
    """Registrations that wait for the own companies' approval, the earliest slot first."""
    filter: Document = {"state": "requested", **_own_companies(identity)}
    views = await with_slots(store, await store.db.registrations.find(filter).to_list(MOST_COMING))
    return sorted(views, key=lambda each: _slot(each).starts_at)


async def find_offers_with_slots(
    store: Store, identity: Identity, after: str | None, *, now: datetime, shown: int = 4
) -> ListOf[OfferWithSlots]:
    """The own companies' offers, all for the coordinator, each with its next `shown` slots; withdrawn ones last."""
    _own_companies(identity)
    companies = [None] if identity.coordinates else identity.organisations("company")
    offers, following = [], None
    for company_id in companies:
        found = await find_offers(store, identity, OfferFilter(company_id=company_id, limit=50, after=after))
        offers += found.items
        following = found.next if identity.coordinates else None
    offers.sort(key=lambda offer: offer.state == "withdrawn")
    return ListOf(items=[await _with_next_slots(store, offer, shown, now) for offer in offers], next=following)


async def find_own(store: Store, identity: Identity, kind: RoleKind) -> list[Named]:
    """The schools (kind teacher) or companies (kind company) for which this person acts, by name; for the coordinator
    all that are open."""
    collection, is_open = {"teacher": ("schools", "open"), "company": ("companies", "active")}[kind]
    own: Document = {} if identity.coordinates else {"_id": {"$in": identity.organisations(kind)}}
    rows = await store.db[collection].find({**own, is_open: True}).sort("name", 1).to_list(None)
    return [Named(row["_id"], row["name"], row) for row in rows]


async def find_campaigns(store: Store, *, now: datetime) -> list[Named]:
    """Campaigns that have not ended, the earliest first. Anybody may look."""
    today = now.astimezone(ZoneInfo(store.zone)).date().isoformat()
    rows = await store.db.campaigns.find({"ends_on": {"$gte": today}}).sort("starts_on", 1).to_list(None)
    return [Named(row["_id"], campaign_of(row).name, row) for row in rows]


async def _with_next_slots(store: Store, offer: OfferView, shown: int, now: datetime) -> OfferWithSlots:
    today = now.astimezone(ZoneInfo(store.zone)).date()
    wanted = SlotFilter(offer_id=offer.id, limit=shown, **{"from": today})
    found = await find_slots(store, wanted, now=now)
    return OfferWithSlots(offer, found.items, found.next is not None)


async def with_slots(store: Store, rows: list[Document]) -> list[RegistrationView]:
    """The registrations in these rows, each with its slot."""
    found = [registration_of(row) for row in rows]
    slots = await store.slots([registration.slot_id for registration in found])
    offers = await store.offers([registration.offer_id for registration in found])
    return [registration_view(each, slot_view(slots[each.slot_id], offers[each.offer_id])) for each in found]


def _slot(view: RegistrationView) -> SlotView:
    return cast(SlotView, view.slot)


def _own_companies(identity: Identity) -> Document:
    if identity.coordinates:
        return {}
    if not identity.has("company"):
        raise NotAllowed
    return {"company_id": {"$in": identity.organisations("company")}}
