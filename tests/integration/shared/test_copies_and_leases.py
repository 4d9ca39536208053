"""Copies of foreign facts, leases, and the notes of the inbox, on a real MongoDB."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared import inbox, outbox
from shared.mongo import (
    AlreadyThere,
    Database,
    Session,
    create_collections,
    give_back_lease,
    hold_lease,
    put_if_newer,
    relaxed,
    transaction,
)
from shared.schemas.outreach import CampaignChanged
from tests.support.kernel import campaign, write
from tests.support.waiting import until


async def test_an_older_or_repeated_copy_changes_nothing(db: Database):
    assert await put_if_newer(db.copies, "a", 2, {"name": "two"})
    assert not await put_if_newer(db.copies, "a", 1, {"name": "one"})
    assert not await put_if_newer(db.copies, "a", 2, {"name": "two again"})
    assert await put_if_newer(db.copies, "a", 3, {"name": "three"})
    assert await db.copies.find_one({"_id": "a"}) == {"_id": "a", "name": "three", "version": 3}


async def test_of_versions_that_arrive_together_the_newest_stays(db: Database):
    """The first two writes of a key race for the insert; the loser may be the newer one."""
    await create_collections(db, ["copies"])
    for key in range(150):
        await asyncio.gather(*(put_if_newer(db.copies, str(key), version, {}) for version in (1, 2, 3)))
    assert await db.copies.count_documents({"version": 3}) == 150


async def test_of_versions_that_arrive_together_in_transactions_the_newest_stays(db: Database):
    await create_collections(db, ["copies"])

    async def put(key: str, version: int) -> None:
        async def work(session: Session) -> None:
            await put_if_newer(db.copies, key, version, {}, session)

        await transaction(db, work)

    for key in range(15):
        await asyncio.gather(*(put(str(key), version) for version in (1, 2, 3)))
    assert await db.copies.count_documents({"version": 3}) == 15


async def test_a_lease_belongs_to_one_holder_until_it_ends_or_is_given_back(db: Database):
    assert await hold_lease(db, "job", "first", 60)
    assert not await hold_lease(db, "job", "second", 60)
    assert await hold_lease(db, "job", "first", 0.01), "the holder may keep it"
    await until(lambda: hold_lease(db, "job", "second", 60))
    await give_back_lease(db, "job", "first")
    assert not await hold_lease(db, "job", "first", 60), "only the holder gives it back"
    await give_back_lease(db, "job", "second")
    assert await hold_lease(db, "job", "first", 60)


async def test_an_effect_that_fails_leaves_no_note_and_is_done_at_the_next_try(db: Database):
    message, tries = campaign(), []

    async def effect(session: Session) -> None:
        await db.effects.insert_one({"_id": len(tries)}, session=session)
        tries.append(1)
        if len(tries) == 1:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await inbox.once(db, message, "x", effect)
    assert await db.effects.count_documents({}) == 0
    assert await inbox.once(db, message, "x", effect)
    assert not await inbox.once(db, message, "x", effect)
    assert await inbox.once(db, message, "another handler", effect)
    assert await db.effects.count_documents({}) == 2


async def test_an_effects_own_duplicate_is_not_taken_for_a_repeated_message(db: Database):
    await db.effects.insert_one({"_id": "there"})

    async def effect(session: Session) -> None:
        await db.effects.insert_one({"_id": "there"}, session=session)

    with pytest.raises(AlreadyThere):
        await inbox.once(db, campaign(), "x", effect)


async def test_the_same_message_handled_at_the_same_time_takes_effect_once(db: Database):
    async def effect(session: Session) -> None:
        await db.effects.update_one({"_id": "n"}, {"$inc": {"times": 1}}, upsert=True, session=session)

    done = await asyncio.gather(*(inbox.once(db, campaign(), "x", effect) for _ in range(8)))
    assert sorted(done) == [False] * 7 + [True]
    assert (await db.effects.find_one({"_id": "n"}))["times"] == 1


async def test_only_old_notes_and_old_published_messages_are_forgotten(db: Database):
    old = datetime.now(UTC) - timedelta(days=8)
    await write(db, *[campaign(number) for number in range(3)])
    await db.outbox.update_many({"_id": {"$in": [campaign(0).id, campaign(1).id]}}, {"$set": {"published_at": old}})
    await db.outbox.update_one({"_id": campaign(0).id}, {"$set": {"published": True}})
    assert await outbox.forget_published(db, timedelta(days=7)) == 1
    assert await db.outbox.count_documents({}) == 2, "what was never published is never forgotten"
    await db.inbox.insert_many([{"_id": "old", "handled_at": old}, {"_id": "new", "handled_at": datetime.now(UTC)}])
    assert await inbox.forget_handled(db, timedelta(days=7)) == 1
    assert [row["_id"] async for row in db.inbox.find()] == ["new"]


async def test_a_relaxed_write_can_be_read_at_once(db: Database):
    notes = relaxed(db.notes)
    for number in range(300):
        await notes.insert_one({"_id": number})
        assert await notes.find_one({"_id": number}), "reads of the majority may lag behind"


async def test_what_is_written_to_the_outbox_can_be_read_as_the_message(db: Database):
    await write(db, campaign())
    row = await db.outbox.find_one({"_id": campaign().id})
    assert CampaignChanged.from_wire(row["wire"]) == campaign()
    assert row["subject"] == "outreach.CampaignChanged.v1"
