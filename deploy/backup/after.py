"""After a restore: what is held, what the log says was sent after the backup, and the end of holding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from deploy.backup.create import SERVICES
from deploy.backup.errors import BackupRefused
from services.notify.store import held
from services.notify.store.sent_log import Sent, sent_in
from shared import restored
from shared.mongo import Client, Database, Document

AT_ONCE = 500


@dataclass(frozen=True)
class Held:
    """The moment of the backup, the mails that are due, and how many messages have yet to reach the broker."""

    taken_at: datetime
    due: list[Document]
    under_way: int


@dataclass(frozen=True)
class SentAfter:
    """Mails that were sent after the backup: those that were held, and those that are unknown to the database."""

    taken_at: datetime
    noted: list[Sent]
    unknown: list[Sent]


async def look(client: Client, prefix: str, now: datetime) -> Held:
    """What is held; `now` is the application's time."""
    db = client[f"{prefix}_notify"]
    taken_at = await _held_since(db)
    outboxes = [client[f"{prefix}_{service}"].outbox for service in SERVICES]
    under_way = sum([await outbox.count_documents({"published": False}) for outbox in outboxes])
    return Held(taken_at, await held.due_and_held(db, now), under_way)


async def note_sent(client: Client, prefix: str, lines: Iterable[str]) -> SentAfter:
    """Let the mails that the log says were sent after the backup wait no longer. Safe to repeat; the lines may be those
    of several processes, in any order. Earlier ones say nothing: such a mail may have been planned once more."""
    db = client[f"{prefix}_notify"]
    taken_at = await _held_since(db)
    noted, unknown = list[Sent](), list[Sent]()
    since = sorted((sent for sent in sent_in(lines) if sent.at >= taken_at), key=lambda sent: sent.at)
    for some in _at_once(since):
        more_noted, more_unknown = await held.note_sent(db, some)
        noted += more_noted
        unknown += more_unknown
    return SentAfter(taken_at, noted, unknown)


async def release_mails(client: Client, prefix: str) -> bool:
    """Let mails go out again; whether they were held."""
    return await restored.release(client[f"{prefix}_notify"])


async def _held_since(db: Database) -> datetime:
    taken_at = await restored.held_since(db)
    if taken_at is None:
        raise BackupRefused("No mails are held: this database was not restored, or they were released.")
    return taken_at.replace(tzinfo=taken_at.tzinfo or UTC)


def _at_once(mails: Sequence[Sent]) -> Iterable[Sequence[Sent]]:
    return (mails[start : start + AT_ONCE] for start in range(0, len(mails), AT_ONCE))
