"""Finding a place: the list of slots, one slot, its registrations and its waiting list."""

import math
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.events.domain import errors
from services.events.domain.facts import UNPUBLISHED, Registration, Slot
from services.events.store.documents import registration_of, slot_of
from services.events.store.store import Store
from services.events.usecases.inputs import RegistrationFilter, SlotFilter
from services.events.usecases.offers import identity_may_ask, visible
from services.events.usecases.overview import with_slots
from services.events.usecases.paging import cursor, cursor_after
from services.events.usecases.registrations import find_registrations, own_rows
from services.events.usecases.results import (
    ListOf,
    RegistrationView,
    RunView,
    SkippedView,
    SlotView,
    WaitingListView,
    WaitingView,
    registration_view,
    slot_view,
)
from shared.auth import Identity
from shared.mongo import Document
from shared.region import distance_km

KM_PER_DEGREE = 111.2
LOG_SHOWN = 50
HIDDEN = sorted(UNPUBLISHED)
MOST = 500
Point = tuple[float, float]


async def find_slots(
    store: Store, wanted: SlotFilter, *, now: datetime, identity: Identity | None = None
) -> ListOf[SlotView]:
    """Slots by time. Anybody may look; those of an unpublished offer are for its company and the coordinator.

    `state=bookable` leaves out what is over, called off or paused.
    With `near_school` each slot has its distance (km, straight line); `max_km` leaves out what is farther away.
    """
    home = await _where(store, wanted.near_school) if wanted.near_school else None
    filter = {"$and": [_filter(wanted, home, store.zone, now), visible(identity, "offer_state", HIDDEN)]}
    rows: list[tuple[Document, float | None]] = []
    after, more = cursor(wanted.after), True
    while more and len(rows) <= wanted.limit:
        found = await store.page(store.db.slots, filter, "starts_utc", wanted.limit, after)
        more = len(found) > wanted.limit
        near = [(row, _distance(row, home)) for row in found]
        rows += [(row, km) for row, km in near if wanted.max_km is None or (km is not None and km <= wanted.max_km)]
        after = (found[-1]["starts_utc"], found[-1]["_id"]) if found else after
    shown = rows[: wanted.limit]
    following = cursor_after(shown[-1][0], "starts_utc") if len(rows) > wanted.limit else None
    offers = await store.offers([row["offer_id"] for row, _ in shown])
    return ListOf(items=[slot_view(slot_of(row), offers[row["offer_id"]], km) for row, km in shown], next=following)


async def slot_query(
    store: Store, wanted: SlotFilter, *, now: datetime, identity: Identity | None = None
) -> tuple[Document, Point | None]:
    """What to ask the slots for, and where the near school lies: distances are to be looked at afterwards. Slots of
    an unpublished offer are for its company and the coordinator."""
    home = await _where(store, wanted.near_school) if wanted.near_school else None
    return {"$and": [_filter(wanted, home, store.zone, now), visible(identity, "offer_state", HIDDEN)]}, home


def within_reach(row: Document, home: Point | None, max_km: float | None) -> bool:
    """Whether the row's point lies within `max_km` of `home`; any does when there is no such wish."""
    if max_km is None:
        return True
    km = _distance(row, home)
    return km is not None and km <= max_km


async def show_slot(
    store: Store, slot_id: str, near_school: str | None = None, identity: Identity | None = None
) -> SlotView:
    """One slot with its offer. Anybody may look once the offer is published."""
    rows = await store.db.slots.find({"_id": slot_id}, {"pending": 0}).to_list(1)
    if not rows:
        raise errors.SlotNotFound
    slot = slot_of(rows[0])
    offer = await store.offer(slot.offer_id)
    if offer is None:
        raise errors.OfferNotFound
    if offer.check and not _belongs(identity, slot):
        raise errors.SlotNotFound
    home = await _where(store, near_school) if near_school else None
    return slot_view(slot, offer, _distance(rows[0], home))


def _belongs(identity: Identity | None, slot: Slot) -> bool:
    return identity is not None and (identity.coordinates or identity.has("company", slot.company_id))


async def find_slot_registrations(
    store: Store, identity: Identity, slot_id: str, wanted: RegistrationFilter
) -> ListOf[RegistrationView]:
    """Who comes: all for the company and the coordinator, the own school's for a teacher."""
    identity_may_ask(identity)
    if await store.slot(slot_id) is None:
        raise errors.SlotNotFound
    return await find_registrations(store, identity, wanted.model_copy(update={"slot_id": slot_id}))


async def find_groups_in(
    store: Store, identity: Identity, slot_id: str, states: Sequence[str]
) -> list[RegistrationView]:
    """The registrations of a slot in these states, each state's in the order in which they came: who sees them is as
    for `find_slot_registrations`."""
    identity_may_ask(identity)
    if await store.slot(slot_id) is None:
        raise errors.SlotNotFound
    wanted = {"$and": [{"slot_id": slot_id, "state": {"$in": list(states)}}, own_rows(identity)]}
    rows = await store.page(store.db.registrations, wanted, "created_at", MOST * len(states), None)
    views = await with_slots(store, rows)
    return sorted(views, key=lambda each: states.index(each.state))


async def show_waiting_list(store: Store, identity: Identity, slot_id: str) -> WaitingListView:
    """Who waits, is offered places, or was skipped and why; for the company and the coordinator."""
    slot = await store.slot(slot_id)
    if slot is None:
        identity_may_ask(identity)
        raise errors.SlotNotFound
    identity.must_act_for_company(slot.company_id)
    waiting = await _in_state(store, slot_id, "waitlisted")
    offered = await _in_state(store, slot_id, "offered")
    log = await store.db.waiting_list_log.find({"slot_id": slot_id}).sort("slot_version", -1).to_list(LOG_SHOWN)
    return WaitingListView(
        slot_id=slot_id,
        policy=slot.waiting_list,
        waiting=[_waiting(registration, place, log) for place, registration in enumerate(waiting, 1)],
        offered=[registration_view(registration) for registration in offered],
        log=[_run(row) for row in log],
    )


async def _in_state(store: Store, slot_id: str, state: str) -> list[Registration]:
    found = store.db.registrations.find({"slot_id": slot_id, "state": state}).sort("position", 1)
    return [registration_of(row) for row in await found.to_list(None)]


def _waiting(registration: Registration, place: int, log: list[Document]) -> WaitingView:
    skips = [(row, each) for row in log for each in row["skipped"] if each["registration_id"] == registration.id]
    return WaitingView(
        registration=registration_view(registration, waiting_before=place - 1),
        place_in_line=place,
        last_skipped_at=skips[0][0]["at"] if skips else None,
        last_skipped_because=skips[0][1]["reason"] if skips else None,
        times_skipped=len(skips),
    )


def _run(row: Document) -> RunView:
    return RunView(
        at=row["at"],
        free=row["free"],
        free_groups=row["free_groups"],
        offered=row["offered"],
        skipped=[SkippedView(**each) for each in row["skipped"]],
        skipped_in_all=row["skipped_in_all"],
    )


async def _where(store: Store, school_id: str) -> Point | None:
    found = await store.db.schools.find_one({"_id": school_id}, {"lat": 1, "lon": 1})
    if found is None:
        raise errors.SchoolUnknown
    return (found["lat"], found["lon"]) if found["lat"] is not None and found["lon"] is not None else None


def _distance(row: Document, home: Point | None) -> float | None:
    if home is None or row["lat"] is None or row["lon"] is None:
        return None
    return round(distance_km(*home, row["lat"], row["lon"]), 1)


def _filter(wanted: SlotFilter, home: Point | None, zone: str, now: datetime) -> Document:
    given = {
        "campaign_id": wanted.campaign_id, "company_id": wanted.company_id, "offer_id": wanted.offer_id,
        "district_ags": wanted.district,
        "municipality_ags": wanted.municipality, "field": wanted.field,
        "grades": wanted.grade,
    }  # fmt: skip
    filter: Document = {name: value for name, value in given.items() if value}
    starts = _between(wanted, zone)
    if wanted.state == "bookable":
        filter |= {"state": "open", "offer_state": "published"}
        starts["$gte"] = max(starts.get("$gte", now), now)
    elif wanted.state != "all":
        filter["state"] = wanted.state
    if starts:
        filter["starts_utc"] = starts
    if wanted.free_places:
        filter |= {"free": {"$gte": wanted.free_places}, "free_groups": {"$gte": 1}}
    if home and wanted.max_km:
        filter |= _box(home, wanted.max_km)
    return filter


def _between(wanted: SlotFilter, zone: str) -> dict[str, datetime]:
    starts: dict[str, datetime] = {}
    if wanted.from_:
        starts["$gte"] = _midnight(wanted.from_, zone)
    if wanted.to:
        starts["$lt"] = _midnight(wanted.to + timedelta(days=1), zone)
    return starts


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))


def _box(home: Point, km: float) -> Document:
    """A rectangle around `home` that holds every point within `km`."""
    high = km / KM_PER_DEGREE * 1.01
    wide = high / math.cos(math.radians(home[0]))
    return {
        "lat": {"$gte": home[0] - high, "$lte": home[0] + high},
        "lon": {"$gte": home[1] - wide, "$lte": home[1] + wide},
    }
