"""What may happen around the services: a mail server's moods, a cut wire, a clock that jumps, a store that refuses."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect

from deploy.local.demo.client import Client
from shared.clock import FileClock
from tests.faults.system import SECOND, System

SECONDS = (2.0, 6.0)
STORE_SECONDS = 60.0
SET_ASIDE, SET_ASIDE_SECONDS = "/notify/api/v1/messages", 240.0


@dataclass(frozen=True)
class Mood:
    """The mail server is slow, refuses everything for now (451), or whom it sees for the first time (450)."""

    mood: str

    @property
    def name(self) -> str:
        return f"mail {self.mood}"

    async def strike(self, system: System, random: Random) -> int:
        system.mail_server.mood = self.mood
        try:
            await asyncio.sleep(random.uniform(*SECONDS))
        finally:
            system.mail_server.mood = "well"
        return 0


@dataclass(frozen=True)
class MailServerDies:
    """All its connections break, and it is away for some seconds."""

    name: str = "mail server dead"

    async def strike(self, system: System, random: Random) -> int:
        server, before = system.mail_server, system.mail_server.unanswered
        await asyncio.to_thread(system.background.do, server.die())
        await asyncio.sleep(random.uniform(*SECONDS))
        await asyncio.to_thread(system.background.do, server.start())
        return server.unanswered - before


@dataclass(frozen=True)
class Cut:
    """Nothing passes between the second process and its store or broker; later it does, or over new ones."""

    wire: str

    @property
    def name(self) -> str:
        return f"cut {SECOND} from {self.wire}"

    async def strike(self, system: System, random: Random) -> int:
        wire = system.wires[self.wire]
        await asyncio.to_thread(system.background.do, wire.cut())
        await asyncio.sleep(random.uniform(*SECONDS))
        await asyncio.to_thread(system.background.do, wire.mend(broken=random.random() < 0.5))
        return 0


@dataclass(frozen=True)
class Jump:
    """The clock of all services moves forward by hours or days, several times."""

    name: str = "clock jumps"

    async def strike(self, system: System, random: Random) -> int:
        clock = FileClock(system.data / "clock.json")
        for _ in range(3):
            clock.forward(timedelta(hours=random.choice([1, 7, 30, 50])))
            await asyncio.sleep(random.uniform(0.5, 2))
        return 0


@dataclass(frozen=True)
class StoreRefuses:
    """The database of notify refuses what it is to keep of some groups: its consumer fails on their messages."""

    name: str = "consumer fails"

    async def strike(self, system: System, random: Random) -> int:
        some = "".join(random.sample("0123456789", 3))
        await asyncio.to_thread(_refuse, system, {"facts.group.name": {"$not": {"$regex": f"[{some}]$"}}})
        try:
            await asyncio.sleep(random.uniform(*SECONDS))
        finally:
            await asyncio.to_thread(_refuse, system, {})
        return 0


@dataclass(frozen=True)
class Poison:
    """The same until some messages were set aside; then it is mended, and an operator has them handled again."""

    name: str = "poison"

    async def strike(self, system: System, random: Random) -> int:
        some = "".join(random.sample("0123456789", 3))
        await asyncio.to_thread(_refuse, system, {"facts.group.name": {"$not": {"$regex": f"[{some}]$"}}})
        key = (system.data / "coordinator-api-key").read_text().strip()
        try:
            async with Client(system.doors[0], key) as client:
                await _until_set_aside(client)
                await asyncio.to_thread(_refuse, system, {})
                replayed = (await client.post(f"{SET_ASIDE}/replay")).ok()
                assert replayed["worked"] and not replayed["failed"], replayed
        finally:
            await asyncio.to_thread(_refuse, system, {})
        return 0


async def _until_set_aside(client: Client) -> None:
    """Six attempts take 156 seconds."""
    deadline = time.monotonic() + SET_ASIDE_SECONDS
    while not (await client.get(SET_ASIDE))["total"]:
        assert time.monotonic() < deadline, "nothing was set aside"
        await asyncio.sleep(0.5)


def _refuse(system: System, validator: dict[str, Any]) -> None:
    deadline = time.monotonic() + STORE_SECONDS
    client: MongoClient[dict[str, Any]]
    with MongoClient(system.instance.addresses["mongodb_url"]) as client:
        while True:
            try:
                client.perspektive_notify.command("collMod", "registrations", validator=validator)
                return
            except AutoReconnect:
                if time.monotonic() > deadline:
                    raise
