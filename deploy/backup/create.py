"""Make a backup: all collections of the three databases as they were at one moment, while everything goes on."""

import tomllib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

from bson import Timestamp
from pymongo.errors import OperationFailure

from deploy.backup.archive import ArchiveWriter, Counts
from deploy.backup.errors import BackupRefused
from shared.ids import random_id
from shared.mongo import SNAPSHOT_TOO_OLD, SNAPSHOT_UNAVAILABLE, Client, Database, Session, one_moment
from shared.restored import OF_THE_MOMENT, is_restoring

SERVICES = ("outreach", "events", "notify")
PART = 4 * 1024 * 1024
DOCUMENTS_AT_ONCE = 2_000
TOLD_EVERY = 100_000
Say = Callable[[str], None]


async def create(client: Client, prefix: str, stream: BinaryIO, say: Say) -> Counts:
    """Write a backup of the databases `<prefix>_<service>` to `stream`; returns what is in it. Memory stays the same
    however much there is. BackupRefused when there is nothing, or the moment is no longer readable."""
    dbs = {service: client[f"{prefix}_{service}"] for service in SERVICES}
    for db in dbs.values():
        await _must_be_ours(db)
    try:
        async with one_moment(dbs["events"].outbox) as (session, moment):
            archive = ArchiveWriter(stream, await _header(client, moment))
            for service, db in dbs.items():
                await _write_database(archive, service, db, session, say)
            archive.close()
    except OperationFailure as error:
        raise _refused(error) from error
    return archive.counts


async def _must_be_ours(db: Database) -> None:
    if "outbox" not in await db.list_collection_names():
        raise BackupRefused(f"There is no database {db.name} of Perspektive here: check MONGODB_URL, DATABASE_PREFIX.")
    if await is_restoring(db):
        raise BackupRefused("A restore of this database runs or was interrupted: there is nothing whole to back up.")


async def _header(client: Client, moment: Timestamp) -> dict[str, object]:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    return {
        "id": random_id(),
        "taken_at": moment.as_datetime().isoformat(),
        "cluster_time": [moment.time, moment.inc],
        "mongodb": (await client.server_info())["version"],
        "program": project["project"]["version"],
        "indexes": "made by each service when it starts",
    }


async def _write_database(archive: ArchiveWriter, service: str, db: Database, session: Session, say: Say) -> None:
    names = [name for name in await db.list_collection_names() if not name.startswith("system.")]
    for name in sorted(set(names) - set(OF_THE_MOMENT)):
        archive.counts.add(service, name, 0)
        counted, told = archive.counts.documents[service], TOLD_EVERY
        async for bson in _stretches(db, name, session):
            archive.add(service, name, bson)
            if counted[name] >= told:
                say(f"  {service}.{name} … {counted[name]:,}")
                told = counted[name] + TOLD_EVERY
        if counted[name]:
            say(f"  {service}.{name} {counted[name]:,}")


async def _stretches(db: Database, name: str, session: Session) -> AsyncIterator[bytes]:
    """The documents of a collection as the server stores them, some megabytes at a time."""
    gathered = bytearray()
    async for batch in db[name].find_raw_batches({}, session=session, batch_size=DOCUMENTS_AT_ONCE):
        gathered += batch
        if len(gathered) >= PART:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def _refused(error: OperationFailure) -> BackupRefused:
    if error.code == SNAPSHOT_TOO_OLD:
        return BackupRefused(
            "The backup took longer than MongoDB keeps one moment readable (300 seconds by default). Let it keep more,"
            " for example an hour: db.adminCommand({setParameter: 1, minSnapshotHistoryWindowInSeconds: 3600})"
        )
    if error.code == SNAPSHOT_UNAVAILABLE:
        return BackupRefused("A collection was made or dropped at this moment: a service starts anew. Try again.")
    return BackupRefused(f"MongoDB refused to read: {error.details.get('codeName') if error.details else error.code}.")
