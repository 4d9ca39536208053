"""Kept counts: sums that are exact whenever they are read, without a document that writers wait for.

A writer only takes the note `counted` off the row that it changes, in the same write. Counting up works out what each
such row counts for now, adds the difference to what was counted of it before to the sums, in one transaction, and notes
the row as counted unless it has changed again. Whoever reads the sums counts up first; a worker does so all the time,
so that little is left to do. Rows that were never noted, such as those of an older database, are counted like changed
ones.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from bson import ObjectId
from pymongo import ReplaceOne, UpdateOne

from shared.mongo import Database, Document, Session, relaxed, transaction

log = logging.getLogger(__name__)
Key = tuple[str, ...]
Counts = Counter[Key]
CountRows = Callable[[Sequence[str], Session], Awaitable[dict[str, Counts]]]
AddToSums = Callable[[Mapping[Key, int], Session], Awaitable[None]]
COLLECTIONS = ["tally_counted", "tally_state"]
CHANGED = {"counted": {"$ne": True}}
AT_ONCE = 500


def changed_again() -> Document:
    """The fields by which a write says that its row has to be counted anew."""
    return {"counted": ObjectId()}


class Tally:
    """Counts the rows of the collections `sources`, each with a function that says what rows count for.

    `add` brings a difference into the sums, within the transaction. A new `version` counts everything from the start;
    the keys of the sums must hold it.
    """

    def __init__(self, db: Database, sources: Mapping[str, CountRows], add: AddToSums, version: int) -> None:
        self.db = db
        self._sources = sources
        self._add = add
        self._version = version
        self._turn = asyncio.Lock()

    async def prepare(self) -> None:
        """Indexes; and everything is to be counted when another version has counted so far."""
        for source in self._sources:
            await self.db[source].create_index("counted")
        state = await self.db.tally_state.find_one({"_id": "version"})
        if state and state["version"] != self._version:
            await self.start_again()
        note = {"$set": {"version": self._version}}
        await self.db.tally_state.update_one({"_id": "version"}, note, upsert=True)

    async def start_again(self) -> None:
        """Have every row counted anew; what is right already does not change by that."""
        for source in self._sources:
            await self.db[source].update_many({}, {"$set": changed_again()})

    async def count_up(self) -> int:
        """Count every row that was changed before this call; returns how many there were."""
        async with self._turn:
            changed = await self._changed()
            for source, ids in changed.items():
                for start in range(0, len(ids), AT_ONCE):
                    await self._count(source, ids[start : start + AT_ONCE])
        return sum(map(len, changed.values()))

    async def prove(self, kept: Callable[[], Awaitable[Any]], afresh: Callable[[], Awaitable[Any]]) -> bool:
        """Whether what is `kept` is what is counted `afresh`; else everything is counted anew. While others go on
        writing nothing can be said, which passes as proven."""
        before = await kept()
        counted = await afresh()
        if before != await kept() or before == counted:
            return True
        log.error("kept counts differ from what is there, and are counted anew")
        await self.start_again()
        return False

    async def _changed(self) -> dict[str, list[str]]:
        """The changed rows' ids by their source, from one question: mostly there are none."""
        first, *others = self._sources
        steps = [
            *_changed_of(first),
            *({"$unionWith": {"coll": each, "pipeline": _changed_of(each)}} for each in others),
        ]
        changed: dict[str, list[str]] = {source: [] for source in self._sources}
        for row in await relaxed(self.db[first]).aggregate(steps).to_list(None):
            changed[row["source"]].append(row["_id"])
        return changed

    async def _count(self, source: str, ids: Sequence[str]) -> None:
        async def work(session: Session) -> list[Document]:
            seen = {"version": 1, "counted": 1}
            rows = await self.db[source].find({"_id": {"$in": ids}, **CHANGED}, seen, session=session).to_list(None)
            if rows:
                await self._add_differences(source, [row["_id"] for row in rows], session)
            return rows

        await self._note_counted(source, await transaction(self.db, work))

    async def _add_differences(self, source: str, ids: Sequence[str], session: Session) -> None:
        """What was counted is written even where nothing differs: of two that count the same row, one starts again."""
        counts = await self._sources[source](ids, session)
        keys = {id: f"{self._version}:{source}:{id}" for id in ids}
        known = self.db.tally_counted.find({"_id": {"$in": list(keys.values())}}, session=session)
        before = {row["_id"]: row["counts"] async for row in known}
        difference: Counts = Counter()
        notes = []
        for id, key in keys.items():
            now = counts.get(id, Counter())
            difference.update(now)
            difference.subtract({tuple(each): count for *each, count in before.get(key, [])})
            stored = [[*each, count] for each, count in now.items()]
            notes.append(ReplaceOne({"_id": key}, {"counts": stored, **changed_again()}, upsert=True))
        await self.db.tally_counted.bulk_write(notes, ordered=False, session=session)
        await self._add({key: count for key, count in difference.items() if count}, session)

    async def _note_counted(self, source: str, rows: list[Document]) -> None:
        """Relaxed: should a crash undo this, the rows are counted once more, to no effect."""
        notes = [UpdateOne(_as_seen(row), {"$set": {"counted": True}}) for row in rows]
        if notes:
            await relaxed(self.db[source]).bulk_write(notes, ordered=False)


def _changed_of(source: str) -> list[Document]:
    return [{"$match": CHANGED}, {"$project": {"source": {"$literal": source}}}]


def _as_seen(row: Document) -> Document:
    return {"_id": row["_id"], "version": row.get("version"), "counted": row.get("counted")}


def path(*parts: str) -> str:
    """The path of a field below others, whatever characters their names have."""
    return ".".join(part.replace("%", "%25").replace(".", "%2E").replace("$", "%24") or "%" for part in parts)


def named(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    """The fields of a document by the names that `path` was given."""
    return {_plain(name) if "%" in name else name: value for name, value in (fields or {}).items()}


def _plain(name: str) -> str:
    return "" if name == "%" else unquote(name)
