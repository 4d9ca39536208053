"""A real SMTP server (aiosmtpd) that misbehaves as a test tells it to, at any step of a mail's way."""

import asyncio
import email
import email.policy
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

DSN = ("RET", "ENVID", "NOTIFY")
TOO_MANY = "432 4.3.2 Concurrent connections limit exceeded"


class _Protocol(SMTP):
    """One connection: counted, refused beyond the limit, cut off in the middle of DATA."""

    def __init__(self, relay: "RelayServer", **options: Any) -> None:
        self._relay = relay
        super().__init__(relay, enable_SMTPUTF8=relay.smtputf8, hostname="relay.example", **options)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if transport.get_extra_info("sslcontext") is None or self._relay.implicit_tls:
            self._relay.opened()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._relay.open -= 1

    async def _handle_client(self) -> None:
        relay = self._relay
        if relay.refuse_beyond and relay.open > relay.refuse_beyond:
            relay.refused_connections += 1
            await self.push(f"421 4.7.0 {relay.open} connections: too many from you")
            self.transport.close()
            return
        await super()._handle_client()

    def _getparams(self, params: list[str]) -> dict[str, str | bool] | None:  # type: ignore[override]
        """Delivery status notifications are nothing that aiosmtpd knows."""
        known = [each for each in params if not (self._relay.dsn and each.partition("=")[0] in DSN)]
        return super()._getparams(known)

    async def smtp_DATA(self, arg: str) -> None:
        if self._relay.drop_mid_data:
            self._relay.drop_mid_data -= 1
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.close()
            return
        await super().smtp_DATA(arg)


@dataclass
class RelayServer:
    """Answers are taken from the scripts, one per mail, then 250. `answer_to` decides by the recipient instead."""

    mail_script: list[str] = field(default_factory=list)
    data_script: list[str] = field(default_factory=list)
    answer_to: Callable[[str], str] = lambda _: "250 OK"
    before_answer: Callable[[], Awaitable[None]] | None = None
    drop_mid_data: int = 0
    refuse_beyond: int = 0
    busy_beyond: int = 0
    smtputf8: bool = True
    dsn: bool = False
    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    logins: dict[str, str] = field(default_factory=dict)

    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[list[str], list[str]]] = field(default_factory=list)
    accepted: Counter[str] = field(default_factory=Counter)
    open: int = 0
    most_open: int = 0
    connections: int = 0
    refused_connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self) -> "RelayServer":
        """Listen, on the former port when it was started before."""
        loop = asyncio.get_running_loop()
        implicit = self.tls if self.implicit_tls else None
        self._server = await loop.create_server(self._protocol, "127.0.0.1", self.port, ssl=implicit)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server:
            self._server.close()

    def url(self, **options: object) -> str:
        """For SMTP_URL."""
        scheme = "smtps" if self.implicit_tls else "smtp"
        login = "".join(f"{user}:{password}@" for user, password in self.logins.items())
        query = "&".join(f"{name.strip('_')}={value}" for name, value in options.items())
        return f"{scheme}://{login}127.0.0.1:{self.port}" + (f"?{query}" if query else "")

    def opened(self) -> None:
        """Count a connection."""
        self.connections += 1
        self.open += 1
        self.most_open = max(
            self.most_open, self.open if not self.refuse_beyond else min(self.open, self.refuse_beyond)
        )

    def _protocol(self) -> SMTP:
        options: dict[str, Any] = {}
        if self.tls and not self.implicit_tls:
            options |= {"tls_context": self.tls, "require_starttls": True}
        if self.logins:
            by_tls = not self.implicit_tls  # TLS from the start is none that aiosmtpd sees
            options |= {"authenticator": self._log_in, "auth_required": True, "auth_require_tls": by_tls}
        return _Protocol(self, loop=asyncio.get_running_loop(), **options)

    def _log_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        return AuthResult(success=self.logins.get(given.login.decode()) == given.password.decode(), handled=False)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(["250-DSN"] if self.dsn else []), responses[-1]]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.busy_beyond and self.open > self.busy_beyond:
            return TOO_MANY
        answer = self.mail_script.pop(0) if self.mail_script else "250 OK"
        if answer.startswith("250"):
            envelope.mail_from, envelope.mail_options = address, [*envelope.mail_options, *options]
        return answer

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answer_to(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options = [*envelope.rcpt_options, *options]
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.before_answer is not None:
            await self.before_answer()
        answer = self.data_script.pop(0) if self.data_script else "250 OK"
        if answer.startswith("250"):
            content = envelope.original_content or b""
            mail = email.message_from_bytes(content, policy=email.policy.default)
            self.raw.append(content)
            self.mails.append(mail)  # type: ignore[arg-type]
            self.envelopes.append((list(envelope.mail_options), list(envelope.rcpt_options)))
            self.accepted[str(mail["Message-ID"])] += 1
        return answer

    @property
    def recipients(self) -> list[str]:
        """Addresses in the order in which their mails came."""
        return [mail["To"].addresses[0].addr_spec for mail in self.mails]
