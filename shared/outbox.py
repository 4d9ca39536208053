"""Outbox: messages are written with the state they tell of, and only the relay publishes them.

Rows stay after publishing, so that a broker whose data is lost can be filled again from here.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from pymongo import UpdateOne

from shared.broker import Broker, BrokerUnavailable
from shared.ids import random_id
from shared.mongo import Database, Document, Session, StoreError, give_back_lease, hold_lease
from shared.schemas.base import Message

log = logging.getLogger(__name__)
BATCH = 500
LEASE_SECONDS = 10


def rows(messages: Sequence[Message]) -> list[Document]:
    """The outbox rows for `messages`, in their order."""
    return [
        {
            "_id": message.id,
            "order": ObjectId(),
            "subject": f"{message.SOURCE}.{message.type_name()}",
            "aggregate": message.aggregate,
            "wire": message.to_wire(),
            "written_at": datetime.now(UTC),
            "published": False,
        }
        for message in messages
    ]


async def add(db: Database, messages: Sequence[Message], session: Session) -> None:
    """Write `messages` in the transaction of `session`. A message that is there already fails the transaction."""
    if messages:
        await db.outbox.insert_many(rows(messages), session=session)


async def create_indexes(db: Database) -> None:
    """The relay finds what is unpublished at the same cost however much has been published."""
    await db.outbox.create_index("order", partialFilterExpression={"published": False}, name="unpublished")
    await db.outbox.create_index("stream_position", sparse=True)
    await db.outbox.create_index("aggregate")
    await db.outbox.create_index("written_at")


class Relay:
    """Publishes a service's outbox in its order. Many processes may run one; a lease lets one work at a time."""

    def __init__(self, db: Database, broker: Broker, source: str, poll_seconds: float = 0.25) -> None:
        self._db = db
        self._broker = broker
        self._source = source
        self._poll_seconds = poll_seconds
        self._holder = random_id()
        self._wake = asyncio.Event()
        self._lease_until = 0.0
        self._checked_until = 0.0

    def wake(self) -> None:
        """Say that something was written, so that it is published at once and not at the next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        try:
            while True:
                if not await self._turn():
                    await self._pause()
        finally:
            await give_back_lease(self._db, "relay", self._holder)

    async def _turn(self) -> int:
        try:
            if not self._broker.connected or not await self._leads():
                return 0
            await self._notice_lost_messages()
            return await self._publish_due()
        except (BrokerUnavailable, StoreError) as error:
            log.warning("relay of %s waits: %s", self._source, error)
            self._checked_until = 0.0
            await asyncio.sleep(self._poll_seconds)
            return 0

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), self._poll_seconds)
        except TimeoutError:
            return
        self._wake.clear()

    async def _leads(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._lease_until:
            return True
        if not await hold_lease(self._db, "relay", self._holder, LEASE_SECONDS):
            return False
        self._lease_until = now + LEASE_SECONDS / 3
        return True

    async def _publish_due(self) -> int:
        self._wake.clear()
        due = await self._db.outbox.find({"published": False}).sort("order", 1).limit(BATCH).to_list(BATCH)
        if not due:
            return 0
        await self._number(due)
        positions = await self._broker.publish(self._source, [(row["subject"], row["wire"]) for row in due])
        published = [
            UpdateOne(
                {"_id": row["_id"]},
                {"$set": {"published": True, "stream_position": position, "wire.sequence": row["wire"]["sequence"]}},
            )
            for row, position in zip(due, positions, strict=True)
            if position is not None
        ]
        if published:
            await self._db.outbox.bulk_write(published, ordered=False)
        if len(published) < len(due):
            raise BrokerUnavailable(f"{len(due) - len(published)} messages were not acknowledged")
        return len(due)

    async def _number(self, due: list[Document]) -> None:
        unnumbered = [row for row in due if "sequence" not in row["wire"]]
        if not unnumbered:
            return
        counter = await self._db.relay_state.find_one_and_update(
            {"_id": "sequence"}, {"$inc": {"last": len(unnumbered)}}, upsert=True
        )
        first = (counter or {}).get("last", 0) + 1
        for number, row in enumerate(unnumbered, first):
            row["wire"]["sequence"] = number

    async def _notice_lost_messages(self) -> None:
        """Publish again what the broker has lost: all that is kept when its stream is another one than before,
        the end when the stream is shorter than what it had acknowledged."""
        now = asyncio.get_running_loop().time()
        if now < self._checked_until:
            return
        stream = await self._broker.stream(self._source)
        known = await self._db.relay_state.find_one({"_id": "stream"}) or {}
        lost: Document = {"published": True}
        if known.get("created") == stream.created:
            lost["stream_position"] = {"$gt": stream.last_position}
        if known.get("created") != stream.created or await self._db.outbox.find_one(lost, {"_id": 1}):
            result = await self._db.outbox.update_many(lost, {"$set": {"published": False}})
            log.warning("the broker lost messages of %s: %d are published again", self._source, result.modified_count)
            await self._db.relay_state.update_one({"_id": "stream"}, {"$set": {"created": stream.created}}, upsert=True)
        self._checked_until = now + 2.0


async def forget_published(db: Database, older_than: timedelta) -> int:
    """Delete rows published longer ago than `older_than`; returns how many. Consumers had that long to miss them."""
    before = datetime.now(UTC) - older_than
    return (await db.outbox.delete_many({"published": True, "written_at": {"$lt": before}})).deleted_count
