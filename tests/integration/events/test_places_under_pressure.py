"""Several processes ask everything of one slot at once, for many random stories: the invariants of places hold."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.events.domain import commands as do
from services.events.domain.facts import TAKING, Slot
from services.events.store.documents import slot_document
from services.events.store.reconciliation import compare_slot
from services.events.store.store import Store
from services.events.usecases.upkeep import finish_left_behind
from shared.errors import RuleBroken
from shared.ids import random_id
from shared.mongo import Database
from tests.support.events_world import NOW, about, furnish, offer, register, slot

KINDS = ["register"] * 6 + ["cancel"] * 3 + ["resize"] * 3 + ["approve", "decline", "accept", "resize_slot"]
STEP = st.tuples(st.sampled_from(KINDS), st.integers(0, 40), st.integers(1, 25))
STORY = st.lists(STEP, min_size=20, max_size=60)
SLOT = st.builds(
    lambda places, groups, policy, approval: slot(
        places=places, groups=groups, waiting_list=policy, approval=approval
    ),
    st.integers(5, 80), st.integers(1, 10), st.sampled_from(["none", "strict_order", "next_that_fits"]),
    st.sampled_from(["automatic", "company"]),
)  # fmt: skip
PROCESSES = 3


@pytest.fixture
async def world(db: Database) -> Store:
    return await furnish(db)


async def tell(store: Store, held: Slot, steps: Sequence[tuple[str, int, int]]) -> None:
    """Carry out the steps in groups of ten at once, spread over processes that each have their own gatherer."""
    processes = [Store(store.db) for _ in range(PROCESSES)]
    for begin in range(0, len(steps), 10):
        ids = [row["_id"] async for row in store.db.registrations.find({"slot_id": held.id}, {"_id": 1})]
        asked = [_command(step, sorted(ids)) for step in steps[begin : begin + 10]]
        deciding = [processes[n % PROCESSES].decide(held.id, each) for n, each in enumerate(asked) if each]
        for outcome in await asyncio.gather(*deciding, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, RuleBroken):
                raise outcome
        await check(store, held.id)
    for process in processes:
        await process.places.close()


def _command(step: tuple[str, int, int], ids: list[str]) -> do.Command | None:
    kind, which, number = step
    if kind == "register":
        return register(f"{which}", number, school_id=f"school-{which % 5 + 1}")
    if kind == "resize_slot":
        return do.ResizeSlot(now=NOW, request_id=random_id(), places=number * 4, groups=which % 12 + 1)
    if not ids:
        return None
    facts = about(ids[which % len(ids)])
    makers: dict[str, Any] = {
        "cancel": lambda: do.Cancel(**facts, by="school"),
        "resize": lambda: do.Resize(**facts, pupils=number),
        "approve": lambda: do.Approve(**facts),
        "decline": lambda: do.Decline(**facts),
        "accept": lambda: do.Accept(**facts),
    }
    return makers[kind]()


async def check(store: Store, slot_id: str) -> None:
    """Never oversold, counters equal the rows, nobody waits for places that are free, one message per version."""
    assert await compare_slot(store.db, slot_id) == []
    held = await store.slot(slot_id)
    rows = await store.db.registrations.find({"slot_id": slot_id}).to_list(None)
    taking = sum(row["group"]["pupils"] for row in rows if row["state"] in TAKING)
    assert taking == held.taken <= held.places and held.groups_taken <= held.groups
    queue = sorted((r for r in rows if r["state"] == "waitlisted"), key=lambda row: row["position"])
    candidates = queue[:1] if held.waiting_list == "strict_order" else queue
    assert not any(held.fits(row["group"]["pupils"]) for row in candidates)
    about_rows = {"aggregate": {"$in": [f"registration:{row['_id']}" for row in rows]}}
    assert await store.db.outbox.count_documents(about_rows) == sum(row["version"] for row in rows)


async def test_places_hold_whatever_several_processes_ask_at_once(world: Store):
    loop = asyncio.get_running_loop()

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(SLOT, STORY)
    def holds(held: Slot, steps: list[tuple[str, int, int]]) -> None:
        asyncio.run_coroutine_threadsafe(_one_story(world, held, steps), loop).result()

    await asyncio.to_thread(holds)


async def _one_story(store: Store, held: Slot, steps: Sequence[tuple[str, int, int]]) -> None:
    own = replace(held, id=random_id())
    await store.db.slots.insert_one(slot_document(own, offer()))
    await tell(store, own, steps)


async def test_processes_that_die_in_the_middle_change_nothing_of_that(world: Store):
    """Every third batch's process dies after deciding; nobody sweeps until the end."""
    db = world.db
    await db.slots.insert_one(slot_document(slot(places=40, groups=20, waiting_list="next_that_fits"), offer()))
    died = 0
    for round_number in range(30):
        process = Store(db)
        if round_number % 3 == 0:
            process.places._carry_out = _dying(process.places._carry_out)
        commands = [register(f"{round_number}-{n}", n + 1, school_id=f"school-{n + 1}") for n in range(4)]
        ids = [row["_id"] async for row in db.registrations.find({}, {"_id": 1}).sort("_id", 1)]
        commands += [do.Cancel(**about(each), by="school") for each in ids[:: max(1, len(ids) // 3)][:3]]
        outcomes = await asyncio.gather(*(process.decide("slot-1", c) for c in commands), return_exceptions=True)
        died += any(isinstance(outcome, ProcessDied) for outcome in outcomes)
        assert await compare_slot(db, "slot-1") == []
    assert died == 10
    await finish_left_behind(Store(db), now=NOW.replace(year=2027))
    await check(world, "slot-1")


class ProcessDied(Exception):
    """Thrown where a test ends a process."""


def _dying(carry_out: Any) -> Any:
    """Carries out what others left behind, and dies before its own batch."""

    async def die_before_own(batch: Any) -> None:
        if "slots" not in batch:  # only a batch read from a slot has its facts apart
            raise ProcessDied
        await carry_out(batch)

    return die_before_own
