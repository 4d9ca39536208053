"""Taking places on a real MongoDB: many at once, several processes, and what a crash leaves behind."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from unittest.mock import AsyncMock

import pytest

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.store.reconciliation import compare_all
from services.events.store.store import Store
from services.events.usecases.slots import clear_cancelled_slot
from services.events.usecases.upkeep import expire_offers, finish_left_behind, reconcile
from shared.ids import random_id
from shared.mongo import Database
from tests.support.events_world import NOW, STARTS, about, furnish, offer, register, slot
from tests.support.waiting import until


class ProcessDied(Exception):
    """Thrown where a test ends a process."""


async def both(*things):
    return await asyncio.gather(*things, return_exceptions=True)


async def no_differences(db: Database) -> None:
    _, found = await compare_all(db)
    assert found == []


async def rows_by_state(db: Database) -> dict[str, int]:
    found = db.registrations.aggregate([{"$group": {"_id": "$state", "count": {"$sum": 1}}}])
    return {row["_id"]: row["count"] async for row in found}


async def outbox_types(db: Database) -> list[str]:
    return [row["wire"]["type"] async for row in db.outbox.find({}).sort("order", 1)]


async def test_what_is_decided_is_there_with_its_message(db: Database):
    store = await furnish(db, [slot()])
    woken = []
    store.written = lambda: woken.append(True)
    made = await store.decide("slot-1", register("9a", 10))
    assert (await store.registration(made.id)) == made
    assert (await store.slot("slot-1")).taken == 10
    assert await outbox_types(db) == ["RegistrationConfirmed.v1"]
    row = await db.outbox.find_one({})
    assert row["wire"]["data"]["registration"]["slot"]["offer"]["company_name"] == "Beispiel GmbH"
    assert row["aggregate"] == f"registration:{made.id}" and woken


async def test_a_slot_that_does_not_exist_is_not_found(db: Database):
    store = await furnish(db)
    with pytest.raises(errors.SlotNotFound):
        await store.decide("nowhere", register())


async def test_eighty_groups_of_25_fill_2000_places_exactly_from_three_processes(db: Database):
    await furnish(db, [slot(places=2000, groups=9999, waiting_list="none")])
    stores = [Store(db) for _ in range(3)]
    asked = [register(f"g{n}", 25, school_id=f"school-{n % 5 + 1}") for n in range(128)]
    answers = await both(*(stores[n % 3].decide("slot-1", command) for n, command in enumerate(asked)))
    refused = [answer for answer in answers if isinstance(answer, errors.SlotIsFull)]
    assert len(refused) == 48 and len(answers) - len(refused) == 80
    assert (await Store(db).slot("slot-1")).taken == 2000
    await no_differences(db)


async def test_the_same_request_at_the_same_time_in_two_processes_registers_once(db: Database):
    await furnish(db, [slot()])
    command = register("9a", 10)
    first, second = await asyncio.gather(*(Store(db).decide("slot-1", command) for _ in range(2)))
    assert first.id == second.id
    assert await db.registrations.count_documents({}) == 1 and await db.outbox.count_documents({}) == 1
    assert (await Store(db).slot("slot-1")).taken == 10


async def test_the_same_group_asked_by_two_people_in_two_processes_registers_once(db: Database):
    await furnish(db, [slot()])
    answers = await both(Store(db).decide("slot-1", register("9a")), Store(db).decide("slot-1", register("9 A")))
    assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyRegistered", "Registration"]


async def test_two_approvals_in_two_processes_say_it_once(db: Database):
    store = await furnish(db, [slot(approval="company")])
    made = await store.decide("slot-1", register())
    answers = await both(*(Store(db).decide("slot-1", do.Approve(**about(made))) for _ in range(2)))
    assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyConfirmed", "Registration"]
    assert (await outbox_types(db)).count("RegistrationConfirmed.v1") == 1


async def test_a_refusal_writes_nothing(db: Database):
    store = await furnish(db, [slot(places=10, waiting_list="none")])
    await store.decide("slot-1", register("9a", 10))
    await until(lambda: _forgotten(db))
    before = await db.slots.find_one({"_id": "slot-1"})
    with pytest.raises(errors.SlotIsFull):
        await store.decide("slot-1", register("9b", 10))
    assert await db.slots.find_one({"_id": "slot-1"}) == before


async def test_a_refusal_is_never_based_on_what_a_process_remembers(db: Database):
    here = await furnish(db, [slot(places=10, waiting_list="none")])
    elsewhere = Store(db)
    made = await here.decide("slot-1", register("9a", 10))
    await elsewhere.decide("slot-1", do.Cancel(**about(made), by="school"))
    assert (await here.decide("slot-1", register("9b", 10))).state == "confirmed"


async def test_places_given_back_in_one_process_are_offered_in_the_same_write(db: Database):
    here = await furnish(db, [slot(places=10)])
    made = await here.decide("slot-1", register("9a", 10))
    waiting = await Store(db).decide("slot-1", register("9b", 10))
    await here.decide("slot-1", do.Cancel(**about(made), by="school"))
    assert (await here.registration(waiting.id)).state == "offered"
    log = await db.waiting_list_log.find_one({"slot_id": "slot-1"})
    assert log["offered"] == [waiting.id]
    await no_differences(db)


@pytest.mark.parametrize("survivor", ["next command", "sweeper", "reader of the reconciliation"])
async def test_a_process_that_dies_between_deciding_and_carrying_out_loses_nothing(db: Database, survivor: str):
    dying = await furnish(db, [slot(places=20, waiting_list="next_that_fits")])
    first = await dying.decide("slot-1", register("8a", 10))
    await dying.places.close()
    dying.places._carry_out = AsyncMock(side_effect=ProcessDied)
    commands = [register("9a", 10, request_id="r1"), do.Cancel(**about(first), by="school"), register("9b", 5)]
    answers = await both(*(dying.decide("slot-1", command) for command in commands))
    assert all(isinstance(answer, ProcessDied) for answer in answers)
    assert await db.registrations.count_documents({}) == 1, "nothing was carried out"
    await no_differences(db)  # the decided batch counts

    if survivor == "next command":
        again = await Store(db).decide("slot-1", register("9a", 10, request_id="r1"))
        assert again.state == "confirmed", "the retried request finds what was decided"
    elif survivor == "sweeper":
        assert await finish_left_behind(Store(db), now=NOW + timedelta(seconds=2)) == 1
        assert await finish_left_behind(Store(db), now=NOW + timedelta(seconds=9)) == 0
    else:
        await finish_left_behind(Store(db), now=NOW, older_than=timedelta())
    assert await rows_by_state(db) == {"confirmed": 2, "cancelled": 1}
    assert sorted(await outbox_types(db)) == ["RegistrationCancelled.v1"] + ["RegistrationConfirmed.v1"] * 3
    await no_differences(db)


async def test_a_process_that_dies_half_way_through_carrying_out_says_everything_once(db: Database):
    dying = await furnish(db, [slot()])
    carry_out = dying.places._carry_out

    async def half(batch):
        await carry_out({**batch, "new": batch["new"][:1], "outbox": batch["outbox"][:2]})
        raise ProcessDied

    dying.places._carry_out = half
    await both(*(dying.decide("slot-1", register(name, 5)) for name in ("9a", "9b", "9c")))
    after = Store(db)
    await after.decide("slot-1", register("9d", 5))
    assert (await after.slot("slot-1")).waiting == 1  # three groups at most
    assert len(await outbox_types(db)) == 4 and await db.registrations.count_documents({}) == 4
    await no_differences(db)


async def test_carrying_out_an_old_batch_late_does_not_turn_back_what_came_after(db: Database):
    slow = await furnish(db, [slot()])
    carry_out, kept = slow.places._carry_out, []

    async def keep(batch):
        kept.append(batch)
        await carry_out(batch)

    slow.places._carry_out = keep
    made = await slow.decide("slot-1", register("9a", 5))
    await slow.decide("slot-1", do.Resize(**about(made), pupils=6))
    await Store(db).decide("slot-1", do.Resize(**about(made), pupils=8))
    for batch in kept:
        await carry_out(batch)
    assert (await slow.registration(made.id)).group.pupils == 8
    assert len(await outbox_types(db)) == 3


async def test_the_batch_is_forgotten_once_it_is_carried_out(db: Database):
    store = await furnish(db, [slot()])
    await store.decide("slot-1", register())
    await until(lambda: _forgotten(db))


async def _forgotten(db: Database) -> bool:
    return await db.slots.count_documents({"pending": {"$exists": True}}) == 0


async def test_a_slot_called_off_while_its_process_dies_is_cleared_by_the_sweeper(db: Database):
    store = await furnish(db, [slot(places=3000, groups=3000)])
    await asyncio.gather(*(store.decide("slot-1", register(f"g{n}", 1)) for n in range(250)))
    await store.decide("slot-1", do.CancelSlot(now=NOW, request_id="off", reason="Brand"))
    await store.decide("slot-1", do.ClearCancelledSlot(now=NOW, request_id=""))
    assert (await rows_by_state(db)) == {"confirmed": 150, "cancelled": 100}
    assert await finish_left_behind(Store(db), now=NOW) >= 1
    assert (await rows_by_state(db)) == {"cancelled": 250}
    assert (await outbox_types(db)).count("RegistrationCancelled.v1") == 250
    assert (await store.slot("slot-1")).taken == 0
    assert (await clear_cancelled_slot(store, "slot-1", now=NOW)).taken == 0
    assert await finish_left_behind(Store(db), now=NOW + timedelta(minutes=1)) == 0
    await no_differences(db)


async def test_offers_that_nobody_accepted_expire_and_the_next_is_offered_the_places(db: Database):
    store = await furnish(db, [slot(places=10)])
    holder = await store.decide("slot-1", register("9a", 10))
    first = await store.decide("slot-1", register("9b", 10))
    second = await store.decide("slot-1", register("9c", 10))
    await store.decide("slot-1", do.Cancel(**about(holder), by="school"))
    until_when = (await store.registration(first.id)).offer_expires_at
    assert await expire_offers(store, now=until_when - timedelta(seconds=1)) == 0
    await asyncio.gather(*(expire_offers(Store(db), now=until_when) for _ in range(3)))
    assert (await store.registration(first.id)).state == "expired"
    assert (await store.registration(second.id)).state == "offered"
    types = await outbox_types(db)
    assert types.count("OfferedPlacesExpired.v1") == 1 and types.count("PlacesOffered.v1") == 2
    await no_differences(db)


async def test_attendance_is_recorded_after_the_start(db: Database):
    store = await furnish(db, [slot()])
    made = await store.decide("slot-1", register())
    await store.decide("slot-1", do.Attend(**about(made, now=STARTS), came=True, pupils=9))
    assert (await store.registration(made.id)).pupils_attended == 9


async def test_a_pause_of_the_offer_counts_at_once_in_every_process(db: Database):
    store, other = await furnish(db, [slot()]), Store(db)
    await other.decide("slot-1", register("9a"))
    before = await store.offer("offer-1")
    facts = offer(state="paused").facts
    await store.change_offer(before, replace(before, facts=facts, version=2, last_request_id="p"), [])
    with pytest.raises(errors.OfferTakesNoBookings):
        await other.decide("slot-1", register("9b"))


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        ({"taken": 9}, "taken"),
        ({"groups_taken": 2}, "groups_taken"),
        ({"waiting": 1}, "waiting"),
        ({"places": 9}, "places oversold"),
    ],
)
async def test_the_reconciler_finds_a_wrong_counter(db: Database, spoil: dict[str, int], what: str):
    store = await furnish(db, [slot()])
    await store.decide("slot-1", register("9a", 10))
    await store.places.close()
    assert (await reconcile(store)).differences == []
    await db.slots.update_one({"_id": "slot-1"}, {"$set": spoil})
    assert what in [difference.what for difference in (await reconcile(store)).differences]


async def test_the_reconciler_finds_a_lost_and_a_doubled_registration(db: Database):
    store = await furnish(db, [slot()])
    made = await store.decide("slot-1", register("9a", 10))
    await store.places.close()
    row = await db.registrations.find_one({"_id": made.id})
    await db.registrations.insert_one({**row, "_id": random_id()})
    found = {difference.what for difference in (await reconcile(store)).differences}
    assert {"taken", "groups_taken", "registered twice"} <= found
    await db.registrations.delete_many({})
    assert [d.what for d in (await reconcile(store)).differences] == ["taken", "groups_taken"]


async def test_a_slot_that_cannot_be_read_keeps_no_other_from_being_finished(db: Database):
    dying = await furnish(db, [slot(id="broken"), slot(id="slot-2")])
    dying.places._carry_out = AsyncMock(side_effect=ProcessDied)
    await both(dying.decide("broken", register("9a")), dying.decide("slot-2", register("9b")))
    await db.slots.update_one({"_id": "broken"}, {"$unset": {"pending.outbox": ""}})
    await finish_left_behind(Store(db), now=NOW + timedelta(minutes=1))
    assert [row["slot_id"] async for row in db.registrations.find({})] == ["slot-2"]
