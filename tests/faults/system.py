"""The embedded start as the system under test, with a second process of events beside it, and hands to hurt its parts.

The launcher starts its children again at once. While it is stopped itself (SIGSTOP) a child that was killed stays dead.
"""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from deploy.local.ports import HOST
from deploy.local.probes import http_is_ready
from deploy.local.processes import Child
from tests.faults.background import Background
from tests.faults.mail_server import MailServer
from tests.faults.proxy import Proxy
from tests.support.instance import Instance, started
from tests.support.own_servers import free_port
from tests.support.waiting import wait_until

START = [sys.executable, "-m", "tests.support.stand_in_start"]
SEED = f"{sys.executable} -m deploy.local.seed"
PROGRAMS = {"services": " --fd ", "mongod": "mongod ", "nats": "nats-server "}
SECOND = "second events"


class System:
    """A running system; parts are named as in PROGRAMS, and SECOND. `wires` lead from SECOND to what it needs;
    `weakness` is what it is started without."""

    def __init__(self, instance: Instance, background: Background, mail_server: MailServer, weakness: str = "") -> None:
        self.weakness = weakness
        self.instance = instance
        self.background = background
        self.mail_server = mail_server
        self.wires = {name: Proxy(instance.port(f"{name}_url")) for name in ("mongodb", "nats")}
        for wire in self.wires.values():
            background.do(wire.start())
        self.data = instance.data
        self.port = free_port()
        self._second: Child | None = None

    @property
    def doors(self) -> list[str]:
        """Where the API of events answers."""
        return [self.instance.addresses["url"], f"http://{HOST}:{self.port}"]

    def start_second(self) -> None:
        """Start the second process of events."""
        command = _program("events", self.weakness) or f"{sys.executable} -m services.events"
        addresses = self.instance.addresses
        environment = {
            **os.environ,
            "MONGODB_URL": f"mongodb://{HOST}:{self.wires['mongodb'].port}/?directConnection=true",
            "NATS_URL": f"nats://{HOST}:{self.wires['nats'].port}",
            "PUBLIC_URL": addresses["url"],
            "SECRET_KEY": (self.data / "secret-key").read_text(),
            "CLOCK_FILE": str(self.data / "clock.json"),
        }
        self._second = Child(
            SECOND, [*command.split(), "--port", str(self.port)], self.data / "log" / "second.log", environment
        )
        self._second.start()

    def stop_second(self) -> None:
        """End it."""
        if self._second:
            self._second.stop(0)

    def is_ready(self) -> bool:
        """Whether every part answers."""
        return http_is_ready(self.instance.port("url")) and http_is_ready(self.port, "/events/readyz")

    def pid(self, part: str) -> int:
        """The process that is the part at this moment; waits for one that is being started."""
        if part == SECOND:
            assert self._second
            return self._second.pid
        return wait_until(lambda: self._child(PROGRAMS[part]), 20)

    def kill(self, part: str) -> int:
        """kill -9; how many mails were in flight there: frozen first, so that none lands while they are counted."""
        pid = self.pid(part)
        os.kill(pid, signal.SIGSTOP)
        in_flight = self._mails_in_flight() if part == "services" else 0
        os.kill(pid, signal.SIGKILL)
        if part == SECOND:
            assert self._second
            self._second.exit_code()
        return in_flight

    def _mails_in_flight(self) -> int:
        client: MongoClient[dict[str, Any]]
        with MongoClient(self.instance.addresses["mongodb_url"]) as client:
            return client.perspektive_notify.deliveries.count_documents({"state": "sending"})

    def hold_launcher(self) -> None:
        """From now on nothing is started again."""
        os.kill(self.instance.process.pid, signal.SIGSTOP)

    def release_launcher(self) -> None:
        """What has died meanwhile is started."""
        os.kill(self.instance.process.pid, signal.SIGCONT)

    def wipe_broker(self) -> None:
        """Delete the broker's data; only while it is dead and the launcher is held."""
        shutil.rmtree(self.data / "nats" / "store", ignore_errors=True)

    def _child(self, marked: str) -> int | None:
        return next((pid for pid in self.instance.children() if marked in _command_line(pid)), None)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


@contextmanager
def running_system(data: Path, weakness: str = "") -> Iterator[System]:
    """A fresh one. `weakness` names what tests.faults.weakened switches off in all its processes."""
    app = _program("app", weakness) or f"{sys.executable} -m deploy.local.app"
    background = Background()
    try:
        data.mkdir(parents=True, exist_ok=True)
        mail_server = MailServer(data / "mailbox.sqlite")
        background.do(mail_server.start())
        programs = {"SMTP_URL": f"smtp://{HOST}:{mail_server.port}", "STAND_IN_APP": app, "STAND_IN_SEED": SEED}
        with started(data, command=START, **programs) as instance:
            yield from _with_second(System(instance, background, mail_server, weakness))
    finally:
        background.stop()


def _program(name: str, weakness: str) -> str:
    return f"{sys.executable} -m tests.faults.weakened {weakness} {name}" if weakness else ""


def _with_second(system: System) -> Iterator[System]:
    system.start_second()
    try:
        wait_until(system.is_ready, 60)
        yield system
    finally:
        system.release_launcher()
        system.stop_second()
