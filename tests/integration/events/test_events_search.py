"""Finding slots by what a teacher looks for."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.events.domain.facts import Slot
from services.events.store.documents import slot_document
from services.events.usecases.inputs import SlotFilter
from services.events.usecases.search import find_slots
from shared.mongo import Database
from shared.region import distance_km
from tests.support.events_world import NOW, STARTS, furnish, offer, slot

HOME = (51.40, 8.07)


def later(number: int, **changes) -> Slot:
    start = STARTS + timedelta(days=number)
    return replace(slot(id=f"slot-{number:03}", starts_utc=start, ends_utc=start + timedelta(hours=3)), **changes)


async def ids(store, **wanted) -> list[str]:
    return [item.id for item in (await find_slots(store, SlotFilter(**wanted), now=NOW)).items]


async def test_slots_come_by_time_and_page_by_page(db: Database):
    store = await furnish(db, [later(n) for n in random.Random(1).sample(range(25), 25)])
    seen, after = [], None
    while True:
        page = await find_slots(store, SlotFilter(limit=7, after=after), now=NOW)
        seen += [item.id for item in page.items]
        after = page.next
        if after is None:
            break
    assert seen == [f"slot-{n:03}" for n in range(25)]


async def test_slots_of_the_same_moment_are_all_found(db: Database):
    store = await furnish(db, [later(0, id=f"same-{n}") for n in range(5)])
    first = await find_slots(store, SlotFilter(limit=2), now=NOW)
    rest = await find_slots(store, SlotFilter(limit=5, after=first.next), now=NOW)
    assert [item.id for item in first.items + rest.items] == [f"same-{n}" for n in range(5)]


async def test_the_filters_can_be_combined(db: Database):
    slots = [
        later(1), later(2, grades=(10,)), later(3, taken=28, groups_taken=1), later(4, groups_taken=3, taken=3),
        later(5, state="cancelled"), later(6, campaign_id="campaign-2"), later(7, company_id="company-2"),
    ]  # fmt: skip
    store = await furnish(db, slots)
    assert await ids(store, grade=9, free_places=5, campaign_id="campaign-1", company_id="company-1") == ["slot-001"]
    assert await ids(store, grade=10, free_places=3, to=date(2026, 12, 3)) == ["slot-001", "slot-002"]
    assert await ids(store, state="cancelled") == ["slot-005"]
    assert len(await ids(store, state="all")) == 7
    assert await ids(store, district="05966") == [] and len(await ids(store, district="05958")) == 6
    assert await ids(store, field="D") == []


async def test_days_are_whole_days_of_the_region(db: Database):
    midnight = slot().starts_utc.replace(hour=23)  # 2 December 00:00 in the region
    store = await furnish(db, [later(0), later(0, id="at-midnight", starts_utc=midnight)])
    assert await ids(store, to=date(2026, 12, 1)) == ["slot-000"]
    assert await ids(store, **{"from": date(2026, 12, 2)}) == ["at-midnight"]


async def test_bookable_slots_lie_ahead(db: Database):
    store = await furnish(db, [later(0), later(1, starts_utc=NOW - timedelta(hours=1))])
    assert await ids(store, state="bookable") == ["slot-000"]


async def test_only_slots_within_the_distance_are_found_over_many_pages(db: Database):
    store = await furnish(db)
    dice = random.Random(7)
    rows, near = [], []
    for number in range(200):
        lat, lon = HOME[0] + dice.uniform(-0.6, 0.6), HOME[1] + dice.uniform(-0.9, 0.9)
        made = later(number)
        rows.append({**slot_document(made, offer()), "lat": lat, "lon": lon})
        if round(distance_km(*HOME, lat, lon), 1) <= 30:
            near.append(made.id)
    await db.slots.insert_many(rows)
    seen, after = [], None
    while True:
        wanted = SlotFilter(near_school="school-1", max_km=30, limit=5, after=after)
        page = await find_slots(store, wanted, now=NOW)
        seen += page.items
        after = page.next
        if after is None:
            break
    assert [item.id for item in seen] == near and 20 < len(near) < 150
    assert max(item.distance_km for item in seen) <= 30


@pytest.mark.parametrize(
    "filter",
    [
        {"campaign_id": "c", "state": "open", "starts_utc": {"$gte": NOW}},
        {"state": "open", "starts_utc": {"$gte": NOW}},
        {"offer_id": "o"},
        {"company_id": "c"},
    ],
)
async def test_the_search_uses_an_index_and_sorts_nothing_in_memory(db: Database, filter):
    await furnish(db, [later(n) for n in range(5)])
    plan = await db.slots.find(filter).sort([("starts_utc", 1), ("_id", 1)]).explain()
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
    if "starts_utc" in filter:
        assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
