"""Slots in the order of their distance from a school."""

import base64
import binascii
import math
from datetime import UTC, datetime

from services.events.domain import errors
from services.events.store.documents import slot_of
from services.events.store.store import WITHOUT_PENDING, Store
from services.events.usecases.inputs import SlotFilter
from services.events.usecases.paging import CursorUnknown
from services.events.usecases.results import ListOf, SlotView, slot_view
from services.events.usecases.search import Point, slot_query
from shared.mongo import Document
from shared.region import distance_km

OFFERS_AT_ONCE = 8
Position = tuple[float, str, datetime, str]  # kilometres, offer, start, slot: the order of the list


async def find_slots_nearest_first(store: Store, wanted: SlotFilter, *, now: datetime) -> ListOf[SlotView]:
    """Slots by distance (straight line) from `near_school`, those of one offer by time; those without a known place
    last. Anybody may look. SchoolUnknown without a school whose place is known.

    An offer's slots lie where it does: the offers are put in order, and only the nearest ones' slots are looked at.
    """
    filter, home = await slot_query(store, wanted, now=now)
    if home is None:
        raise errors.SchoolUnknown
    after = _position(wanted.after)
    offers = await _offers_by_distance(store, home, wanted.max_km)
    rest = [each for each in offers if after is None or each >= after[:2]]
    found: list[Position] = []
    size = OFFERS_AT_ONCE
    while rest and len(found) <= wanted.limit:
        batch, rest, size = rest[:size], rest[size:], size * 2
        positions = await _positions(store, filter, batch)
        found += [each for each in positions if after is None or each > after]
    shown = found[: wanted.limit]
    following = _cursor(shown[-1]) if len(found) > wanted.limit else None
    return ListOf(items=await _views(store, shown), next=following)


async def _offers_by_distance(store: Store, home: Point, max_km: float | None) -> list[tuple[float, str]]:
    place = {"lat": "$facts.place.lat", "lon": "$facts.place.lon"}
    steps = [{"$match": {"facts.state": "published"}}, {"$group": {"_id": place, "offers": {"$push": "$_id"}}}]
    far = []
    for row in await store.db.offers.aggregate(steps).to_list(None):
        kilometres = _kilometres(row["_id"], home)
        if max_km is None or kilometres <= max_km:
            far += [(kilometres, offer_id) for offer_id in row["offers"]]
    return sorted(far)


def _kilometres(place: Document, home: Point) -> float:
    lat, lon = place.get("lat"), place.get("lon")
    return math.inf if lat is None or lon is None else round(distance_km(*home, lat, lon), 1)


async def _positions(store: Store, filter: Document, offers: list[tuple[float, str]]) -> list[Position]:
    far = {offer_id: kilometres for kilometres, offer_id in offers}
    of_these = {"$and": [filter, {"offer_id": {"$in": sorted(far)}}]}
    rows = await store.db.slots.find(of_these, {"offer_id": 1, "starts_utc": 1}).to_list(None)
    return sorted((far[row["offer_id"]], row["offer_id"], row["starts_utc"], row["_id"]) for row in rows)


async def _views(store: Store, shown: list[Position]) -> list[SlotView]:
    ids = [slot_id for *_, slot_id in shown]
    rows = {row["_id"]: row async for row in store.db.slots.find({"_id": {"$in": ids}}, WITHOUT_PENDING)}
    offers = await store.offers([offer_id for _, offer_id, *_ in shown])
    return [
        slot_view(slot_of(rows[slot_id]), offers[offer_id], None if far == math.inf else far)
        for far, offer_id, _, slot_id in shown
        if slot_id in rows
    ]


def _cursor(position: Position) -> str:
    far, offer_id, starts, slot_id = position
    return base64.urlsafe_b64encode(f"{far!r}~{offer_id}~{starts.isoformat()}~{slot_id}".encode()).decode()


def _position(text: str | None) -> Position | None:
    if text is None:
        return None
    try:
        far, offer_id, moment, slot_id = base64.urlsafe_b64decode(text.encode()).decode().split("~", 3)
        return float(far), offer_id, datetime.fromisoformat(moment).astimezone(UTC), slot_id
    except (ValueError, OverflowError, binascii.Error) as error:
        raise CursorUnknown from error
