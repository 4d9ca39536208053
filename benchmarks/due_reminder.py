"""What it costs to find one reminder that is due among many planned for later: 1,000,000 against 1,000.

Both stand in databases of one mongod, with all indexes of the service. A sender's own `claim` takes what is due, in
blocks in turn; each claim's wall time and the processor time of both processes count. Starts a mongod of its own, and
removes what it wrote: about a gigabyte.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bson import ObjectId

from benchmarks.waiting import wait_until
from deploy.local import mongod
from deploy.local.ports import choose_port
from services.notify.domain import Delivery, Recipient
from services.notify.store.core import Store
from services.notify.store.deliveries import delivery_document
from services.notify.urgency import REMINDER
from shared.mongo import Document, database, relaxed

FEW = 1_000
BLOCK, WARM_BLOCKS, BATCH = 20, 2, 2_000
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@dataclass
class Found:
    """Milliseconds per claim: each one's wall time, and the processor time of each block."""

    store: Store
    planned: int
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def main() -> int:
    """0 when every claim found its reminder and only that."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planned", type=int, default=1_000_000)
    parser.add_argument("--blocks", type=int, default=25, help=f"of {BLOCK} claims each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perspektive-due-") as folder, _own_mongod(Path(folder)) as (url, pid):
        few, many = asyncio.run(_measure(url, pid, options.planned, options.blocks))
    print(f"{'planned':>10} {'wall ms':>10} {'processor ms':>14}   (medians of one claim)")
    for each in (few, many):
        print(f"{each.planned:>10} {statistics.median(each.wall):>10.2f} {statistics.median(each.cpu):>14.2f}")
    wall, cpu = (statistics.median(many_) / statistics.median(few_) for many_, few_ in _pairs(few, many))
    print(f"ratio: wall {wall:.2f}, processor {cpu:.2f}")
    return 0


def _pairs(few: Found, many: Found) -> list[tuple[list[float], list[float]]]:
    return [(many.wall, few.wall), (many.cpu, few.cpu)]


@contextmanager
def _own_mongod(folder: Path) -> Iterator[tuple[str, int]]:
    port = choose_port()
    child = mongod.mongod(folder / "mongodb", port, folder / "mongod.log")
    child.start()
    try:
        wait_until(mongod.WritablePrimary(folder / "mongodb", port, folder))
        yield mongod.mongodb_url(port), child.pid
    finally:
        child.stop(seconds=30)


async def _measure(url: str, database_pid: int, planned: int, blocks: int) -> tuple[Found, Found]:
    async with database(url, "few") as first, database(url, "many") as second:
        few, many = (
            Found(Store(first, 90, secret_key="of no use here"), FEW),
            Found(Store(second, 90, secret_key="of no use here"), planned),
        )
        for each in (few, many):
            await _plan(each)
        for block in range(WARM_BLOCKS + blocks):
            for each in (few, many):
                await _claim_block(each, block, database_pid)
        for each in (few, many):
            del each.wall[: WARM_BLOCKS * BLOCK], each.cpu[:WARM_BLOCKS]
        return few, many


async def _plan(found: Found) -> None:
    """So many reminders over the next 200 days, and then the indexes of the service: in this order it is quick."""
    rows, started = relaxed(found.store.db.deliveries), time.monotonic()
    for first in range(0, found.planned, BATCH):
        last = min(first + BATCH, found.planned)
        await rows.insert_many([_later(number) for number in range(first, last)], ordered=False)
    await found.store.create_indexes()
    print(f"{found.planned} planned in {time.monotonic() - started:.0f} s", flush=True)


@cache
def _model() -> Document:
    return delivery_document(_reminder(0, NOW))


def _later(number: int) -> Document:
    """The document of a reminder on one of the next 200 days, one of 20,000 moments a day."""
    due_at = NOW + timedelta(days=1 + number % 200, seconds=number // 200 % 20_000)
    email = f"teacher{number % 5000}@schule.example"
    own = {"_id": f"slot_reminder:{number}", "order": ObjectId(), "message_id": f"<{number:x}@region.example>"}
    own |= {"due_at": due_at, "day": due_at.date().isoformat(), "about": f"registration:{number // 4}"}
    own |= {"recipient": email, "recipient_key": email, "erase_after": due_at + timedelta(days=104)}
    return {**_model(), **own}


async def _claim_block(found: Found, block: int, database_pid: int) -> None:
    """Make one due, claim it, and end it, so many times; only the claims are measured."""
    deliveries, spent = found.store.deliveries, 0.0
    for number in range(BLOCK):
        due = replace(_reminder(found.planned + block * BLOCK + number, NOW), key=f"due:{block}:{number}")
        await found.store.db.deliveries.insert_one(delivery_document(due))
        before, started = _processor_seconds(database_pid), time.perf_counter()
        claimed = await deliveries.claim(16, NOW)
        found.wall.append(1000 * (time.perf_counter() - started))
        spent += _processor_seconds(database_pid) - before
        if [each.key for each in claimed] != [due.key]:
            raise SystemExit(f"{[each.key for each in claimed]} instead of {due.key}")
        await deliveries.end(claimed[0], None, state="sent", sent_at=NOW)
    found.cpu.append(1000 * spent / BLOCK)


def _reminder(number: int, due_at: datetime) -> Delivery:
    about, key = f"registration:{number // 4}", f"slot_reminder:{number}"
    to = Recipient("teacher", "Tessa Teich", f"teacher{number % 5000}@schule.example", "de", f"person-{number % 5000}")
    return Delivery(
        key=key, kind="slot_reminder", to=to, about=about, priority=REMINDER, due_at=due_at, planned_at=NOW,
        gives_up_at=due_at + timedelta(days=14), erase_after=due_at + timedelta(days=104),
        message_id=f"<{number:x}@region.example>", based_on=1, revision=1, subject="Bald: Gießerei, Führung",
        day=due_at.date().isoformat(),
    )  # fmt: skip


def _processor_seconds(database_pid: int) -> float:
    """What this process and mongod have used, to the nanosecond."""
    threads = Path(f"/proc/{database_pid}/task").glob("*/schedstat")
    return time.process_time() + sum(int(each.read_text().split()[0]) for each in threads) / 1e9


if __name__ == "__main__":
    sys.exit(main())
