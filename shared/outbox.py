"""Outbox: messages are written with the state they tell of, and only the relay publishes them.

Rows stay after publishing, so that a broker whose data is lost can be filled again from here.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from pymongo import UpdateOne

from shared.broker import Ack, Broker, BrokerUnavailable
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
    await db.outbox.create_index("published_at", sparse=True)


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
        self._refused_until = 0.0
        self._checked_until = 0.0
        self._numbers: dict[str, int] = {}

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
            self._lease_until = 0.0
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
        if now < self._refused_until:
            return False
        if not await hold_lease(self._db, "relay", self._holder, LEASE_SECONDS):
            self._refused_until = now + self._poll_seconds
            return False
        self._lease_until = now + LEASE_SECONDS / 3
        return True

    async def _publish_due(self) -> int:
        self._wake.clear()
        due = await self._db.outbox.find({"published": False}).sort("order", 1).limit(BATCH).to_list(BATCH)
        if not due:
            return 0
        await self._number(due)
        acks = await self._broker.publish(self._source, [(row["subject"], row["wire"]) for row in due])
        published = [(row, ack) for row, ack in zip(due, acks, strict=True) if ack is not None]
        if published:
            await self._notice_taken_positions([ack.position for _, ack in published if not ack.repeated])
            await self._note_published(published)
        if len(published) < len(due):
            raise BrokerUnavailable(f"{len(due) - len(published)} messages were not acknowledged")
        return len(due)

    async def _note_published(self, published: list[tuple[Document, Ack]]) -> None:
        notes, now = [], datetime.now(UTC)
        for row, ack in published:
            sequence = row["wire"]["sequence"]
            facts = {"published": True, "published_at": now, "stream_position": ack.position, "wire.sequence": sequence}
            notes.append(UpdateOne({"_id": row["_id"]}, {"$set": facts}))
        await self._db.outbox.bulk_write(notes, ordered=False)
        for row, _ in published:
            self._numbers.pop(row["_id"], None)

    async def _number(self, due: list[Document]) -> None:
        """Give each row its number; one whose publishing failed keeps the number that it got then."""
        unnumbered = [row["_id"] for row in due if "sequence" not in row["wire"] and row["_id"] not in self._numbers]
        if unnumbered:
            counter = await self._db.relay_state.find_one_and_update(
                {"_id": "sequence"}, {"$inc": {"last": len(unnumbered)}}, upsert=True
            )
            first = (counter or {}).get("last", 0) + 1
            self._numbers.update(zip(unnumbered, range(first, first + len(unnumbered)), strict=True))
        for row in due:
            row["wire"].setdefault("sequence", self._numbers.get(row["_id"]))

    async def _notice_taken_positions(self, positions: list[int]) -> None:
        """Publish again what stood where the broker has just put other messages: it had lost its stream's end."""
        if positions:
            await self._publish_again({"published": True, "stream_position": {"$gte": min(positions)}})

    async def _publish_again(self, lost: Document) -> None:
        result = await self._db.outbox.update_many(lost, {"$set": {"published": False}})
        if result.modified_count:
            log.warning("the broker lost messages of %s: %d are published again", self._source, result.modified_count)

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
        await self._publish_again(lost)
        if known.get("created") != stream.created:
            await self._db.relay_state.update_one({"_id": "stream"}, {"$set": {"created": stream.created}}, upsert=True)
        self._checked_until = now + 2.0


async def forget_published(db: Database, older_than: timedelta) -> int:
    """Delete rows published longer ago than `older_than`; returns how many. Consumers had that long to miss them."""
    before = datetime.now(UTC) - older_than
    return (await db.outbox.delete_many({"published": True, "published_at": {"$lt": before}})).deleted_count
