"""kill -9 of the sender at every step of a delivery: nothing is lost, and only what was in flight may come twice.

Single mails and reminders that go out together. The suite does it once per step; hundreds of times:
`python -m tests.faults.killed_senders --rounds 20`.
"""

import argparse
import asyncio
import multiprocessing
import random
import re
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from shared.mongo import Database, database
from shared.schemas import events
from tests.support.doomed_sender import DAY, OF_REMINDERS, STEPS, run
from tests.support.notify_builders import COMPANY, TEACHER, offer, registration, said, slot
from tests.support.notify_world import ScriptedServer, World, build_world, part
from tests.support.relay_server import RelayServer
from tests.support.servers import running_mongod

AT_ONCE = 4
MAILS_PER_KILL = 3
REFUSED = "refused"  # how addresses begin that the relay does not take; not a word against the address itself
ONCE = ("claim", "connect", "record of all")  # what a sender may reach only once


@dataclass
class Counts:
    """What came of it: `repeats` are mails beyond the first with one Message-ID, `unexplained` those of them that were
    not in flight at a kill; `twice` are reminders in two different mails, `untold` failures that were not said
    exactly once."""

    kills: int = 0
    planned: int = 0
    lost: int = 0
    repeats: int = 0
    unexplained: int = 0
    most_in_flight: int = 0
    digests: int = 0
    twice: int = 0
    failures: int = 0
    untold: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.planned} mails: {self.lost} lost, {self.repeats} sent once more after being in "
            f"flight at a kill (at most {self.most_in_flight} were), {self.unexplained} without that reason; "
            f"{self.digests} mails with several reminders, {self.twice} reminders in two different mails; "
            f"{self.failures} failures, {self.untold} not said exactly once"
        )


async def kill_repeatedly(mongodb_url: str, steps: list[str]) -> Counts:
    """A sender per step, killed there; a last one finishes. Returns what was counted at the relay."""
    async with database(mongodb_url, f"test_kills_{uuid4().hex[:10]}") as db:
        relay = await RelayServer(answer_to=_answer).start()
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
        await _plan(world, number, step)
        which = 1 if step.endswith(ONCE) else random.randint(1, MAILS_PER_KILL)
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
    await _count(world.db, relay, allowed, counts)
    return counts


async def _count(db: Database, relay: RelayServer, allowed: Counter[str], counts: Counts) -> None:
    assert await db.deliveries.count_documents({"state": {"$nin": ["sent", "refused"]}}) == 0
    planned = set(await db.deliveries.distinct("message_id", {"state": "sent"}))
    counts.planned = len(planned)
    counts.lost = len(planned - set(relay.accepted))
    counts.repeats = sum(count - 1 for count in relay.accepted.values())
    counts.unexplained = sum(max(0, count - 1 - allowed[id]) for id, count in relay.accepted.items())
    told = _told(relay)
    reminders = await db.deliveries.count_documents({"recipient_role": "company", "state": "sent"})
    counts.digests = sum(len(dates) > 1 for dates in told.values())
    counts.twice = sum(len(dates) for dates in told.values()) - reminders
    said_of = Counter([row["aggregate"] async for row in db.outbox.find({})])
    failed = await db.deliveries.distinct("_id", {"state": "refused"})
    counts.failures, counts.untold = len(failed), sum(said_of[f"delivery:{key}"] != 1 for key in failed)


def _told(relay: RelayServer) -> dict[str, set[str]]:
    """Of which dates each mail reminded a company, by Message-ID: as the relay's mails say, not as our records do."""
    told: dict[str, set[str]] = defaultdict(set)
    for mail in relay.mails:
        told[str(mail["Message-ID"])].update(
            re.findall(r"/slots/([\w-]+)/manage", part(mail, "text/plain").get_content())
        )
    return told


def _answer(address: str) -> str:
    return "554 5.7.1 not today" if address.startswith(REFUSED) else "250 OK"


async def _plan(world: World, number: int, step: str) -> None:
    """Some mails to different addresses, about different things; or reminders, of which a company gets one mail."""
    if step.endswith(OF_REMINDERS) or random.random() < 0.5:
        await _plan_reminders(world, number, REFUSED if step.endswith("failure") else "konrad")
        return
    for each in range(MAILS_PER_KILL):
        id = f"reg{number}-{each}"
        await world.hear(said(events.RegistrationWaitlisted, registration("waitlisted", id=id)))


async def _plan_reminders(world: World, number: int, name: str) -> None:
    company = COMPANY.model_copy(update={"email": f"{name}{number}@betrieb.example"})
    for each in range(MAILS_PER_KILL):
        id = f"{number}-{each}"
        date = slot(starts=DAY, slot_id=f"slot{id}", offer=offer(contact=company))
        teacher = TEACHER.model_copy(update={"email": f"tessa{id}@schule.example"})
        facts = registration(id=f"reg{id}", contact=teacher, slot=date)
        await world.hear(said(events.RegistrationConfirmed, facts))
    await world.db.deliveries.delete_many({"kind": "registration_confirmed"})  # the reminders are what this is about


async def _in_flight(db: Database) -> list[str]:
    """By their Message-IDs: reminders in one mail have one."""
    return await db.deliveries.distinct("message_id", {"state": "sending"})


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
    raise SystemExit(bool(counts.lost or counts.unexplained or counts.twice or counts.untold))


if __name__ == "__main__":
    main()
