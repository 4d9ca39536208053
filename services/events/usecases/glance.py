"""All slots that fit a search at one glance: how many where, and how many on which day. Anybody may look."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from services.events.store.store import Store
from services.events.usecases.inputs import SlotFilter
from services.events.usecases.search import slot_query, within_reach
from shared.mongo import Document

NAMED = 2
COUNTED: Document = {"dates": {"$sum": 1}, "free": {"$sum": {"$max": ["$free", 0]}}}
WHERE: Document = {"lat": {"$ifNull": ["$lat", None]}, "lon": {"$ifNull": ["$lon", None]}}


@dataclass
class Sum:
    """Dates, and the places that are free on them."""

    dates: int = 0
    free: int = 0


@dataclass(frozen=True)
class Named:
    """One slot of a day."""

    id: str
    starts_local: datetime
    title: str


@dataclass
class OfDay(Sum):
    """A day's sum, and its first slots."""

    first: list[Named] = field(default_factory=list)


async def count_by_municipality(store: Store, wanted: SlotFilter, *, now: datetime) -> dict[str, Sum]:
    """What fits `wanted`, by the key of the municipality; `""` for places outside the region."""
    sums: dict[str, Sum] = defaultdict(Sum)
    for row in await _grouped(store, wanted, now, {"key": {"$ifNull": ["$municipality_ags", ""]}}):
        _add(sums[row["_id"]["key"]], row)
    return dict(sums)


async def count_by_day(
    store: Store, wanted: SlotFilter, first: date, last: date, *, now: datetime
) -> dict[date, OfDay]:
    """What fits `wanted` from `first` to `last`, by local day, each with its first slots."""
    between = {"from_": max(wanted.from_ or first, first), "to": min(wanted.to or last, last)}
    named = {
        "$topN": {
            "n": NAMED, "sortBy": {"starts_utc": 1, "_id": 1},
            "output": {"id": "$_id", "offer_id": "$offer_id", "starts_local": "$starts_local"},
        },
    }  # fmt: skip
    day = {"key": {"$substrBytes": ["$starts_local", 0, 10]}}
    rows = await _grouped(store, wanted.model_copy(update=between), now, day, {"first": named})
    titles = await _titles(store, {each["offer_id"] for row in rows for each in row["first"]})
    days: dict[date, OfDay] = defaultdict(OfDay)
    for row in rows:
        held = days[date.fromisoformat(row["_id"]["key"])]
        _add(held, row)
        held.first += [_named(each, titles) for each in row["first"]]
    for held in days.values():
        held.first = sorted(held.first, key=lambda each: (each.starts_local, each.id))[:NAMED]
    return dict(days)


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of the month in which `day` lies."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


async def _grouped(store: Store, wanted: SlotFilter, now: datetime, key: Document, also: Document | None = None) -> Any:
    """Sums by `key`; with a wish for nearness also by point, as points that are too far must be left out."""
    query, home = await slot_query(store, wanted, now=now)
    by = {**key, **WHERE} if wanted.max_km else key
    pipeline = [{"$match": query}, {"$group": {"_id": by, **COUNTED, **(also or {})}}]
    rows = await store.db.slots.aggregate(pipeline).to_list(None)
    return [row for row in rows if within_reach(row["_id"], home, wanted.max_km)]


def _add(held: Sum, row: Document) -> None:
    held.dates += row["dates"]
    held.free += row["free"]


async def _titles(store: Store, offers: set[str]) -> dict[str, str]:
    rows = await store.db.offers.find({"_id": {"$in": sorted(offers)}}, {"facts.title": 1}).to_list(None)
    return {row["_id"]: row["facts"]["title"] for row in rows}


def _named(row: Document, titles: dict[str, str]) -> Named:
    return Named(row["id"], datetime.fromisoformat(row["starts_local"]), titles.get(row["offer_id"], ""))
