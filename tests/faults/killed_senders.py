"""kill -9 of the sender at every step of a delivery: nothing is lost, and only what was in flight may come twice.

The suite does it once per step; hundreds of times: `python -m tests.faults.killed_senders --rounds 20`.
"""

import argparse
import asyncio
import multiprocessing
import random
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from shared.mongo import Database, database
from shared.schemas import events
from tests.support.doomed_sender import STEPS, run
from tests.support.notify_builders import registration, said
from tests.support.notify_world import ScriptedServer, World, build_world
from tests.support.relay_server import RelayServer
from tests.support.servers import running_mongod

AT_ONCE = 4
MAILS_PER_KILL = 3


@dataclass
class Counts:
    """What came of it: `repeats` are mails beyond the first with one Message-ID, `unexplained` those of them that were
    not in flight at a kill."""

    kills: int = 0
    planned: int = 0
    lost: int = 0
    repeats: int = 0
    unexplained: int = 0
    most_in_flight: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.planned} mails: {self.lost} lost, {self.repeats} sent once more after being in "
            f"flight at a kill (at most {self.most_in_flight} were), {self.unexplained} without that reason"
        )


async def kill_repeatedly(mongodb_url: str, steps: list[str]) -> Counts:
    """A sender per step, killed there; a last one finishes. Returns what was counted at the relay."""
    async with database(mongodb_url, f"test_kills_{uuid4().hex[:10]}") as db:
        relay = await RelayServer().start()
        try:
            world = await build_world(db, ScriptedServer(port=relay.port))
            return await _kill_all(mongodb_url, world, relay, steps)
        finally:
            await relay.stop()
            await db.client.drop_database(db.name)


async def _kill_all(mongodb_url: str, world: World, relay: RelayServer, steps: list[str]) -> Counts:
    counts, allowed = Counts(), Counter[str]()
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["tests.support.doomed_sender"])
    for number, step in enumerate([*steps, ""]):
        await _plan(world, number)
        which = 1 if step.endswith(("claim", "connect")) else random.randint(1, MAILS_PER_KILL)
        arguments = (mongodb_url, world.db.name, relay.url(), step, AT_ONCE, which)
        process = forking.Process(target=run, args=arguments)
        process.start()
        await asyncio.to_thread(process.join)
        assert process.exitcode == (-9 if step else 0), (step, process.exitcode)
        counts.kills += bool(step)
        in_flight = await _in_flight(world.db)
        counts.most_in_flight = max(counts.most_in_flight, len(in_flight))
        allowed.update(in_flight)
        await _let_the_dead_be_noticed(world)
    planned = {row["message_id"] async for row in world.db.deliveries.find({}, {"message_id": 1})}
    counts.planned = len(planned)
    counts.lost = len(planned - set(relay.accepted))
    counts.repeats = sum(count - 1 for count in relay.accepted.values())
    counts.unexplained = sum(max(0, count - 1 - allowed[id]) for id, count in relay.accepted.items())
    assert await world.db.deliveries.count_documents({"state": {"$ne": "sent"}}) == 0
    return counts


async def _plan(world: World, number: int) -> None:
    """Some mails to different addresses, about different things."""
    for each in range(MAILS_PER_KILL):
        id = f"reg{number}-{each}"
        await world.hear(said(events.RegistrationWaitlisted, registration("waitlisted", id=id)))


async def _in_flight(db: Database) -> list[str]:
    return [row["message_id"] async for row in db.deliveries.find({"state": "sending"}, {"message_id": 1})]


async def _let_the_dead_be_noticed(world: World) -> None:
    """As 15 s of silence would: the dead process's sign of life ends, and a living one looks."""
    await world.db.leases.delete_many({})
    deliveries = world.context.store.deliveries
    for moment in (0, 5, 10, 15):
        deliveries.ticks = lambda moment=moment: float(moment)
        await deliveries.say_alive()
    await deliveries.free_abandoned()


def main() -> None:
    """Every step, several rounds of them, in a random order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help=f"a round is {len(STEPS)} kills, one at each step")
    rounds = parser.parse_args().rounds
    steps = STEPS * rounds
    random.shuffle(steps)
    with tempfile.TemporaryDirectory() as folder, running_mongod(Path(folder)) as url:
        counts = asyncio.run(kill_repeatedly(url, steps))
    print(counts)
    raise SystemExit(bool(counts.lost or counts.unexplained))


if __name__ == "__main__":
    main()
