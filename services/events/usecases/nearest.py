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

NOWHERE = 1e9
Position = tuple[float, datetime, str]


async def find_slots_nearest_first(store: Store, wanted: SlotFilter, *, now: datetime) -> ListOf[SlotView]:
    """Slots by distance (straight line) from `near_school`, then by time; those without a known place last. Anybody
    may look. SchoolUnknown without a school."""
    filter, home = await slot_query(store, wanted, now=now)
    if home is None:
        raise errors.SchoolUnknown
    steps: list[Document] = [
        {"$match": filter}, {"$set": {"far": _squared(home)}},
        *_beyond(_position(wanted.after)), {"$sort": {"far": 1, "starts_utc": 1, "_id": 1}},
        {"$limit": wanted.limit + 1}, {"$project": WITHOUT_PENDING},
    ]  # fmt: skip
    rows = await store.db.slots.aggregate(steps).to_list(None)
    near = [(row, _distance(row, home)) for row in rows]
    if wanted.max_km is not None:
        near = [(row, km) for row, km in near if km is not None and km <= wanted.max_km]
    shown = near[: wanted.limit]
    following = _cursor(shown[-1][0]) if len(rows) > wanted.limit and shown else None
    offers = await store.offers([row["offer_id"] for row, _ in shown])
    return ListOf(items=[slot_view(slot_of(row), offers[row["offer_id"]], km) for row, km in shown], next=following)


def _distance(row: Document, home: Point) -> float | None:
    known = row["lat"] is not None and row["lon"] is not None
    return round(distance_km(*home, row["lat"], row["lon"]), 1) if known else None


def _squared(home: Point) -> Document:
    """The squared distance in degrees of latitude: within a region it orders as the distance does."""
    north = {"$subtract": ["$lat", home[0]]}
    east = {"$multiply": [{"$subtract": ["$lon", home[1]]}, math.cos(math.radians(home[0]))]}
    return {"$ifNull": [{"$add": [{"$multiply": [north, north]}, {"$multiply": [east, east]}]}, NOWHERE]}


def _beyond(position: Position | None) -> list[Document]:
    if position is None:
        return []
    far, starts, slot_id = position
    later = {"far": far, "$or": [{"starts_utc": {"$gt": starts}}, {"starts_utc": starts, "_id": {"$gt": slot_id}}]}
    return [{"$match": {"$or": [{"far": {"$gt": far}}, later]}}]


def _cursor(row: Document) -> str:
    text = f"{row['far']!r}~{row['starts_utc'].isoformat()}~{row['_id']}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _position(text: str | None) -> Position | None:
    if text is None:
        return None
    try:
        far, moment, slot_id = base64.urlsafe_b64decode(text.encode()).decode().split("~", 2)
        return float(far), datetime.fromisoformat(moment).astimezone(UTC), slot_id
    except (ValueError, OverflowError, binascii.Error) as error:
        raise CursorUnknown from error
