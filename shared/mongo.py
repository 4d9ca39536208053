"""MongoDB: the only file that builds a driver client. docs/decisions tells how to move to AsyncMongoClient."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bson import Timestamp
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import MongoClient, ReadPreference
from pymongo.errors import AutoReconnect, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

Client = AsyncIOMotorClient[dict[str, Any]]
Database = AsyncIOMotorDatabase[dict[str, Any]]
Collection = AsyncIOMotorCollection[dict[str, Any]]
Session = AsyncIOMotorClientSession
Document = dict[str, Any]
Result = TypeVar("Result")

_TRANSACTION: dict[str, Any] = {
    "read_concern": ReadConcern("snapshot"),
    "write_concern": WriteConcern("majority", j=True),
    "read_preference": ReadPreference.PRIMARY,
}
StoreUnavailable = AutoReconnect
AlreadyThere = DuplicateKeyError
StoreError = PyMongoError
SNAPSHOT_TOO_OLD, SNAPSHOT_UNAVAILABLE = 239, 246


def connect(url: str, most_connections: int = 50) -> Client:
    """A client that acknowledges a write only when a majority has it in its journal. Connects lazily."""
    return AsyncIOMotorClient(
        url,
        tz_aware=True,
        tzinfo=UTC,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        maxPoolSize=most_connections,
        serverSelectionTimeoutMS=15_000,
        appname="perspektive",
        uuidRepresentation="standard",
    )


@asynccontextmanager
async def database(url: str, name: str) -> AsyncIterator[Database]:
    """The named database, its client closed at the end."""
    client = connect(url)
    try:
        yield client[name]
    finally:
        client.close()


def relaxed(collection: Collection) -> Collection:
    """The collection with writes acknowledged before they are journaled, for what a crash may forget.

    Reads see such writes at once.
    """
    return collection.with_options(write_concern=WriteConcern(w=1, j=False), read_concern=ReadConcern("local"))


async def transaction(db: Database, work: Callable[[Session], Awaitable[Result]]) -> Result:
    """Run `work` in one multi-document transaction; it is run again from the start on a transient write conflict."""
    async with await db.client.start_session() as session:
        return await session.with_transaction(work, **_TRANSACTION)


async def try_transaction(db: Database, work: Callable[[Session], Awaitable[Result]]) -> Result:
    """The same without running it again: a conflict is raised, see `is_conflict`."""
    async with await db.client.start_session() as session, session.start_transaction(**_TRANSACTION):
        return await work(session)


@asynccontextmanager
async def one_moment(collection: Collection) -> AsyncIterator[tuple[Session, Timestamp]]:
    """A session whose reads, of any collection, all see the one moment of a first read of `collection`; and the moment.

    MongoDB keeps it readable for `minSnapshotHistoryWindowInSeconds` (300): later reads fail with SNAPSHOT_TOO_OLD.
    One of a collection that was made, renamed or dropped since then fails with SNAPSHOT_UNAVAILABLE.
    """
    async with await collection.database.client.start_session(snapshot=True) as session:
        await collection.find_one({}, {"_id": 1}, session=session)
        yield session, session.delegate._snapshot_time  # the driver has no public name for it


def is_conflict(error: Exception) -> bool:
    """Whether a transaction changed nothing because of others at the same time, and may be tried again."""
    return isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError")


async def put_if_newer(
    collection: Collection, key: str, version: int, fields: Document, session: Session | None = None
) -> bool:
    """Replace the copy `key` when `version` is newer than the one held; an older or equal one changes nothing.

    Returns whether the copy changed. Safe to repeat, and safe out of order.
    """
    if session is not None and await collection.find_one({"_id": key, "version": {"$gte": version}}, session=session):
        return False  # inside a transaction the duplicate key below would end the whole transaction
    older, copy = {"_id": key, "version": {"$lt": version}}, {**fields, "version": version}
    try:
        result = await collection.replace_one(older, copy, upsert=True, session=session)
    except DuplicateKeyError:  # a newer one is there, or another version came in first at this very moment
        if session is not None:
            raise  # the transaction has ended
        result = await collection.replace_one(older, copy)
    return bool(result.modified_count or result.upserted_id)


def one_after_the_other(collection: Collection, parts: Sequence[list[Document]]) -> list[Document]:
    """One pipeline that gives the rows of all `parts`, each a pipeline over `collection`: one trip instead of many, and
    each part goes by the index that suits it."""
    first, *others = parts
    return [*first, *({"$unionWith": {"coll": collection.name, "pipeline": part}} for part in others)]


async def count_each(collection: Collection, wheres: Mapping[str, Document], most: int) -> dict[str, int]:
    """How many documents fit each of `wheres`, by its name, in one trip; counting ends at `most` of each."""
    parts: list[list[Document]] = [
        [{"$match": where}, {"$limit": most}, {"$group": {"_id": {"$literal": name}, "count": {"$sum": 1}}}]
        for name, where in wheres.items()
    ]
    rows = await collection.aggregate(one_after_the_other(collection, parts)).to_list(None)
    return {**dict.fromkeys(wheres, 0), **{row["_id"]: row["count"] for row in rows}}


async def hold_lease(db: Database, name: str, holder: str, seconds: float) -> bool:
    """Take or keep the lease `name` for `seconds`; False while somebody else holds it.

    Uses the machine's time on purpose: moving the clock of a demo must not end leases.
    """
    now = datetime.now(UTC)
    free_or_mine = {"_id": name, "$or": [{"holder": holder}, {"until": {"$lt": now}}]}
    taken = {"$set": {"holder": holder, "until": now + timedelta(seconds=seconds)}}
    try:
        return (await db.leases.update_one(free_or_mine, taken, upsert=True)).acknowledged
    except DuplicateKeyError:
        return False


async def give_back_lease(db: Database, name: str, holder: str) -> None:
    """End the lease `name` at once, so that another process need not wait for its end."""
    await db.leases.delete_one({"_id": name, "holder": holder})


async def create_collections(db: Database, names: list[str]) -> None:
    """Create what is missing: a transaction must not meet a collection that does not exist yet."""
    existing = set(await db.list_collection_names())
    for name in names:
        if name not in existing:
            try:
                await db.create_collection(name)
            except PyMongoError as error:
                if getattr(error, "code", None) != 48:  # another process was first: NamespaceExists
                    raise


def initiate_replica_set(port: int, name: str = "rs0", seconds: float = 30, host: str = "127.0.0.1") -> None:
    """Make the mongod on `port` a replica set of one, known as `host`, and wait until it takes writes.

    Repeating it changes nothing. A set that was known under another port gets this one. TimeoutError after `seconds`.
    """
    members = [{"_id": 0, "host": f"{host}:{port}"}]
    with MongoClient(host, port, directConnection=True, serverSelectionTimeoutMS=int(1000 * seconds)) as client:
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != 94:  # not yet initiated
                raise
            client.admin.command("replSetInitiate", {"_id": name, "members": members})
        else:
            if config["members"][0]["host"] != members[0]["host"]:
                moved = {**config, "version": config["version"] + 1, "members": members}
                client.admin.command("replSetReconfig", moved, force=True)
        _wait_until_writable(client, time.monotonic() + seconds)


def _wait_until_writable(client: MongoClient[Document], deadline: float) -> None:
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the replica set has no primary")
        time.sleep(0.02)
