"""Registrations that are heard at the same time are planned in one transaction, as if each had come alone."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.notify.consumer import HANDLERS
from services.notify.usecases import planning
from shared import inbox
from shared.inbox import Dispatcher
from shared.mongo import Database, Document, is_conflict
from shared.schemas import events
from tests.support.notify_builders import NOW, registration, said, slot
from tests.support.notify_world import World, build_world

pytestmark = pytest.mark.processes_only
IDS = [f"reg{number}" for number in range(12)]
MESSAGES = {
    id: said(events.RegistrationConfirmed, registration("confirmed", id=id, slot=slot(slot_id=f"slot{n % 3}")))
    for n, id in enumerate(IDS)
}


@pytest.fixture
async def tried(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """What became of each shared transaction; the slots are known."""
    for number in range(3):
        known = slot(slot_id=f"slot{number}")
        await world.hear(events.SlotOpened.about(f"slot:slot{number}", 1, now=NOW, slot=known))
    await world.db.inbox.delete_many({})
    became: list[str] = []
    real = inbox.try_transaction

    async def noting(db: Database, work: Any) -> None:
        try:
            await real(db, work)
        except Exception as error:
            became.append("conflict" if is_conflict(error) else "undone")
            raise
        became.append("done")

    monkeypatch.setattr(inbox, "try_transaction", noting)
    yield became


async def hear_at_once(*worlds: World, ids: list[str] = IDS) -> list[BaseException | None]:
    """Every message to every process, all at the same time."""
    dispatchers = [Dispatcher(each.db, HANDLERS, each.context, each.clock) for each in worlds]  # type: ignore[arg-type]
    heard = [each.receive(MESSAGES[id].to_wire(), 1) for id in ids for each in dispatchers]
    return await asyncio.gather(*heard, return_exceptions=True)


async def content(world: World, collection: str) -> dict[str, Document]:
    """The documents without what differs from one time to the next."""
    rows = await world.db[collection].find({}, {"order": 0, "secret": 0, "handled_at": 0}).to_list(None)
    return {row.pop("_id"): row for row in rows}


async def test_what_is_planned_together_is_what_each_would_have_planned_alone(world: World, tried: list[str]) -> None:
    assert await hear_at_once(world) == [None] * 12
    assert tried == ["done"]
    written = ("deliveries", "registrations", "class_links", "inbox")
    together = {name: await content(world, name) for name in written}
    for name in written:
        await world.db[name].delete_many({})
    await world.hear(*MESSAGES.values())
    assert {name: await content(world, name) for name in written} == together
    assert len(together["deliveries"]) == 12 * 6


async def test_what_was_handled_before_is_left_out_and_the_others_are_planned(world: World, tried: list[str]) -> None:
    await world.hear(MESSAGES["reg3"])
    assert await hear_at_once(world) == [None] * 12
    assert await world.db.deliveries.count_documents({"kind": "registration_confirmed"}) == 24
    assert tried == ["done"], "all the others go together"


async def test_one_that_fails_holds_up_no_other(
    world: World, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = planning.plan_slot_reminders

    async def broken(planner: Any, facts: Any, session: Any) -> None:
        if facts.registration_id == "reg5":
            raise ArithmeticError
        await real(planner, facts, session)

    monkeypatch.setattr(planning, "plan_slot_reminders", broken)
    outcomes = await hear_at_once(world)
    assert [type(each).__name__ for each in outcomes if each] == ["TryAgain"]
    planned = set(await world.db.deliveries.distinct("about"))
    assert planned == {f"registration:{id}" for id in IDS if id != "reg5"}
    assert "undone" in tried and await world.db.registrations.find_one({"_id": "reg5"}) is None


async def test_two_processes_that_hear_the_same_at_the_same_time_plan_it_once(world: World, tried: list[str]) -> None:
    other = await build_world(world.db, world.server, clock=world.clock)
    assert await hear_at_once(world, other) == [None] * 24
    assert await world.db.deliveries.count_documents({"kind": "registration_confirmed"}) == 24
    assert await world.db.inbox.count_documents({}) == 12


async def test_what_was_handled_before_is_found_out_without_a_transaction(
    world: World, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the broker has lost its data and all that was told is told again; what is new among it takes effect."""
    await hear_at_once(world, ids=IDS[:8])
    tried.clear()
    alone: list[str] = []
    real = inbox.transaction

    async def noting(db: Database, work: Any) -> None:
        alone.append("done")
        await real(db, work)

    monkeypatch.setattr(inbox, "transaction", noting)
    assert await hear_at_once(world, ids=IDS[:8]) == [None] * 8
    assert (tried, alone) == ([], [])
    await hear_at_once(world)
    assert (tried, alone) == (["done"], [])
    assert await world.db.deliveries.count_documents({"kind": "registration_confirmed"}) == 2 * len(IDS)
