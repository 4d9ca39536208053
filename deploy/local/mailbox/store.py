"""Where the mailbox keeps its mails: one SQLite file. A mail that was accepted survives kill -9 and a power cut."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at TEXT NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,
    subject TEXT NOT NULL, message_id TEXT NOT NULL, size INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS mails_by_message_id ON mails (message_id);
CREATE TABLE IF NOT EXISTS sources (id INTEGER PRIMARY KEY, source BLOB NOT NULL);
"""
_COLUMNS = "id, received_at, sender, recipients, subject, message_id, size"


@dataclass(frozen=True)
class Mail:
    """One accepted mail; `recipients` are those of the SMTP envelope, `size` is in bytes. `received_at` is the mail's
    own date, by the clock of the system that sent it, which may be moved; without one it is the machine's time."""

    id: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        facts = {name: getattr(self, name) for name in ("id", "sender", "subject", "message_id", "size")}
        return {**facts, "received_at": self.received_at.isoformat(), "recipients": list(self.recipients)}


@dataclass(frozen=True)
class NewMail:
    """What came in over SMTP."""

    sender: str
    recipients: tuple[str, ...]
    source: bytes


class MailStore:
    """The mails in the file `path`, which is created when missing. Use it from one thread."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        # FULL: a commit is on the disk before it returns, also in write-ahead mode.
        self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-1024; {_TABLES}")

    def keep(self, mails: Sequence[NewMail]) -> list[int]:
        """Write `mails` to the disk, all in one go; their ids."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            ids = [self._insert(mail) for mail in mails]
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return ids

    def newest(self, to: str, subject: str, before: int | None, limit: int) -> list[Mail]:
        """The newest mails first, from below the id `before` on; `to` and `subject` are parts of what is looked for."""
        where, values = _filter(to, subject)
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM mails WHERE {where} AND id < ? ORDER BY id DESC LIMIT ?",
            (*values, before or 1 << 62, limit),
        )
        return [_mail(row) for row in rows]

    def after(self, to: str, subject: str, after: int, limit: int) -> list[Mail]:
        """The mails above the id `after` in the order in which they came."""
        where, values = _filter(to, subject)
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM mails WHERE {where} AND id > ? ORDER BY id LIMIT ?", (*values, after, limit)
        )
        return [_mail(row) for row in rows]

    def count(self, to: str, subject: str) -> tuple[int, int]:
        """How many mails, and how many different Message-IDs among them."""
        where, values = _filter(to, subject)
        query = f"SELECT count(*), count(DISTINCT message_id) FROM mails WHERE {where}"
        return self._db.execute(query, values).fetchone()

    def find(self, mail_id: int) -> tuple[Mail, bytes] | None:
        """One mail and its source, or None."""
        row = self._db.execute(
            f"SELECT {_COLUMNS}, source FROM mails JOIN sources USING (id) WHERE id = ?", (mail_id,)
        ).fetchone()
        return (_mail(row[:-1]), row[-1]) if row else None

    def delete_all(self) -> int:
        """Forget all mails; how many there were. Ids are not used again."""
        self._db.executescript("BEGIN IMMEDIATE; DELETE FROM sources;")
        count = self._db.execute("DELETE FROM mails").rowcount
        self._db.execute("COMMIT")
        return count

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _insert(self, mail: NewMail) -> int:
        message = read_message(mail.source)
        values = (
            _dated(message).isoformat(),
            mail.sender,
            " ".join(mail.recipients),
            _header(message, "Subject"),
            _header(message, "Message-ID"),
            len(mail.source),
        )
        row = self._db.execute(
            "INSERT INTO mails (received_at, sender, recipients, subject, message_id, size) VALUES (?, ?, ?, ?, ?, ?)",
            values,
        )
        self._db.execute("INSERT INTO sources VALUES (?, ?)", (row.lastrowid, mail.source))
        return row.lastrowid or 0


def read_message(source: bytes) -> EmailMessage:
    """The parsed mail; a broken one is read as far as possible."""
    message = message_from_bytes(source, policy=modern)
    assert isinstance(message, EmailMessage)
    return message


def _dated(message: EmailMessage) -> datetime:
    try:
        date = parsedate_to_datetime(_header(message, "Date"))
    except ValueError:
        return datetime.now(UTC)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, "")).strip()
    except Exception:  # a header so broken that it cannot be decoded must not cost the mail
        return ""


def _filter(to: str, subject: str) -> tuple[str, tuple[str, ...]]:
    """Without regard to case (ASCII)."""
    patterns = [(column, text) for column, text in (("recipients", to), ("subject", subject)) if text]
    where = " AND ".join(f"instr(lower({column}), lower(?)) > 0" for column, _ in patterns)
    return where or "1", tuple(text for _, text in patterns)


def _mail(row: Sequence[Any]) -> Mail:
    mail_id, received_at, sender, recipients, subject, message_id, size = row
    return Mail(
        mail_id, datetime.fromisoformat(received_at), sender, tuple(recipients.split()), subject, message_id, size
    )
