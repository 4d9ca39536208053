"""The service notify as a test needs it: its store, its sender, a clock that the test moves, a scripted SMTP server."""

import asyncio
import email
import email.policy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import cache
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.notify.consumer import HANDLERS
from services.notify.rendering import Writer
from services.notify.sender import Sender
from services.notify.smtp.mailer import Mailer
from services.notify.smtp.relays import relay_of
from services.notify.store.core import COLLECTIONS, Store
from services.notify.usecases.context import Context
from services.notify.usecases.tokens import Tokens
from shared import inbox, outbox
from shared.answer_links import AnswerLinks
from shared.inbox import Dispatcher
from shared.mongo import Database, Document, create_collections
from shared.schemas.base import Message
from shared.service import COLLECTIONS as COMMON_COLLECTIONS
from tests.support.notify_builders import NOW

SECRET = "a-secret-for-tests-" * 2
LINKS = AnswerLinks(SECRET, "https://perspektive.example")


class MovableClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        """The moment it stands at."""
        return self._now

    def forward(self, by: timedelta) -> None:
        """Move it."""
        self._now += by

    def set(self, moment: datetime) -> None:
        """Move it to a moment."""
        self._now = moment


@dataclass
class ScriptedServer:
    """A real SMTP server on a free port that answers DATA as `script` says (one entry per mail, then 250)."""

    script: list[str] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    hold: asyncio.Event | None = None
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self) -> "ScriptedServer":
        """Listen, on the former port when it was started before."""

        def protocol() -> SMTP:
            self.connections += 1
            return SMTP(self, enable_SMTPUTF8=True, hostname="scripted.example", loop=asyncio.get_running_loop())

        self._server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server:
            self._server.close()

    @property
    def url(self) -> str:
        """For SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.hold is not None:
            await self.hold.wait()
        answer = self.script.pop(0) if self.script else "250 OK kept"
        if answer.startswith("250"):
            content = envelope.original_content or b""
            self.mails.append(email.message_from_bytes(content, policy=email.policy.default))  # type: ignore[arg-type]
            self.recipients += envelope.rcpt_tos
        return answer

    @property
    def subjects(self) -> list[str]:
        """Subjects in the order in which the mails came."""
        return [str(mail["Subject"]) for mail in self.mails]


@dataclass
class World:
    """One notify service in this process, without HTTP and without a broker."""

    db: Database
    clock: MovableClock
    context: Context
    mailer: Mailer
    sender: Sender
    server: ScriptedServer

    async def hear(self, *messages: Message) -> None:
        """Hand messages to the service as the broker does when it has waited for earlier ones; errors are raised."""
        dispatcher = Dispatcher(self.db, HANDLERS, self.context, self.clock)  # type: ignore[arg-type]
        for message in messages:
            dispatcher.came_early[message.id] = inbox.PATIENCE
            await dispatcher.receive(message.to_wire(), 1)

    async def send_all(self) -> None:
        """Send what is due now, until nothing is."""
        while await self.sender.send_due():
            await self.sender.settle()

    async def deliveries(self, **where: Any) -> list[Document]:
        """Rows of the collection, in the order in which they were planned."""
        return await self.db.deliveries.find(where).sort("order", 1).to_list(None)

    async def summary(self, **where: Any) -> list[tuple[str, str, str]]:
        """(kind, role, state) of each delivery."""
        return [(row["kind"], row["recipient_role"], row["state"]) for row in await self.deliveries(**where)]

    async def delivery(self, key: str) -> Document:
        """One row."""
        row = await self.db.deliveries.find_one({"_id": key})
        assert row, key
        return row


async def build_world(
    db: Database, server: ScriptedServer, at_once: int = 4, clock: MovableClock | None = None
) -> World:
    """A fresh world on an empty database, whose collections and indexes may be there already."""
    clock = clock or MovableClock()
    store = Store(db, retention_days=90, secret_key=SECRET)
    await prepare(store)
    context = Context(store, writer(), Tokens(SECRET, "https://perspektive.example"))
    mailer = Mailer([relay_of(server.url)], 5, at_once)
    return World(db, clock, context, mailer, Sender(context, mailer, clock, at_once), server)  # type: ignore[arg-type]


async def prepare(store: Store) -> None:
    """Make collections and indexes where there are none."""
    if not await store.db.list_collection_names():
        await create_collections(store.db, [*COMMON_COLLECTIONS, *COLLECTIONS])
        await store.create_indexes()
        await outbox.create_indexes(store.db)
        await inbox.create_indexes(store.db)


@cache
def writer() -> Writer:
    """A writer for a made-up region, whose templates are compiled once."""
    sender, domain = "Perspektive <mail@perspektive.example>", "perspektive.example"
    return Writer("https://perspektive.example", sender, domain, "Europe/Berlin", links=LINKS)


def part(mail: EmailMessage, content_type: str) -> EmailMessage:
    """The first part of this type."""
    return next(each for each in mail.walk() if each.get_content_type() == content_type)  # type: ignore[return-value]
