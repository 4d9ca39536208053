"""Need and supply as they are kept, against a fresh count, after whatever several processes did, some of which died."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.events.domain import commands as do
from services.events.domain.facts import Offer
from services.events.store.coverage import counted_afresh
from services.events.store.documents import offer_document, slot_document
from services.events.store.need import sums
from services.events.store.store import Store
from services.events.usecases.coverage import prove_need_and_supply
from services.events.usecases.offers import change_offer_state
from services.events.usecases.upkeep import erase_due, finish_left_behind
from shared.errors import RuleBroken
from shared.ids import random_id
from shared.mongo import Database
from tests.support.events_world import NOW, STARTS, STARTS_LOCAL, about, company, furnish, offer, register, school, slot

KINDS = [
    *["register"] * 8, "cancel", "cancel", "resize", "resize", "approve", "decline", "accept", "expire", "came",
    "missed", "resize_slot", "move_slot", "cancel_slot", "clear", "withdraw", "pause", "erase", "die", "read",
]  # fmt: skip
STORY = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 40), st.integers(1, 25)), min_size=10, max_size=32)
SCHOOLS = [school(1), school(2), school(3, district_ags="05966"), school(4, district_ags="05970"), school(5)]


@pytest.fixture
async def store(db: Database) -> Store:
    return await furnish(db, schools=SCHOOLS)


class ProcessDied(Exception):
    """Thrown where a test ends a process."""


async def agrees(store: Store) -> None:
    """What is kept is what is there."""
    for campaign_id in ("campaign-1", None):
        assert await sums(store.tally, campaign_id, ["05958"]) == await counted_afresh(store.db, campaign_id, ["05958"])


async def test_need_and_supply_as_kept_are_those_counted_afresh_whatever_happens(store: Store):
    loop = asyncio.get_running_loop()

    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(st.sampled_from(["automatic", "company"]), STORY)
    def holds(approval: Any, steps: list[tuple[str, int, int]]) -> None:
        asyncio.run_coroutine_threadsafe(_story(store, approval, steps), loop).result()

    await asyncio.to_thread(holds)


async def _story(store: Store, approval: Any, steps: Sequence[tuple[str, int, int]]) -> None:
    own = replace(offer(), approval=approval, facts=offer().facts.model_copy(update={"offer_id": random_id()}))
    await store.db.offers.insert_one(offer_document(own, NOW.replace(year=2028)))
    slots = [slot(id=random_id(), offer_id=own.id, approval=approval, places=40, groups=4) for _ in range(2)]
    await store.db.slots.insert_many([slot_document(each, own) for each in slots])
    processes = [Store(store.db) for _ in range(3)]
    for begin in range(0, len(steps), 8):
        ids = [row["_id"] async for row in store.db.registrations.find({"offer_id": own.id}, {"_id": 1}).sort("_id", 1)]
        doing = [
            _do(processes[n % 3], own, slots[step[1] % 2].id, step, ids)
            for n, step in enumerate(steps[begin : begin + 8])
        ]
        for outcome in await asyncio.gather(*doing, *(each.tally.count_up() for each in processes[:2])):
            assert outcome is None or isinstance(outcome, int)
        await finish_left_behind(store, now=NOW.replace(year=2027))
        await agrees(store)
    for process in processes:
        await process.places.close()


async def _do(store: Store, own: Offer, slot_id: str, step: tuple[str, int, int], ids: list[str]) -> None:
    kind, which, number = step
    try:
        if kind == "read":
            await sums(store.tally, None, ())
        elif kind == "erase":
            await erase_due(store, now=NOW)
        elif kind in ("withdraw", "pause"):
            state = "withdrawn" if kind == "withdraw" else "paused"
            await change_offer_state(store, company(), own.id, state, now=NOW, request_id=random_id())
        elif kind == "die":
            await _dying(Store(store.db)).decide(slot_id, register(f"d{which}", number, school_id="school-3"))
        elif command := _command(kind, which, number, ids):
            of = await store.registration(command.registration_id) if isinstance(command, do.OfRegistration) else None
            await store.decide(of.slot_id if of else slot_id, command)
    except (RuleBroken, ProcessDied):
        pass


def _command(kind: str, which: int, number: int, ids: list[str]) -> do.Command | None:
    of_slot = {"now": NOW, "request_id": random_id()}
    if kind == "register":
        return register(f"{which}", number, school_id=f"school-{which % 5 + 1}")
    if kind == "resize_slot":
        return do.ResizeSlot(**of_slot, places=number * 4, groups=which % 12 + 1)
    if kind == "cancel_slot":
        return do.CancelSlot(**of_slot, reason="Kurzarbeit")
    if kind == "clear":
        return do.ClearCancelledSlot(**of_slot)
    if kind == "move_slot":
        day, later = 1 + which % 14, {"month": 11, "day": 1 + which % 14}
        starts = STARTS.replace(**later)
        return do.MoveSlot(
            **of_slot, starts_local=STARTS_LOCAL.replace(month=11, day=day), zone="Europe/Berlin",
            ends_local=STARTS_LOCAL.replace(month=11, day=day, hour=12), starts_utc=starts,
            ends_utc=starts.replace(hour=11), reason="",
        )  # fmt: skip
    return _of_registration(kind, number, ids[which % len(ids)]) if ids else None


def _of_registration(kind: str, number: int, id: str) -> do.Command:
    facts = about(id)
    late = {**facts, "now": STARTS}
    makers: dict[str, Any] = {
        "cancel": lambda: do.Cancel(**facts, by="school"),
        "resize": lambda: do.Resize(**facts, pupils=number),
        "approve": lambda: do.Approve(**facts),
        "decline": lambda: do.Decline(**facts),
        "accept": lambda: do.Accept(**facts),
        "expire": lambda: do.Expire(**{**facts, "now": NOW.replace(month=11)}),
        "came": lambda: do.Attend(**late, came=True, pupils=number),
        "missed": lambda: do.Attend(**late, came=False, pupils=0),
    }
    return makers[kind]()


def _dying(store: Store) -> Store:
    """A process that dies after its decision, before it is carried out."""
    carry_out = store.places._carry_out

    async def die(batch: Any) -> None:
        if "slots" not in batch:  # only a batch read from a slot has its facts apart
            raise ProcessDied
        await carry_out(batch)

    store.places._carry_out = die
    return store


async def test_a_database_from_before_is_counted_at_once(store: Store):
    await store.db.slots.insert_one(slot_document(slot(), offer()))
    await store.decide("slot-1", register("9a", 10))
    await store.db.slots.update_many({}, {"$unset": {"counted": ""}})
    await store.create_indexes()
    assert (await sums(store.tally, None, ())).total.taken == 10


async def test_another_version_counts_everything_from_the_start(store: Store, monkeypatch):
    await store.db.slots.insert_one(slot_document(slot(), offer()))
    await agrees(store)
    monkeypatch.setattr("services.events.store.need.VERSION", 2)
    newer = Store(store.db)
    await newer.create_indexes()
    assert (await sums(newer.tally, None, ())).total.offered == 30
    await agrees(newer)


async def test_what_was_written_without_a_note_is_found_and_counted_anew(store: Store):
    await store.db.slots.insert_one(slot_document(slot(), offer()))
    assert await prove_need_and_supply(store)
    await store.db.slots.update_one({"_id": "slot-1"}, {"$set": {"places": 12}})
    assert not await prove_need_and_supply(store)
    assert await prove_need_and_supply(store)
    assert (await sums(store.tally, None, ())).total.offered == 12
