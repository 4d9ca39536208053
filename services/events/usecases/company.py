"""A company's side in one view: what needs an answer, who comes when, and its offers with their next dates."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from services.events.domain.facts import TAKING
from services.events.store.documents import offer_of, registration_of, slot_of
from services.events.store.places import UNREAD
from services.events.store.store import Store
from services.events.usecases.overview import find_requests, own_companies
from services.events.usecases.paging import cursor, cut
from services.events.usecases.results import (
    ListOf,
    OfferView,
    RegistrationView,
    SlotView,
    offer_view,
    registration_view,
    slot_view,
)
from shared.auth import Identity
from shared.mongo import Document

OFFERS_SHOWN = 20
SLOTS_SHOWN = 4
DATES_SHOWN = 20
NEXT_SHOWN = 5
REQUESTS_SHOWN = 20
CHECKED_SHOWN = 100


@dataclass(frozen=True)
class OfferWithSlots:
    """An offer with its next slots, and whether more are ahead."""

    offer: OfferView
    slots: list[SlotView]
    more: bool


@dataclass(frozen=True)
class Visitors:
    """One date with the groups that hold its places."""

    slot: SlotView
    groups: list[RegistrationView]

    @property
    def pupils(self) -> int:
        """How many pupils come."""
        return sum(each.group.pupils for each in self.groups)

    @property
    def adults(self) -> int:
        """How many adults come with them."""
        return sum(each.group.adults for each in self.groups)


@dataclass(frozen=True)
class Home:
    """What a company contact sees first."""

    requests: list[RegistrationView]
    requests_in_all: int
    sent_back: list[OfferView]
    submitted: list[OfferView]
    next_up: list[Visitors]
    more_visitors: bool


async def show_home(store: Store, identity: Identity, *, now: datetime) -> Home:
    """What needs an answer, what the coordinator sent back or looks at, and who comes next."""
    own = own_companies(identity)
    in_check = store.db.offers.find({**own, "check": {"$in": ["waiting", "sent_back"]}}).sort("created_at", 1)
    in_check_rows, coming, (requests, in_all) = await asyncio.gather(
        in_check.limit(CHECKED_SHOWN).to_list(CHECKED_SHOWN),
        find_visitors(store, identity, now=now, limit=NEXT_SHOWN),
        find_requests(store, identity, REQUESTS_SHOWN),
    )
    offers = [offer_view(offer_of(row), with_contact=True) for row in in_check_rows]
    return Home(
        requests=requests,
        requests_in_all=in_all,
        sent_back=[offer for offer in offers if offer.state == "sent_back"],
        submitted=[offer for offer in offers if offer.state == "submitted"],
        next_up=coming.items,
        more_visitors=coming.next is not None,
    )


async def find_offers_with_slots(
    store: Store, identity: Identity, *, now: datetime, after: str | None = None, withdrawn: bool = False,
    limit: int = OFFERS_SHOWN,
) -> ListOf[OfferWithSlots]:  # fmt: skip
    """The own companies' offers, the newest first, each with its next slots; all companies' for the coordinator."""
    state: Document = {"facts.state": "withdrawn" if withdrawn else {"$ne": "withdrawn"}}
    filter = store.beyond({**own_companies(identity), **state}, "created_at", cursor(after), latest_first=True)
    ahead = {"state": "open", "starts_utc": {"$gte": today(store, now)}}
    steps: list[Document] = [
        {"$match": filter}, {"$sort": {"created_at": -1, "_id": -1}}, {"$limit": limit + 1},
        {"$lookup": {"from": "slots", "localField": "_id", "foreignField": "offer_id", "as": "next", "pipeline": [
            {"$match": ahead}, {"$sort": {"starts_utc": 1}}, {"$limit": SLOTS_SHOWN + 1}, {"$project": {"pending": 0}},
        ]}},
    ]  # fmt: skip
    rows, following = cut(await store.db.offers.aggregate(steps).to_list(None), "created_at", limit)
    return ListOf(items=[_with_slots(row) for row in rows], next=following)


async def find_visitors(
    store: Store, identity: Identity, *, now: datetime, after: str | None = None, past: bool = False,
    limit: int = DATES_SHOWN,
) -> ListOf[Visitors]:  # fmt: skip
    """Dates of the own companies that groups hold places on, with those groups: from today on, or those before today,
    the latest first."""
    when = {"$lt": today(store, now)} if past else {"$gte": today(store, now)}
    held: Document = {**own_companies(identity), "state": "open", "groups_taken": {"$gt": 0}, "starts_utc": when}
    found = await store.page(store.db.slots, held, "starts_utc", limit, cursor(after), latest_first=past)
    rows, following = cut(found, "starts_utc", limit)
    slots = [slot_of(row) for row in rows]
    offers = await store.offers([slot.offer_id for slot in slots])
    views = [slot_view(slot, offers[slot.offer_id]) for slot in slots]
    groups = await _groups_on(store, views)
    dates = [Visitors(view, groups[view.id]) for view in views]
    return ListOf(items=dates, next=following)


async def find_last_offer(store: Store, identity: Identity, company_id: str) -> OfferView | None:
    """The offer that the company made last, whose place and contact are likely those of the next one."""
    identity.must_act_for_company(company_id)
    rows = (
        await store.db.offers.find({"company_id": company_id})
        .sort([("created_at", -1), ("_id", -1)])
        .limit(1)
        .to_list(1)
    )
    return offer_view(offer_of(rows[0]), with_contact=True) if rows else None


def today(store: Store, now: datetime) -> datetime:
    """When the region's present day began."""
    return datetime.combine(now.astimezone(ZoneInfo(store.zone)).date(), time(), ZoneInfo(store.zone))


async def _groups_on(store: Store, slots: list[SlotView]) -> dict[str, list[RegistrationView]]:
    on = {slot.id: slot for slot in slots}
    holding = {"slot_id": {"$in": list(on)}, "state": {"$in": sorted(TAKING - {"offered"})}}
    by_slot: dict[str, list[RegistrationView]] = defaultdict(list)
    for row in await store.db.registrations.find(holding, UNREAD).to_list(None):
        by_slot[row["slot_id"]].append(registration_view(registration_of(row), on[row["slot_id"]]))
    for groups in by_slot.values():
        groups.sort(key=lambda each: (each.school_name, each.group.name))
    return by_slot


def _with_slots(row: Document) -> OfferWithSlots:
    offer = offer_of(row)
    slots = [slot_view(slot_of(each), offer) for each in row["next"]]
    return OfferWithSlots(offer_view(offer, with_contact=True), slots[:SLOTS_SHOWN], len(slots) > SLOTS_SHOWN)
