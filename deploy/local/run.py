"""Start everything, keep it running, stop it in order."""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from deploy.local import mongod, nats_server
from deploy.local.data_folder import DataFolder
from deploy.local.errors import CannotStart
from deploy.local.ports import HOST, choose_port, listen, port_of
from deploy.local.probes import http_is_ready, nats_is_ready
from deploy.local.processes import Child, Family, Part
from deploy.local.settings import Settings

APP = [sys.executable, "-m", "deploy.local.app"]
SEED = [sys.executable, "-m", "deploy.local.seed"]
MAILBOX = [sys.executable, "-m", "deploy.local.mailbox"]


def run(settings: Settings, app: list[str] = APP, seed: list[str] = SEED) -> None:
    """Start the parts, fill in the demo data, and look after everything until Ctrl-C, SIGTERM or SIGHUP.

    CannotStart when a part does not come up. `app` is started with `--fd <listening socket>` at its end.
    """
    if sys.platform != "linux":
        raise CannotStart("The embedded start needs Linux.")
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    folder = DataFolder(settings.data_dir)
    try:
        with ExitStack() as stack:
            front_door = stack.enter_context(listen(settings.port, "PORT"))
            lock = stack.enter_context(folder.locked())
            family = Family(on_death=say)
            stack.callback(family.stop_all)
            _Start(settings, folder, family, lock, front_door, stack).everything(app, seed)
            family.watch()
    except KeyboardInterrupt:
        say("Stopped. The data stays; make run goes on with it.")


@dataclass
class _Start:
    settings: Settings
    folder: DataFolder
    family: Family
    lock: int
    front_door: socket.socket
    stack: ExitStack
    addresses: dict[str, str] = field(default_factory=dict)

    def everything(self, app: list[str], seed: list[str]) -> None:
        """All parts side by side: each waits by itself for those that it needs."""
        say("Perspektive starts:")
        began = time.monotonic()
        parts = [*self._mongodb(), *self._nats(), *self._mailbox(), *self._app(app)]
        self.family.wait_until_ready(parts, on_ready=say_ready)
        demo_data = self._child("Demo data", seed, "seed")
        self.family.run_to_the_end(demo_data)
        say_ready(demo_data)
        self.folder.describe_instance(self.addresses)
        self._greet(time.monotonic() - began)

    def _mongodb(self) -> list[Part]:
        if self.settings.mongodb_url:
            self.addresses["mongodb_url"] = self.settings.mongodb_url
            return []
        data, logs, port = self.folder.path / "mongodb", self.folder.logs, self._port("mongod")
        self.addresses["mongodb_url"] = mongod.mongodb_url(port)
        child = self.family.start(mongod.mongod(data, port, logs / "mongod.log", (self.lock,)))
        return [Part(child, mongod.WritablePrimary(data, port, logs))]

    def _nats(self) -> list[Part]:
        if self.settings.nats_url:
            self.addresses["nats_url"] = self.settings.nats_url
            return []
        data, port = self.folder.path / "nats", self._port("nats")
        self.addresses["nats_url"] = nats_server.nats_url(port)
        child = self.family.start(nats_server.nats_server(data, port, self.folder.logs / "nats.log", (self.lock,)))
        return [Part(child, lambda: nats_is_ready(port))]

    def _mailbox(self) -> list[Part]:
        if self.settings.smtp_url:
            self.addresses["smtp_url"] = self.settings.smtp_url
            return []
        pages = self.stack.enter_context(listen(self.settings.mailbox_port, "MAILBOX_PORT"))
        smtp = self.stack.enter_context(listen(0, "MAILBOX_PORT"))
        self.addresses["smtp_url"] = f"smtp://{HOST}:{port_of(smtp)}"
        self.addresses["mailbox_url"] = f"http://{HOST}:{port_of(pages)}"
        fds = ["--smtp-fd", str(smtp.fileno()), "--http-fd", str(pages.fileno())]
        command = [*MAILBOX, *fds, str(self.folder.path / "mailbox.sqlite")]
        child = self.family.start(self._child("Mailbox", command, "mailbox", smtp, pages))
        return [Part(child, lambda: http_is_ready(port_of(pages)))]

    def _app(self, command: list[str]) -> list[Part]:
        port = port_of(self.front_door)
        self.addresses["url"] = f"http://{HOST}:{port}"
        command = [*command, "--fd", str(self.front_door.fileno())]
        child = self.family.start(self._child("Services", command, "app", self.front_door))
        return [Part(child, lambda: http_is_ready(port))]

    def _child(self, name: str, command: list[str], log: str, *sockets: socket.socket) -> Child:
        inherited = (self.lock, *(each.fileno() for each in sockets))
        return Child(name, command, self.folder.logs / f"{log}.log", self._environment(), inherited)

    def _environment(self) -> Mapping[str, str]:
        """What the services' own settings read."""
        return {
            **os.environ,
            **{name.upper(): address for name, address in self.addresses.items() if name.endswith("_url")},
            "PUBLIC_URL": self.settings.public_url or self.addresses.get("url", ""),
            "SECRET_KEY": self.folder.secret_key(),
            "CLOCK_FILE": str(self.folder.clock),
            "DATA_DIR": str(self.folder.path),
            # Whoever tries it out in the evening sees at once what their clicks cause.
            "QUIET_HOURS": os.environ.get("QUIET_HOURS", ""),
            # A program that somebody writes beside it can be called at once.
            "WEBHOOKS_TO_THIS_MACHINE": os.environ.get("WEBHOOKS_TO_THIS_MACHINE", "yes"),
        }

    def _port(self, name: str) -> int:
        port = choose_port(self.folder.remembered_port(name))
        self.folder.remember_port(name, port)
        return port

    def _greet(self, seconds: float) -> None:
        lines = [f"Ready after {seconds:.1f} s: {self.settings.public_url or self.addresses['url']}", ""]
        links = self.folder.sign_in_links
        for link in json.loads(links.read_text()) if links.exists() else []:
            lines.append(f"  {link['role']:<12} {link['name']}\n  {'':<12} {link['url']}")
        if mailbox := self.addresses.get("mailbox_url"):
            lines.append(f"  {'mailbox':<12} {mailbox}")
        lines += [f"  {'API key':<12} {self.folder.api_key}", "", "Ctrl-C stops everything."]
        say("\n".join(lines))


def say(text: str) -> None:
    """One line for the person who started this."""
    print(text, flush=True)


def say_ready(child: Child) -> None:
    """How long it took until `child` was ready."""
    say(f"  {child.name} … ready {time.monotonic() - child.started_at:.1f} s")
