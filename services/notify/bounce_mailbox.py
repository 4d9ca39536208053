"""The mailbox to which bounces come back, read by IMAP (imaplib, in a thread)."""

import asyncio
import imaplib
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from services.notify.smtp.relays import is_loopback

log = logging.getLogger(__name__)
TIMEOUT_SECONDS = 30
MOST_AT_ONCE = 100
Hear = Callable[[bytes], Awaitable[str]]


@dataclass(frozen=True)
class Mailbox:
    """Where bounces are: imaps, or imap with STARTTLS; without TLS only on this machine."""

    host: str
    port: int
    user: str
    password: str
    folder: str
    implicit_tls: bool
    ca_file: str = ""

    def tls_context(self) -> ssl.SSLContext:
        """What verifies the certificate: the authorities of this machine, or only the mailbox's own."""
        return ssl.create_default_context(cafile=self.ca_file or None)


def mailbox_of(url: str) -> Mailbox:
    """The mailbox in `imaps://user:password@host/folder`, with `?ca=<file>` for a private authority; ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username:
        raise ValueError("BOUNCE_MAILBOX must look like imaps://user:password@host/INBOX.")
    secure = parts.scheme == "imaps"
    user, password = unquote(parts.username), unquote(parts.password or "")
    folder = unquote(parts.path.strip("/")) or "INBOX"
    port, ca_file = parts.port or (993 if secure else 143), dict(parse_qsl(parts.query)).get("ca", "")
    return Mailbox(parts.hostname, port, user, password, folder, secure, ca_file)


async def read_mailbox(mailbox: Mailbox, hear: Hear) -> int:
    """Hand every unread mail to `hear`; what it noted is deleted, for it names a person, and everything else stays for
    somebody to read. Returns how many were read. OSError, imaplib.IMAP4.error."""
    count = 0
    for number, content in await asyncio.to_thread(_unread, mailbox):
        heard = await hear(content)
        await asyncio.to_thread(_mark, mailbox, number, heard in ("noted", "known"))
        count += 1
        log.info("a mail in the bounce mailbox: %s", heard)
    return count


async def watch(mailbox: Mailbox, hear: Hear, seconds: float) -> None:
    """Read the mailbox for ever, so many seconds apart; trouble with it is logged and passes."""
    while True:
        try:
            await read_mailbox(mailbox, hear)
        except (OSError, imaplib.IMAP4.error) as error:
            log.warning("the bounce mailbox cannot be read: %s", type(error).__name__)
        await asyncio.sleep(seconds)


def _unread(mailbox: Mailbox) -> list[tuple[str, bytes]]:
    with _opened(mailbox) as connection:
        _, found = connection.uid("SEARCH", "UNSEEN")
        numbers = (found[0] or b"").decode().split()[:MOST_AT_ONCE]
        return [(number, content) for number in numbers if (content := _content(connection, number))]


def _content(connection: imaplib.IMAP4, number: str) -> bytes:
    _, parts = connection.uid("FETCH", number, "(BODY.PEEK[])")
    return next((part[1] for part in parts if isinstance(part, tuple)), b"")


def _mark(mailbox: Mailbox, number: str, done: bool) -> None:
    with _opened(mailbox) as connection:
        connection.uid("STORE", number, "+FLAGS", "(\\Seen \\Deleted)" if done else "(\\Seen)")
        if done:
            connection.expunge()


@contextmanager
def _opened(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    connection = _connected(mailbox)
    try:
        connection.login(mailbox.user, mailbox.password)
        connection.select(f'"{mailbox.folder}"')
        yield connection
    finally:
        connection.logout()


def _connected(mailbox: Mailbox) -> imaplib.IMAP4:
    if mailbox.implicit_tls:
        tls = mailbox.tls_context()
        return imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=tls, timeout=TIMEOUT_SECONDS)
    connection = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=TIMEOUT_SECONDS)
    if not is_loopback(mailbox.host):
        connection.starttls(mailbox.tls_context())
    return connection
