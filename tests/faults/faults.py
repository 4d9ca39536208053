"""What is done to the system, each as an object with a name."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from random import Random
from typing import Protocol

from tests.faults.system import PROGRAMS, SECOND, System

PARTS = (*PROGRAMS, SECOND)
SENDERS = ("services", "mail server", "mongod")
SECONDS = (0.2, 3.0)


class Fault(Protocol):
    """Something that is done to the system and is over when `strike` returns."""

    @property
    def name(self) -> str: ...

    async def strike(self, system: System, random: Random) -> None:
        """Do it."""


@dataclass(frozen=True)
class Peace:
    """Nothing."""

    name: str = "none"

    async def strike(self, system: System, random: Random) -> None:
        """Nothing is done."""


@dataclass(frozen=True)
class Kill:
    """kill -9, and a start some time later; `wipe` deletes the broker's data in between."""

    part: str
    wipe: bool = False

    @property
    def name(self) -> str:
        return f"{'wipe' if self.wipe else 'kill'} {self.part}"

    async def strike(self, system: System, random: Random) -> None:
        pause = random.uniform(*SECONDS)
        system.pid(self.part)
        system.hold_launcher()
        try:
            system.kill(self.part)
            if self.wipe:
                system.wipe_broker()
            await asyncio.sleep(pause)
        finally:
            system.release_launcher()
        if self.part == SECOND:
            system.start_second()


@dataclass(frozen=True)
class Freeze:
    """SIGSTOP, and SIGCONT some time later."""

    part: str

    @property
    def name(self) -> str:
        return f"freeze {self.part}"

    async def strike(self, system: System, random: Random) -> None:
        pid = system.pid(self.part)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(random.uniform(*SECONDS))
        finally:
            os.kill(pid, signal.SIGCONT)


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Peace(),
        *(Kill(part) for part in PARTS if part != "mail server"),
        Kill("nats", wipe=True),
        Freeze("mongod"),
    )
}


async def strike_at_moments(system: System, faults: list[Fault], random: Random) -> float:
    """One fault after the other with peace between them; the moment (monotonic) at which the last one was over."""
    for fault in faults:
        await asyncio.sleep(random.uniform(0.3, 1.5))
        await fault.strike(system, random)
    return time.monotonic()
