"""What is done to the system, each as an object with a name."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from random import Random
from typing import Protocol

from tests.faults.messages import Full, Late, Repeat, Shuffle
from tests.faults.surroundings import Cut, Jump, MailServerDies, Mood, Poison, StoreRefuses
from tests.faults.system import PROGRAMS, SECOND, System

PARTS = (*PROGRAMS, SECOND)
SECONDS = (0.2, 3.0)


class Fault(Protocol):
    """Something that is done to the system and is over when `strike` returns: how many mails were in flight at a
    sender, or at the mail server, when it died. So many may come again."""

    @property
    def name(self) -> str: ...

    async def strike(self, system: System, random: Random) -> int:
        """Do it."""


@dataclass(frozen=True)
class Peace:
    """Nothing."""

    name: str = "none"

    async def strike(self, system: System, random: Random) -> int:
        """Nothing is done."""
        return 0


@dataclass(frozen=True)
class Kill:
    """kill -9, and a start some time later; `wipe` deletes the broker's data in between."""

    part: str
    wipe: bool = False

    @property
    def name(self) -> str:
        return f"{'wipe' if self.wipe else 'kill'} {self.part}"

    async def strike(self, system: System, random: Random) -> int:
        pause = random.uniform(*SECONDS)
        system.pid(self.part)
        system.hold_launcher()
        try:
            in_flight = await asyncio.to_thread(system.kill, self.part)
            if self.wipe:
                system.wipe_broker()
            await asyncio.sleep(pause)
        finally:
            system.release_launcher()
        if self.part == SECOND:
            system.start_second()
        return in_flight


@dataclass(frozen=True)
class Freeze:
    """SIGSTOP, and SIGCONT some time later."""

    part: str

    @property
    def name(self) -> str:
        return f"freeze {self.part}"

    async def strike(self, system: System, random: Random) -> int:
        pid = system.pid(self.part)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(random.uniform(*SECONDS))
        finally:
            os.kill(pid, signal.SIGCONT)
        return 0


@dataclass(frozen=True)
class Restart:
    """kill -9 of everything, in any order: each starts again at once, or all together when all are dead."""

    name: str = "restart all"

    async def strike(self, system: System, random: Random) -> int:
        together = random.random() < 0.5
        in_flight = 0
        if together:
            system.hold_launcher()
        try:
            for part in self._order(random, together):
                in_flight += await asyncio.to_thread(system.kill, part)
                await asyncio.sleep(0 if together else random.uniform(0, 1))
        finally:
            system.release_launcher()
        system.start_second()
        return in_flight

    @staticmethod
    def _order(random: Random, together: bool) -> list[str]:
        """The store goes last when nothing starts again in between: it counts the mails in flight."""
        parts = random.sample(PARTS, len(PARTS))
        return sorted(parts, key=lambda part: part == "mongod") if together else parts


@dataclass(frozen=True)
class Mixed:
    """Two or three at once: at most one that ends or freezes a part."""

    name: str = "mixed"

    async def strike(self, system: System, random: Random) -> int:
        chosen = [random.choice(HARD), *random.sample(SOFT, random.randint(1, 2))]
        return sum(await asyncio.gather(*(fault.strike(system, random) for fault in chosen)))


HARD: list[Fault] = [*(Kill(part) for part in PARTS), Kill("nats", wipe=True), *(Freeze(part) for part in PARTS)]
SOFT: list[Fault] = [
    Repeat(),
    Shuffle(),
    *(Mood(mood) for mood in ("slow", "refusing", "greylisting")),
    MailServerDies(),
    *(Cut(wire) for wire in ("mongodb", "nats")),
    Jump(),
    StoreRefuses(),
]
OTHERS: list[Fault] = [Late(), Full(), Poison()]  # of which the broker has to be alive, or that last for minutes
FAULTS: dict[str, Fault] = {fault.name: fault for fault in (Peace(), *HARD, *SOFT, *OTHERS, Restart(), Mixed())}


async def strike_at_moments(system: System, faults: list[Fault], random: Random) -> tuple[float, int]:
    """One fault after the other with peace between them; the moment (monotonic) at which the last one was over, and
    how many mails were in flight where something died."""
    in_flight = 0
    for fault in faults:
        await asyncio.sleep(random.uniform(0.3, 1.5))
        in_flight += await fault.strike(system, random)
    return time.monotonic(), in_flight
