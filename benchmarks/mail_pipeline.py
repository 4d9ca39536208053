"""From a message on the broker to a mail that the server accepted, against a bare loop that sends ready bytes.

Both hand the same mails, half of them with a calendar part, to the same SMTP server (aiosmtpd in a process of its own)
over as many kept connections, in turn, several times. The pipeline is everything: messages from the broker, the
transaction with inbox note, own copies and deliveries, claiming, checking, writing, handing over and recording.
Starts a mongod, a NATS server and the service `notify` of its own on this machine, and stops them: first with one
process, then with two that share the work. Memory is read every 10,000 mails; for a long run:
`--mails 100000 --rounds 1 --senders 1`.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ctypes import c_long
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiosmtplib
import nats
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.waiting import wait_until
from deploy.local import mongod, nats_server
from deploy.local.ports import HOST, choose_port
from deploy.local.probes import http_is_ready, nats_is_ready
from deploy.local.processes import Child
from services.notify import samples
from shared.schemas.events import RegistrationConfirmed

CONNECTIONS, AT_ONCE = 4, 16  # mails in flight wait for the relay or for the record of its answer
MEMORY_EVERY = 10_000
MOST_READY = 2_000  # mails that the bare loop sends
SENDER = "benchmark@region.example"
OFFERS, SLOTS = 100, 500


@dataclass(frozen=True)
class Round:
    """Mails per second both ways; the senders' memory in MB, every MEMORY_EVERY mails and at the end; processor
    milliseconds per mail of the senders, of MongoDB, and of the bare loop."""

    senders: int
    pipeline: float
    bare: float
    memory: list[float]
    cpu_notify: float
    cpu_mongod: float
    cpu_bare: float

    @property
    def ratio(self) -> float:
        """The pipeline against the bare loop."""
        return self.pipeline / self.bare

    @property
    def cpu_ratio(self) -> float:
        """The same by the processor time of the sending process, which other work on the machine changes little."""
        return self.cpu_bare / self.cpu_notify


class Counting:
    """Accepts every mail and counts it; hands the first ones on, for the bare loop to send again."""

    def __init__(self, count: Any, first: Any, wanted: int) -> None:
        self._count, self._first, self._wanted = count, first, wanted

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the mail."""
        self._count.value += 1
        if self._count.value <= self._wanted:
            self._first.put((envelope.rcpt_tos[0], envelope.original_content))
        return "250 OK"


class Sink:
    """The SMTP server in its own process."""

    def __init__(self, wanted: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.port = choose_port()
        self.first = context.Queue()
        self._count = context.Value(c_long, 0, lock=False)
        self._process = context.Process(target=_serve, args=(self.port, self._count, self.first, wanted), daemon=True)
        self._process.start()

    @property
    def accepted(self) -> int:
        """How many mails so far."""
        return self._count.value

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def _serve(port: int, count: Any, first: Any, wanted: int) -> None:
    Controller(Counting(count, first, wanted), hostname=HOST, port=port).start()
    while True:
        time.sleep(3600)


def main() -> int:
    """0 when every mail was accepted exactly once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=2000, help="in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--senders", type=int, nargs="+", default=[1, 2], help="processes, one figure after the other")
    parser.add_argument("--json", type=Path, default=Path("mail_pipeline.json"))
    options = parser.parse_args()
    heads = ("senders", "pipeline/s", "bare/s", "ratio", "notify ms", "mongod ms", "bare ms", "cpu ratio", "memory MB")
    print(" ".join(f"{head:>10}" for head in heads), flush=True)
    rounds: list[Round] = []
    for senders in options.senders:
        found = asyncio.run(_measure(options.mails, options.rounds, senders))
        rounds += found
        _show(found)
    about = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "load": os.getloadavg()[0]}
    options.json.write_text(json.dumps({**about, "rounds": [asdict(each) for each in rounds]}, indent=1))
    return 0


def _show(rounds: list[Round]) -> None:
    for each in rounds:
        figures = (
            each.senders,
            each.pipeline,
            each.bare,
            each.ratio,
            each.cpu_notify,
            each.cpu_mongod,
            each.cpu_bare,
            each.cpu_ratio,
            each.memory[-1],
        )
        print(" ".join(f"{figure:>10.4g}" for figure in figures))
        if len(each.memory) > 1:
            print(f"memory every {MEMORY_EVERY} mails:", *(f"{figure:.1f}" for figure in each.memory))
    ratio = statistics.median(each.ratio for each in rounds)
    rate = statistics.median(each.pipeline for each in rounds)
    cpu = statistics.median(each.cpu_ratio for each in rounds)
    load = os.getloadavg()[0]
    print(
        f"{rounds[0].senders} sender(s): median {rate:.0f} mails/s, ratio {ratio:.2f}, by processor time {cpu:.2f}, "
        f"load {load:.1f}",
        flush=True,
    )


async def _measure(mails: int, rounds: int, senders: int) -> list[Round]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="perspektive-mails-")))
        sink = Sink(min(mails, MOST_READY))
        stack.callback(sink.stop)
        nats_url = stack.enter_context(_parts(folder, sink.port, senders))
        database, *pids = [int(word) for word in (folder / "pids").read_text().split()]
        found, ready = [], []
        for number in range(rounds):
            before = [_cpu_seconds(pids), _cpu_seconds([database])]
            pipeline, memory = await _through_the_pipeline(nats_url, sink, mails, number, pids)
            spent = [
                1000 * (now - then) / mails
                for now, then in zip((_cpu_seconds(pids), _cpu_seconds([database])), before, strict=True)
            ]
            ready = ready or [sink.first.get(timeout=30) for _ in range(min(mails, MOST_READY))]
            bare, cpu_bare = await _bare(sink, ready)
            found.append(Round(senders, pipeline, bare, memory, *spent, cpu_bare))
        return found


@contextmanager
def _parts(folder: Path, smtp_port: int, senders: int) -> Iterator[str]:
    """mongod, NATS and `senders` processes of notify; yields the address of NATS."""
    db_port, nats_port = choose_port(), choose_port()
    database, broker = folder / "mongodb", folder / "nats"
    started = [
        mongod.mongod(database, db_port, folder / "mongod.log"),
        nats_server.nats_server(broker, nats_port, folder / "nats.log"),
    ]
    try:
        for child in started:
            child.start()
        wait_until(mongod.WritablePrimary(database, db_port, folder))
        wait_until(lambda: nats_is_ready(nats_port))
        environment = {
            **os.environ, "MONGODB_URL": mongod.mongodb_url(db_port), "NATS_URL": nats_server.nats_url(nats_port),
            "SMTP_URL": f"smtp://{HOST}:{smtp_port}?connections={CONNECTIONS}", "MAILS_AT_ONCE": str(AT_ONCE),
            "SECRET_KEY": "benchmark" * 8,
            "PUBLIC_URL": "http://127.0.0.1:8000", "LOG_LEVEL": "WARNING", "QUIET_HOURS": "",
        }  # fmt: skip
        for _ in range(senders):
            port = choose_port()
            command = [sys.executable, "-m", "services.notify", "--port", str(port)]
            child = Child("notify", command, folder / f"notify-{port}.log", environment=environment)
            child.start()
            started.append(child)
            wait_until(lambda port=port: http_is_ready(port, "/notify/readyz"))
        (folder / "pids").write_text(" ".join(str(child.pid) for child in (started[0], *started[2:])))
        yield nats_server.nats_url(nats_port)
    finally:
        for child in reversed(started):
            child.stop(seconds=10)


async def _through_the_pipeline(
    nats_url: str, sink: Sink, mails: int, number: int, pids: list[int]
) -> tuple[float, list[float]]:
    """Mails per second from the first message published to the last mail accepted, and the senders' memory."""
    before = sink.accepted
    messages = [_message(number, n) for n in range(mails // 2)]
    connection = await nats.connect(nats_url)
    stream = connection.jetstream()
    started = time.perf_counter()
    for at in range(0, len(messages), 200):
        await asyncio.gather(*(stream.publish(subject, body) for subject, body in messages[at : at + 200]))
    await connection.close()
    memory = []
    for goal in (*range(MEMORY_EVERY, mails, MEMORY_EVERY), mails):
        await asyncio.to_thread(wait_until, lambda goal=goal: sink.accepted - before >= goal, 600, 0.005)
        memory.append(sum(_megabytes(pid) for pid in pids))
    seconds = time.perf_counter() - started
    if sink.accepted - before != mails:
        raise SystemExit(f"{sink.accepted - before} mails instead of {mails}")
    return mails / seconds, memory


def _message(number: int, n: int) -> tuple[str, bytes]:
    """A confirmed registration: one mail to the teacher, one to the company, both with a calendar part."""
    starts = datetime(datetime.now().year + 1, 3, 2, 9) + timedelta(days=n % 20)
    offer = samples.offer(offer_id=f"offer-{n % OFFERS}", reminders=[])
    slot = samples.slot(starts, slot_id=f"slot-{n % SLOTS}", offer=offer)
    facts = samples.registration(slot, "confirmed", registration_id=f"registration-{number}-{n}")
    message = RegistrationConfirmed.about(
        f"registration:{facts.registration_id}", 1, now=datetime.now(UTC), registration=facts
    )
    wire = {**message.to_wire(), "sequence": n + 1}
    return f"{message.SOURCE}.{message.type_name()}", json.dumps(wire).encode()


async def _bare(sink: Sink, ready: list[tuple[str, bytes]]) -> tuple[float, float]:
    """aiosmtplib alone with the bytes of the pipeline's mails: mails per second, processor milliseconds per mail."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        pool.apply(_warm)
        before = sink.accepted
        seconds, spent = await asyncio.to_thread(pool.apply, _send_all, (sink.port, ready))
    if sink.accepted - before != len(ready):
        raise SystemExit("the bare loop lost mails")
    return len(ready) / seconds, 1000 * spent / len(ready)


def _warm() -> None:
    """The process is there."""


def _send_all(port: int, ready: list[tuple[str, bytes]]) -> tuple[float, float]:
    """Seconds, and seconds of processor time."""
    waiting = list(ready)

    async def one() -> None:
        connection = aiosmtplib.SMTP(hostname=HOST, port=port, start_tls=False)
        await connection.connect()
        while waiting:
            to, content = waiting.pop()
            await connection.sendmail(SENDER, [to], content)
        await connection.quit()

    async def everything() -> tuple[float, float]:
        started, spent = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
        return time.perf_counter() - started, time.process_time() - spent

    return asyncio.run(everything())


def _megabytes(pid: int) -> float:
    """The process' own share of memory."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _cpu_seconds(pids: list[int]) -> float:
    """Processor time that the processes have used."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
