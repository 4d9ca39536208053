"""Bring a backup into an empty MongoDB. Services wait until it is whole; an interrupted one is started again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from bson.raw_bson import RawBSONDocument

from deploy.backup.archive import ArchiveReader
from deploy.backup.create import SERVICES, Say
from deploy.backup.errors import BackupRefused, Damaged
from services.notify.store.held import let_wait, raise_calendars
from shared import restored
from shared.mongo import Client, Database, relaxed
from shared.restored import OF_THE_MOMENT

Facts = dict[str, Any]


@dataclass(frozen=True)
class Restored:
    """What was done: how many documents are there, and how many mails were in a sender's hands at the backup."""

    documents: int
    in_doubt: int


def check(stream: BinaryIO) -> ArchiveReader:
    """Read a whole backup; Damaged names the part that is not as it was written."""
    reader = ArchiveReader(stream)
    for _ in reader.parts():
        pass
    return reader


async def restore(client: Client, prefix: str, stream: BinaryIO, say: Say) -> Restored:
    """Fill the databases `<prefix>_<service>`, which must be empty or hold an interrupted restore. Afterwards no
    mail but a sign-in's goes out until they are released."""
    dbs = {service: client[f"{prefix}_{service}"] for service in SERVICES}
    reader = ArchiveReader(stream)
    await _make_room(list(dbs.values()), say)
    await restored.begin(list(dbs.values()), reader.header["id"])
    await _write(reader, dbs, say)
    for service, db in dbs.items():
        await _must_have(db, reader.counts.documents.get(service, {}))
    in_doubt = await let_wait(dbs["notify"])
    await raise_calendars(dbs["notify"])
    taken_at = datetime.fromisoformat(reader.header["taken_at"])
    await restored.finish(list(dbs.values()), reader.header["id"], taken_at)
    return Restored(reader.counts.total, in_doubt)


async def _make_room(dbs: Sequence[Database], say: Say) -> None:
    """Nothing is dropped but what an interrupted restore has left."""
    for db in dbs:
        names = await db.list_collection_names()
        if names and not await restored.is_restoring(db):
            raise BackupRefused(
                f"The database {db.name} is not empty ({', '.join(sorted(names)[:3])} …), and nothing is overwritten."
                " Stop the services and restore into an empty MongoDB, or under another DATABASE_PREFIX."
            )
    for db in dbs:
        if await db.list_collection_names():
            say(f"  {db.name}: what an interrupted restore left is dropped")
            await db.client.drop_database(db.name)


async def _write(reader: ArchiveReader, dbs: dict[str, Database], say: Say) -> None:
    before = ("", "")
    for part in reader.parts():
        if part.service not in dbs:
            raise Damaged(f"The backup has a part of the service {part.service}, which there is not.")
        if before[0] and before != (part.service, part.collection):
            say(f"  {'.'.join(before)} {reader.counts.documents[before[0]][before[1]]:,}")
        before = (part.service, part.collection)
        if part.collection not in OF_THE_MOMENT:
            rows = [RawBSONDocument(document) for document in part.documents]
            await relaxed(dbs[part.service][part.collection]).insert_many(rows, ordered=False)


async def _must_have(db: Database, counts: Facts) -> None:
    for name, count in counts.items():
        found = await db[name].count_documents({})
        if found != count:
            raise BackupRefused(f"{db.name}.{name} has {found} documents in place of {count}: start the restore again.")
