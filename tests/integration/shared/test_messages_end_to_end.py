"""The way of a message: outbox, relay, broker, dispatcher, inbox; with real servers that are killed and wiped."""

import asyncio
import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import pytest

from shared import inbox, outbox
from shared.broker import Broker
from shared.mongo import Database
from shared.schemas.outreach import CampaignChanged
from shared.workers import running
from tests.support.kernel import Counting, campaign, failed_delivery, ignore, receiving, sending, write
from tests.support.own_servers import OwnMongod, OwnNats
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.broker.RETRY_PAUSES", (0.05, 0.05, 0.05, 0.05, 0.05))
    monkeypatch.setattr("shared.inbox.RETRY_PAUSES", (0.05, 0.05, 0.05, 0.05, 0.05))


async def count(db: Database, **filter_: object) -> int:
    return await db.outbox.count_documents(filter_)


async def in_stream(own_nats: OwnNats, source: str = "outreach") -> list[dict]:
    """Every message that the broker keeps of `source`."""
    client = await nats.connect(own_nats.url)
    try:
        context = client.jetstream()
        last = (await context.stream_info(source)).state.last_seq
        return [json.loads((await context.get_msg(source, seq)).data) for seq in range(1, last + 1)]
    finally:
        await client.close()


async def publish_raw(own_nats: OwnNats, subject: str, body: bytes) -> None:
    client = await nats.connect(own_nats.url)
    try:
        await client.jetstream().publish(subject, body, headers={"content-type": "application/json"})
    finally:
        await client.close()


async def test_a_message_is_published_once_and_takes_effect_once(db: Database, other_db: Database, own_nats: OwnNats):
    counting = Counting(other_db)
    async with receiving(other_db, own_nats.url, {CampaignChanged: counting}), sending(db, own_nats.url) as relay:
        messages = [campaign(number) for number in range(20)]
        await write(db, *messages)
        relay.wake()
        await until(lambda: all_done(other_db, 20))
    assert await counting.effects() == {message.id: 1 for message in messages}
    assert counting.calls == 20
    stored = await in_stream(own_nats)
    assert [wire["id"] for wire in stored] == [message.id for message in messages], "the outbox's order is kept"
    assert [wire["sequence"] for wire in stored] == list(range(1, 21)), "numbered per source, without gaps"
    assert await count(db, published=True) == 20


async def all_done(db: Database, number: int) -> bool:
    return await db.effects.count_documents({}) >= number


async def test_a_message_of_a_transaction_that_failed_is_never_published(db: Database, own_nats: OwnNats):
    message = campaign()
    await write(db, message)
    with pytest.raises(Exception, match="duplicate key"):
        await write(db, campaign(2), message)
    async with sending(db, own_nats.url):
        await until(lambda: count(db, published=True))
        await write(db, campaign(3))
        await until(lambda: published(db, 2))
    assert [wire["id"] for wire in await in_stream(own_nats)] == [message.id, campaign(3).id]


async def test_a_message_is_kept_for_the_whole_time_after_it_was_published_last(db: Database, own_nats: OwnNats):
    old, week = datetime.now(UTC) - timedelta(days=8), timedelta(days=7)
    await write(db, campaign())
    await db.outbox.update_one({}, {"$set": {"written_at": old}})
    async with sending(db, own_nats.url) as relay:
        await until(lambda: db.outbox.find_one({"published": True}))
        assert await outbox.forget_published(db, week) == 0, "the broker was away for long"
        await db.outbox.update_one({}, {"$set": {"published_at": old, "published": False}})
        relay.wake()
        await until(lambda: db.outbox.find_one({"published": True}))
        assert await outbox.forget_published(db, week) == 0, "the broker had lost it"
        await db.outbox.update_one({}, {"$set": {"published_at": old}})
        assert await outbox.forget_published(db, week) == 1


async def test_a_message_that_comes_twice_takes_effect_once(db: Database, own_nats: OwnNats):
    counting = Counting(db)
    message = campaign()
    async with receiving(db, own_nats.url, {CampaignChanged: counting}):
        await until(lambda: streams(own_nats))
        body = json.dumps(message.to_wire()).encode()
        await publish_raw(own_nats, "outreach.CampaignChanged.v1", body)
        await publish_raw(own_nats, "outreach.CampaignChanged.v1", body)
        await until(lambda: counting.calls == 2)
    assert await counting.effects() == {message.id: 1}


async def test_what_a_wiped_broker_has_lost_is_published_again_and_takes_effect_once(
    db: Database, other_db: Database, own_nats: OwnNats
):
    counting = Counting(other_db)
    async with receiving(other_db, own_nats.url, {CampaignChanged: counting}), sending(db, own_nats.url) as relay:
        before = [campaign(number) for number in range(30)]
        await write(db, *before)
        await until(lambda: all_done(other_db, 30))
        own_nats.kill()
        own_nats.wipe()
        during = [campaign(number) for number in range(30, 60)]
        await write(db, *during)
        relay.wake()
        own_nats.start()
        await until(lambda: all_done(other_db, 60), 40)
        after = campaign(60)
        await write(db, after)
        relay.wake()
        await until(lambda: all_done(other_db, 61))
        await until(lambda: refilled(own_nats, 61), 40)
    assert await counting.effects() == {message.id: 1 for message in [*before, *during, after]}


async def refilled(own_nats: OwnNats, number: int) -> bool:
    return len({wire["id"] for wire in await in_stream(own_nats)}) == number


async def test_a_late_listener_still_gets_what_a_wiped_broker_had(db: Database, other_db: Database, own_nats: OwnNats):
    """What nobody had read yet when the broker lost its data must arrive as well."""
    async with sending(db, own_nats.url):
        await write(db, *[campaign(number) for number in range(10)])
        await until(lambda: published(db, 10))
        own_nats.kill()
        own_nats.wipe()
        own_nats.start()
        counting = Counting(other_db)
        async with receiving(other_db, own_nats.url, {CampaignChanged: counting}):
            await until(lambda: all_done(other_db, 10), 40)


async def test_messages_whose_places_in_the_stream_went_to_others_are_published_again(
    db: Database, own_nats: OwnNats, tmp_path: Path
):
    """A crash takes the stream's end, and new messages take those positions before anybody looked."""
    broker = Broker(own_nats.url, "outreach", [], ignore)
    relay = outbox.Relay(db, broker, "outreach")
    async with running({"broker": broker.run}):
        await until(lambda: broker.connected)
        await write(db, campaign(1))
        assert await relay._turn() == 1
        own_nats.kill()
        own_nats.copy_data_to(tmp_path / "before")
        own_nats.start()
        await write(db, campaign(2), campaign(4))
        await until(lambda: turned(relay, db))
        own_nats.kill()
        own_nats.put_data_back(tmp_path / "before")
        own_nats.start()
        await write(db, campaign(3))
        relay._checked_until = math.inf  # so quickly that the relay has not yet compared the stream again
        await until(lambda: turned(relay, db))
        ids = [wire["id"] for wire in await in_stream(own_nats)]
    assert sorted(ids) == sorted(campaign(number).id for number in (1, 2, 3, 4))


async def turned(relay: outbox.Relay, db: Database) -> bool:
    await relay._turn()
    return not await count(db, published=False)


async def test_the_end_of_the_stream_that_a_crash_took_is_published_again(
    db: Database, own_nats: OwnNats, tmp_path: Path
):
    """Nothing new is written; the relay notices by looking."""
    async with sending(db, own_nats.url):
        await write(db, campaign(1))
        await until(lambda: published(db, 1))
        own_nats.kill()
        own_nats.copy_data_to(tmp_path / "before")
        own_nats.start()
        await write(db, campaign(2))
        await until(lambda: published(db, 2))
        own_nats.kill()
        own_nats.put_data_back(tmp_path / "before")
        own_nats.start()
        await until(lambda: refilled(own_nats, 2), 40)


async def test_a_failing_handler_is_tried_again_then_set_aside_and_can_be_replayed(db: Database, own_nats: OwnNats):
    counting = Counting(db, broken=lambda message: message.aggregate == "campaign:1")
    async with receiving(db, own_nats.url, {CampaignChanged: counting}) as dispatcher, sending(db, own_nats.url):
        await write(db, campaign(1), campaign(2))
        await until(lambda: db.set_aside.find_one({"_id": campaign(1).id}))
        row = await db.set_aside.find_one({"_id": campaign(1).id})
        assert row["attempts"] == inbox.ATTEMPTS
        assert "ArithmeticError" in row["error"]
        assert await counting.effects() == {campaign(2).id: 1}, "the next one did not wait"
        with pytest.raises(ArithmeticError):
            await dispatcher.replay(campaign(1).id)
        assert (await db.set_aside.find_one({"_id": campaign(1).id}))["attempts"] == inbox.ATTEMPTS + 1
        counting.broken = lambda message: False
        await dispatcher.replay(campaign(1).id)
        await dispatcher.replay(campaign(1).id)
    assert await counting.effects() == {campaign(1).id: 1, campaign(2).id: 1}
    assert await db.set_aside.count_documents({}) == 0


UNREADABLE = [
    b"this is not JSON",
    b"[1, 2]",
    b"{}",
    b"\xff\xfe",
    b'{"type": "CampaignChanged.v1", "id": "1"}',
    b'{"type": "CampaignChanged.v1", "id": "2", "subject": "a", "aggregateversion": 1, '
    b'"time": "2026-11-02T08:00:00Z", "data": {}}',
    b'{"type": "CampaignChanged.v1", "id": "3", "subject": "a", "aggregateversion": 1, '
    b'"time": "2026-11-02T08:00:00Z", "data": []}',
    b'{"type": "CampaignChanged.v2", "id": "4", "data": {}}',
]


async def test_what_cannot_be_read_is_set_aside_at_once_and_blocks_nothing(db: Database, own_nats: OwnNats):
    counting = Counting(db)
    async with receiving(db, own_nats.url, {CampaignChanged: counting}), sending(db, own_nats.url):
        await until(lambda: streams(own_nats))
        for body in UNREADABLE:
            await publish_raw(own_nats, "outreach.CampaignChanged.v1", body)
        await write(db, campaign(1))
        await until(lambda: all_done(db, 1))
        await until(lambda: set_aside(db, len(UNREADABLE)))
    rows = await db.set_aside.find().to_list(None)
    assert len(rows) == len(UNREADABLE), "each of them, none over another"
    assert all(row["attempts"] == 1 for row in rows)


async def set_aside(db: Database, number: int) -> bool:
    return await db.set_aside.count_documents({}) >= number


async def streams(own_nats: OwnNats) -> bool:
    client = await nats.connect(own_nats.url)
    try:
        return bool(await client.jetstream().streams_info())
    finally:
        await client.close()


async def test_a_message_that_nobody_here_handles_is_passed_over(db: Database, own_nats: OwnNats):
    counting = Counting(db)
    listening = receiving(db, own_nats.url, {CampaignChanged: counting}, listens_to="notify")
    async with listening, sending(db, own_nats.url, "notify"):
        await write(db, failed_delivery())
        body = b'{"type": "SomethingNewer.v1", "id": "9", "data": {}}'
        await publish_raw(own_nats, "notify.SomethingNewer.v1", body)
        await until(lambda: nothing_pending(own_nats, "notify", 2))
    assert counting.calls == 0
    assert await db.set_aside.count_documents({}) == 0


async def nothing_pending(own_nats: OwnNats, source: str, said: int) -> bool:
    client = await nats.connect(own_nats.url)
    try:
        info = await client.jetstream().consumer_info(source, "events")
        return info.ack_floor.stream_seq == said
    finally:
        await client.close()


async def test_of_two_relays_one_publishes_at_a_time_and_the_other_takes_over(db: Database, own_nats: OwnNats):
    async with sending(db, own_nats.url) as first:
        await write(db, campaign(1))
        await until(lambda: count(db, published=True))
        async with sending(db, own_nats.url) as second:
            assert await db.leases.count_documents({"_id": "relay", "holder": first._holder}) == 1
            await write(db, *[campaign(number) for number in range(2, 50)])
            second.wake()
            await until(lambda: published(db, 49))
            assert not await second._leads()
    async with sending(db, own_nats.url):
        await write(db, campaign(50))
        await until(lambda: published(db, 50), 5)  # sooner than the first one's lease would have ended by itself
    assert [wire["sequence"] for wire in await in_stream(own_nats)] == list(range(1, 51))


async def published(db: Database, number: int) -> bool:
    return await count(db, published=True) == number


async def test_messages_wait_while_the_broker_is_away(db: Database, other_db: Database, own_nats: OwnNats):
    counting = Counting(other_db)
    own_nats.kill()
    broker = Broker(own_nats.url, "outreach", [], ignore)
    relay = outbox.Relay(db, broker, "outreach", poll_seconds=0.05)
    async with running({"broker": broker.run, "relay": relay.run}):
        await write(db, campaign(1))
        assert not broker.connected
        own_nats.start()
        await until(lambda: published(db, 1))
        async with receiving(other_db, own_nats.url, {CampaignChanged: counting}):
            await until(lambda: all_done(other_db, 1))
            own_nats.kill()
            await write(db, campaign(2))
            own_nats.start()
            await until(lambda: all_done(other_db, 2))
    assert await counting.effects() == {campaign(1).id: 1, campaign(2).id: 1}


async def test_a_store_that_is_killed_loses_no_message(
    db: Database, other_db: Database, own_nats: OwnNats, own_mongod: OwnMongod
):
    counting = Counting(other_db)
    messages = [campaign(number) for number in range(40)]
    async with receiving(other_db, own_nats.url, {CampaignChanged: counting}), sending(db, own_nats.url):
        await write(db, *messages)
        await until(lambda: counting.calls)
        await asyncio.to_thread(own_mongod.kill)
        await asyncio.to_thread(own_mongod.start)
        await until(lambda: all_done(other_db, 40), 60)
    assert await counting.effects() == {message.id: 1 for message in messages}
    assert await other_db.set_aside.count_documents({}) == 0
