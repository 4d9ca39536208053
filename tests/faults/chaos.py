"""One run: a workload with a seed while faults strike, and then the checker until nothing is wrong or time is over."""

import asyncio
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from pymongo import MongoClient

from deploy.local.demo.client import Client
from tests.faults.checker import check, repeats_of
from tests.faults.door import Door
from tests.faults.estate import open_estate
from tests.faults.evidence import look
from tests.faults.faults import Fault, strike_at_moments
from tests.faults.system import System
from tests.faults.workload import Notes, Workload


@dataclass(frozen=True)
class Result:
    """What came of one run. `recovery` is in seconds, from the end of the last fault and of the load; `repeats` are
    mails that came again."""

    fault: str
    seed: int
    breaches: dict[str, list[str]]
    recovery: float
    requests: int
    retries: int
    registrations: int
    mails: int
    repeats: int
    repeats_allowed: int

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return not any(self.breaches.values())


@dataclass(frozen=True)
class Load:
    """How much is asked of the system, and how long (seconds) it may take to be whole again."""

    actors: int = 30
    steps: int = 10
    patience: float = 60.0


async def play(system: System, seed: int, name: str, faults: list[Fault], load: Load) -> Result:
    """The run `name` with `seed`."""
    random = Random(f"{seed}-{name}")
    key = (system.data / "coordinator-api-key").read_text().strip()
    async with Client(system.doors[0], key) as client:
        estate = await open_estate(client, f"{name} {seed} {time.time_ns()}")
    door = Door(system.doors, key, random)
    workload = Workload(door, estate, seed, load.actors, load.steps)
    try:
        (over, repeats), notes = await asyncio.gather(strike_at_moments(system, faults, random), workload.run())
    finally:
        await door.close()
    began = max(over, time.monotonic())
    breaches, facts = await asyncio.to_thread(_settle, system, estate.campaign_id, notes, repeats, load.patience)
    recovery = time.monotonic() - began
    return Result(name, seed, breaches, recovery, door.requests, door.retries, *facts, repeats)


def _settle(
    system: System, campaign_id: str, notes: Notes, repeats: int, patience: float
) -> tuple[dict[str, list[str]], tuple[int, int, int]]:
    """Check again and again until nothing is wrong; what is wrong when time is over is a breach."""
    deadline = time.monotonic() + patience
    client: MongoClient[dict[str, Any]]
    with MongoClient(system.instance.addresses["mongodb_url"]) as client:
        while True:
            found = look(client, system.data / "mailbox.sqlite", system.data / "clock.json", campaign_id)
            breaches = check(notes, found, repeats)
            if not any(breaches.values()) or time.monotonic() > deadline:
                return breaches, (len(found.registrations), len(found.mails), repeats_of(found))
            time.sleep(0.25)
