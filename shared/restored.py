"""What a database knows of its own restore: its services wait while it runs, and mails wait for a person afterwards.

Kept in the collection `restores`: `running` from before the first document until everything is there, then `last`.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.mongo import Database, Document, Session, transaction

log = logging.getLogger(__name__)
RUNNING, LAST = "running", "last"
OF_THE_MOMENT = ("leases", "restores")  # collections that belong to running processes, and are never restored


async def wait_until_whole(db: Database, pause_seconds: float = 1.0) -> None:
    """Wait for the end of a restore that runs or was interrupted."""
    told = False
    while await is_restoring(db):
        if not told:
            log.warning("waiting: a restore of %s runs, or was interrupted and must be started again", db.name)
        told = True
        await asyncio.sleep(pause_seconds)


async def is_restoring(db: Database) -> bool:
    """Whether a restore of this database runs or was interrupted."""
    return await db.restores.find_one({"_id": RUNNING}) is not None


async def held_since(db: Database) -> datetime | None:
    """The moment of the backup from which this database was restored, while mails are held; None when they go out."""
    row = await db.restores.find_one({"_id": LAST, "held": True})
    return row["taken_at"] if row else None


async def release(db: Database) -> bool:
    """Let mails go out again; whether they were held."""
    return bool((await db.restores.update_one({"_id": LAST, "held": True}, {"$set": {"held": False}})).modified_count)


async def begin(dbs: Sequence[Database], backup: str) -> None:
    """Note in each database, as its first document, that a restore runs."""
    for db in dbs:
        await db.restores.insert_one({"_id": RUNNING, "backup": backup, "since": datetime.now(UTC)})


async def finish(dbs: Sequence[Database], backup: str, taken_at: datetime) -> None:
    """Let everything in the outboxes be said again, and the services begin with mails held: in all databases at once.
    `taken_at` is the moment of the backup."""
    now = datetime.now(UTC)
    for db in dbs:
        await _say_again(db, now)
    note = {"_id": LAST, "backup": backup, "at": now, "taken_at": taken_at, "held": True}

    async def work(session: Session) -> None:
        for db in dbs:
            await db.restores.delete_one({"_id": RUNNING}, session=session)
            await db.restores.insert_one(note, session=session)

    await transaction(dbs[0], work)


async def _say_again(db: Database, now: datetime) -> None:
    """Whoever had not handled a message at the moment of the backup gets it; who had notes it for as long as if it were
    new. Nothing is forgotten before, however old the backup is."""
    unsaid: Document = {"$set": {"published": False}, "$unset": {"stream_position": "", "published_at": ""}}
    await db.outbox.update_many({"published": True}, unsaid)
    await db.inbox.update_many({}, {"$set": {"handled_at": now}})
