"""What a broker may do to messages: bring them again, late, and in another order."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import nats
from pymongo import MongoClient

from shared.ids import random_id
from tests.faults.system import System

SOURCES = ("events", "outreach", "notify")
AT_ONCE, ROUNDS, PAUSE_SECONDS = 150, 6, 0.7


@dataclass(frozen=True)
class Repeat:
    """Messages told already, from any time, come again in any order, every other one under a new id of the broker."""

    name: str = "repeat messages"

    async def strike(self, system: System, random: Random) -> int:
        addresses = system.instance.addresses
        connection = await nats.connect(addresses["nats_url"], allow_reconnect=True)
        try:
            for _ in range(ROUNDS):
                await asyncio.sleep(PAUSE_SECONDS)
                rows = await asyncio.to_thread(_told, addresses["mongodb_url"])
                await _publish(connection, random.sample(rows, min(AT_ONCE, len(rows))))
        finally:
            await connection.close()
        return 0


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
