"""What a broker may do to messages: bring them again, late, and in another order."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import nats
from nats.js.api import DiscardPolicy
from pymongo import MongoClient

from shared.broker import Ack, Broker, Stream, Wire
from shared.clock import FileClock
from shared.ids import random_id
from shared.mongo import Database, connect
from shared.outbox import LEASE_SECONDS, Relay
from shared.workers import end
from tests.faults.system import System

SOURCES = ("events", "outreach", "notify")
AT_ONCE, ROUNDS, PAUSE_SECONDS = 150, 6, 0.7
GATHERING_SECONDS = 0.8
SHUFFLING_SECONDS = (4.0, 7.0)
FULL_SECONDS = (2.0, 6.0)


@dataclass(frozen=True)
class Repeat:
    """Messages told already, from any time, come again in any order, every other one under a new id of the broker."""

    name: str = "repeat messages"

    async def strike(self, system: System, random: Random) -> int:
        addresses = system.instance.addresses
        connection = await nats.connect(addresses["nats_url"], max_reconnect_attempts=-1, error_cb=_quiet)
        try:
            for _ in range(ROUNDS):
                await asyncio.sleep(PAUSE_SECONDS)
                rows = await asyncio.to_thread(_told, addresses["mongodb_url"])
                await _publish(connection, random.sample(rows, min(AT_ONCE, len(rows))))
        finally:
            await connection.close()
        return 0


@dataclass(frozen=True)
class Shuffle:
    """For some seconds events' messages are held back, and come in another order than that in which they were told."""

    name: str = "shuffle messages"

    async def strike(self, system: System, random: Random) -> int:
        addresses = system.instance.addresses
        client = connect(addresses["mongodb_url"])
        broker = Broker(addresses["nats_url"], "events", (), _unheard)
        connecting = asyncio.create_task(broker.run())
        try:
            db = client.perspektive_events
            relay = Relay(db, _Shuffled(broker, random), "events", GATHERING_SECONDS)  # type: ignore[arg-type]
            await _take_over(db, relay._holder)
            relaying = asyncio.create_task(relay.run())
            await asyncio.sleep(random.uniform(*SHUFFLING_SECONDS))
            await end(relaying, 5)
        finally:
            await end(connecting, 5)
            client.close()
        return 0


@dataclass(frozen=True)
class Late:
    """Events' messages are held back while the clock of all services moves on by hours."""

    name: str = "messages late by hours"

    async def strike(self, system: System, random: Random) -> int:
        client = connect(system.instance.addresses["mongodb_url"])
        clock = FileClock(system.data / "clock.json")
        try:
            db, holder = client.perspektive_events, random_id()
            await _take_over(db, holder)
            await asyncio.sleep(random.uniform(1, 2))
            clock.forward(timedelta(hours=random.choice([2, 9, 26])))
            await _take_over(db, holder)
            await db.leases.delete_one({"_id": "relay", "holder": holder})
        finally:
            client.close()
        return 0


@dataclass(frozen=True)
class Full:
    """For some seconds the broker has no room for a message of events."""

    name: str = "broker full"

    async def strike(self, system: System, random: Random) -> int:
        connection = await nats.connect(system.instance.addresses["nats_url"], error_cb=_quiet)
        try:
            streams = connection.jetstream()
            roomy = (await streams.stream_info("events")).config
            await streams.update_stream(roomy.evolve(discard=DiscardPolicy.NEW, max_msgs=1))
            try:
                await asyncio.sleep(random.uniform(*FULL_SECONDS))
            finally:
                await streams.update_stream(roomy)
        finally:
            await connection.close()
        return 0


async def _take_over(db: Database, holder: str) -> None:
    """Take the relay's lease from whoever has it, and wait until that one has looked."""
    until = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS)
    await db.leases.update_one({"_id": "relay"}, {"$set": {"holder": holder, "until": until}}, upsert=True)
    await asyncio.sleep(LEASE_SECONDS / 3)


class _Shuffled:
    """A broker that takes what is published together one by one, in any order."""

    def __init__(self, broker: Broker, random: Random) -> None:
        self._broker = broker
        self._random = random

    @property
    def connected(self) -> bool:
        return self._broker.connected

    async def stream(self, source: str) -> Stream:
        return await self._broker.stream(source)

    async def publish(self, source: str, messages: Sequence[tuple[str, Wire]]) -> list[Ack | None]:
        acks: dict[int, Ack | None] = {}
        for number in self._random.sample(range(len(messages)), len(messages)):
            acks[number] = (await self._broker.publish(source, [messages[number]]))[0]
        return [acks[number] for number in range(len(messages))]


async def _unheard(wire: Wire, attempt: int) -> None:
    """It listens to nothing."""


async def _quiet(error: Exception) -> None:
    """Another fault may have hit the broker; the client tries again."""


def _told(mongodb_url: str) -> list[dict[str, Any]]:
    client: MongoClient[dict[str, Any]]
    with MongoClient(mongodb_url) as client:
        databases = [client[f"perspektive_{source}"] for source in SOURCES]
        return [row for db in databases for row in _newest(db)]


def _newest(db: Any) -> list[dict[str, Any]]:
    """Those of this run, and of runs before."""
    newest = db.outbox.find({"published": True}, {"subject": 1, "wire": 1}).sort("stream_position", -1)
    return list(newest.limit(4 * AT_ONCE))


async def _publish(connection: Any, rows: Sequence[dict[str, Any]]) -> None:
    for number, row in enumerate(rows):
        headers = {"Nats-Msg-Id": row["_id"] if number % 2 else random_id(), "content-type": "application/json"}
        await connection.publish(row["subject"], json.dumps(row["wire"], default=str).encode(), headers=headers)
    with suppress(TimeoutError, nats.errors.Error):  # another fault may have hit the broker
        await connection.flush(2)
