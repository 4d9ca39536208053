"""A mail server with moods: slow, refusing, greylisting, dead. It keeps mails as the embedded one does."""

import asyncio
import time
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.mailbox.store import MailStore, NewMail
from deploy.local.ports import HOST, choose_port

SLOWNESS_SECONDS = 1.5
GREYLISTED_SECONDS = 3.0


class MailServer:
    """`mood` is what it does with the next mail: "well", "slow", "refusing", "greylisting".

    Use it in one event loop. `unanswered` counts the mails that it kept and died before it could say so.
    """

    def __init__(self, file: Path) -> None:
        self.port = choose_port()
        self.mood = "well"
        self.unanswered = 0
        self._file = file
        self._store: MailStore | None = None
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self._first_seen: dict[str, float] = {}
        self._alive = asyncio.Event()

    async def start(self) -> None:
        """Listen, also again after dying."""
        self._store = self._store or MailStore(self._file)
        self._alive.set()
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), HOST, self.port)

    async def die(self) -> None:
        """All connections break, and nobody answers any more; what was kept meanwhile is not answered."""
        assert self._server
        self._alive.clear()
        await asyncio.sleep(0.1)
        self._server.close()
        for connection in list(self._open):
            connection.transport.abort()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        since = self._first_seen.setdefault(address, time.monotonic())
        if self.mood == "greylisting" and time.monotonic() - since < GREYLISTED_SECONDS:
            return "450 4.7.1 Greylisted, please try again"
        if self.mood == "refusing":
            return "451 4.3.0 Please try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: "_Connection", session: Session, envelope: Envelope) -> str:
        if self.mood == "slow":
            await asyncio.sleep(SLOWNESS_SECONDS)
        if server.transport.is_closing():
            return "421 4.3.0 Gone"
        assert self._store
        self._store.keep(
            [NewMail(envelope.mail_from or "", tuple(envelope.rcpt_tos), envelope.original_content or b"")]
        )
        if not self._alive.is_set():
            self.unanswered += 1
            await self._alive.wait()
        return "250 2.0.0 Kept"

    def opened(self, connection: "_Connection") -> None:
        """Note a connection."""
        self._open.add(connection)

    def closed(self, connection: "_Connection") -> None:
        """Forget it."""
        self._open.discard(connection)


class _Connection(SMTP):
    def __init__(self, server: MailServer) -> None:
        self._mail_server = server
        super().__init__(server, enable_SMTPUTF8=True, hostname="mail.localhost", loop=asyncio.get_running_loop())

    def connection_made(self, transport: Any) -> None:
        self._mail_server.opened(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._mail_server.closed(self)
