"""Real servers for tests: mongod, nats-server and the mailbox, as children that end with the test run."""

import asyncio
import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nats
from nats.js.errors import NotFoundError

from deploy.local import mongod, nats_server
from deploy.local.ports import HOST, choose_port, listen, port_of
from deploy.local.probes import http_is_ready, nats_is_ready
from deploy.local.processes import Child
from tests.support.waiting import until, wait_until


@contextmanager
def running_mongod(folder: Path) -> Iterator[str]:
    """A replica set of one that keeps its data in `folder`; yields its URL."""
    port = choose_port()
    child = mongod.mongod(folder / "mongodb", port, folder / "mongod.log")
    child.start()
    with _stopped_at_the_end(child, mongod.WritablePrimary(folder / "mongodb", port, folder)):
        yield mongod.mongodb_url(port)


@contextmanager
def running_nats(folder: Path) -> Iterator[str]:
    """A NATS server with JetStream that keeps its data in `folder`; yields its URL."""
    port = choose_port()
    child = nats_server.nats_server(folder / "nats", port, folder / "nats.log")
    child.start()
    with _stopped_at_the_end(child, lambda: nats_is_ready(port)):
        yield nats_server.nats_url(port)


async def forget_messages(nats_url: str) -> None:
    """Empty the broker's streams, so that a service with a new database need not hear what earlier tests said."""
    connection = await nats.connect(nats_url)
    try:
        for source in ("outreach", "events", "notify"):
            with suppress(NotFoundError):
                await connection.jetstream().purge_stream(source)
    finally:
        await connection.close()


class MailServer:
    """A running mailbox: a real SMTP server that keeps what it gets. Blocking calls of a few milliseconds.

    It answers a recipient such as anna+550@school.example with that code: bounces and delays on demand.
    """

    def __init__(self, child: Child, smtp_url: str, http_url: str) -> None:
        self.child = child
        self.smtp_url = smtp_url
        self.http_url = http_url

    def mails(self, to: str = "", subject: str = "") -> list[dict[str, Any]]:
        """The mails in the order in which they came, whole: recipients, subject, text, html, calendar, headers.

        `to` and `subject` are parts of what is looked for.
        """
        found, after = [], 0
        while after is not None:
            page = self.get("/api/mails", to=to, subject=subject, after=after)
            found += [self.get(f"/api/mails/{mail['id']}") for mail in page["items"]]
            after = page["next"]
        return found

    def count(self, to: str = "", subject: str = "") -> int:
        """How many mails were accepted."""
        return self.get("/api/count", to=to, subject=subject)["total"]

    def clear(self) -> None:
        """Forget all mails."""
        request = urllib.request.Request(f"{self.http_url}/api/mails", method="DELETE")
        urllib.request.urlopen(request, timeout=10).close()

    async def wait_for(
        self, to: str = "", subject: str = "", count: int = 1, seconds: float = 10
    ) -> list[dict[str, Any]]:
        """The mails as soon as there are `count`; AssertionError when there are fewer after `seconds`."""

        async def enough() -> bool:
            return await asyncio.to_thread(self.count, to, subject) >= count

        await until(enough, seconds)
        return await asyncio.to_thread(self.mails, to, subject)

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """The JSON at `path` of the mailbox's API."""
        with urllib.request.urlopen(f"{self.http_url}{path}?{urlencode(query)}", timeout=10) as answer:
            return json.load(answer)


@contextmanager
def running_mail_server(folder: Path) -> Iterator[MailServer]:
    """A mailbox that keeps its mails in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with listen(0, "SMTP") as smtp, listen(0, "HTTP") as pages:
        fds = (smtp.fileno(), pages.fileno())
        options = ["--smtp-fd", str(fds[0]), "--http-fd", str(fds[1]), str(folder / "mailbox.sqlite")]
        child = Child(
            "Mailbox", [sys.executable, "-m", "deploy.local.mailbox", *options], folder / "mailbox.log", pass_fds=fds
        )
        child.start()
        with _stopped_at_the_end(child, lambda: http_is_ready(port_of(pages))):
            yield MailServer(child, f"smtp://{HOST}:{port_of(smtp)}", f"http://{HOST}:{port_of(pages)}")


@contextmanager
def _stopped_at_the_end(child: Child, is_ready: Callable[[], bool]) -> Iterator[None]:
    try:
        wait_until(lambda: is_ready() or child.has_ended(), seconds=30)
        assert not child.has_ended(), child.why_it_ended()
        yield
    finally:
        child.stop(seconds=5)
