"""Hands mails to the relay over a few kept connections (aiosmtplib). Failures that pass and final ones are different
types."""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from services.notify.settings import is_loopback

IDLE_SECONDS = 20
_RELAYS_OWN_TROUBLE = (530, 534, 535, 538)  # it wants other credentials: nothing that the recipient's address causes


class TryAgain(Exception):
    """The mail was not accepted now and may be later: no connection, a 4xx answer, a relay that is set up wrong."""


class Refused(Exception):
    """The mail was refused for good: a 5xx answer, or an address that cannot be written to."""


@dataclass(frozen=True)
class Relay:
    """Where mails are handed over. Without TLS only on this machine; else its certificate is verified."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    implicit_tls: bool = False

    @property
    def starttls(self) -> bool:
        """Whether the connection must be upgraded before anything is said."""
        return not self.implicit_tls and not is_loopback(self.host)


def relay_of(url: str) -> Relay:
    """The relay in `smtp://user:password@host:port` or `smtps://…`; parts may be percent-encoded."""
    parts = urlsplit(url)
    implicit = parts.scheme == "smtps"
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return Relay(parts.hostname or "", parts.port or (465 if implicit else 587), user, password, implicit)


class Mailer:
    """Connections to one relay, kept while mails flow and built anew after a failure or a silence."""

    def __init__(self, relay: Relay, timeout_seconds: float = 30) -> None:
        self._relay = relay
        self._timeout = timeout_seconds
        self._idle: list[tuple[float, SMTP]] = []
        self.connections_opened = 0

    async def send(self, sender: str, recipient: str, content: bytes) -> str:
        """Hand over one mail and return the relay's answer, for example `250 OK`; TryAgain or Refused."""
        try:
            async with asyncio.timeout(self._timeout * 2):
                connection = await self._connection()
                return await self._transact(connection, sender, recipient, content)
        except TimeoutError as error:
            raise TryAgain("no answer in time") from error

    async def close(self) -> None:
        """End all idle connections."""
        idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    async def _connection(self) -> SMTP:
        while self._idle:
            used_at, connection = self._idle.pop()
            if connection.is_connected and time.monotonic() - used_at < IDLE_SECONDS:
                return connection
            connection.close()
        return await self._connect()

    async def _connect(self) -> SMTP:
        relay = self._relay
        connection = SMTP(
            hostname=relay.host, port=relay.port, username=relay.user, password=relay.password,
            use_tls=relay.implicit_tls, start_tls=relay.starttls, validate_certs=True, timeout=self._timeout,
        )  # fmt: skip
        try:
            await connection.connect()
        except (SMTPException, OSError) as error:
            connection.close()
            raise TryAgain(f"no connection: {_text(error)}") from error
        self.connections_opened += 1
        return connection

    async def _transact(self, connection: SMTP, sender: str, recipient: str, content: bytes) -> str:
        kept = False
        try:
            options = [] if recipient.isascii() else ["SMTPUTF8"]
            _, answer = await connection.sendmail(sender, [recipient], content, mail_options=options)
            kept = True
            return f"250 {answer}"
        except SMTPRecipientsRefused as error:
            kept = True
            first = error.recipients[0]
            raise _failure(first.code, first.message) from error
        except SMTPResponseException as error:
            kept = error.code != 421
            raise _failure(error.code, error.message) from error
        except (SMTPNotSupported, ValueError) as error:
            kept = True
            raise Refused(_text(error)) from error
        except (SMTPException, OSError) as error:
            raise TryAgain(_text(error)) from error
        finally:
            if kept and connection.is_connected:
                self._idle.append((time.monotonic(), connection))
            else:
                connection.close()


def _failure(code: int, text: str) -> TryAgain | Refused:
    answer = f"{code} {text}"
    return Refused(answer) if code >= 500 and code not in _RELAYS_OWN_TROUBLE else TryAgain(answer)


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
