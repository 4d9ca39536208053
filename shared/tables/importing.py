"""Importing lists: keep the file, say line by line what it would do, and after a confirmation do it.

Every line goes through the use case that a person's form goes through, with a request id that depends on the file's
content and the line alone: a killed import goes on, and the same file imported twice creates nothing twice. What is
kept of a file is personal, and goes a day later at the latest.
"""

import asyncio
import hashlib
import logging
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ReplaceOne

from shared.clock import Clock
from shared.errors import NotFound
from shared.identity import Identity
from shared.ids import derived_id, random_id
from shared.mongo import AlreadyThere, Database, Document, StoreError, give_back_lease, hold_lease
from shared.schemas.outreach import Role
from shared.tables.faults import FileTooLarge, NoLongerAllowed
from shared.tables.lines import Importer, Work, look_at, outcome_document
from shared.tables.reading import MB, Line, count_lines, read_lines

log = logging.getLogger(__name__)
COLLECTIONS = ["table_imports", "table_import_lines"]
KEPT = timedelta(hours=24)
BATCH = 50
AT_ONCE = 200  # lines up to which nobody has to wait for the worker
MOST_PACKED = 14 * MB  # a document of the store holds 16
LEASE_SECONDS = 30
WORKING = ("checking", "importing")
COUNTED = ("new", "changed", "unchanged", "error")


class ImportNotFound(NotFound):
    """This file was uploaded more than a day ago, or never. Please choose it again."""


@dataclass(frozen=True)
class Import:
    """How far an import is. `state`: checking → checked → importing → done, or stopped: for whoever
    confirmed it may no longer import, or because it `failed`."""

    id: str
    state: str
    total: int
    at: int
    counts: dict[str, int]
    lines: list[Document]
    failed: bool = False

    @property
    def working(self) -> bool:
        """Whether it goes on by itself."""
        return self.state in WORKING


class Imports:
    """A service's imports. `store` and `zone` are handed to the importers."""

    def __init__(self, db: Database, store: Any, zone: str, clock: Clock, importers: Mapping[str, Importer]) -> None:
        self.db, self.importers = db, importers
        self._store, self._zone, self._clock = store, zone, clock

    async def keep(self, identity: Identity, kind: str, data: bytes, *, now: datetime, request_id: str) -> str:
        """Keep a file for a day and begin to check it; the import's id. One of the FileFaults."""
        identity.must_coordinate()
        total = await _in_thread(count_lines, self.importers[kind].table, data)
        packed = zlib.compress(data, 1)
        if len(packed) > MOST_PACKED:
            raise FileTooLarge(most=MOST_PACKED // MB)
        kept = {
            "_id": derived_id(request_id, "import", kind), "kind": kind, "content": packed, "person_id": identity.id,
            "batch": derived_id("import", kind, hashlib.sha256(data).hexdigest()), **_begin("checking"),
            "total": total, "erase_after": now + KEPT, "gone_at": datetime.now(UTC) + 2 * KEPT,
        }  # fmt: skip
        try:
            await self.db.table_imports.insert_one(kept)
        except AlreadyThere:
            return kept["_id"]
        if total <= AT_ONCE:
            await self.go_on(kept["_id"])
        return kept["_id"]

    async def look(self, identity: Identity, kind: str, import_id: str, *, now: datetime, most: int = 200) -> Import:
        """How far it is, with the first lines that are not unchanged, faults first. ImportNotFound."""
        identity.must_coordinate()
        kept = await self._kept(kind, import_id, now)
        rows = self.db.table_import_lines.find({"import_id": import_id})
        lines = await rows.sort([("failed", -1), ("line", 1)]).to_list(most)
        failed = kept.get("failed", False)
        return Import(import_id, kept["state"], kept["total"], kept["at"], kept["counts"], lines, failed)

    async def faults(self, identity: Identity, kind: str, import_id: str, *, now: datetime) -> list[Document]:
        """All lines with faults, in the order of the file. ImportNotFound."""
        identity.must_coordinate()
        await self._kept(kind, import_id, now)
        rows = self.db.table_import_lines.find({"import_id": import_id, "failed": True})
        return await rows.sort("line", 1).to_list(None)

    async def confirm(self, identity: Identity, kind: str, import_id: str, *, now: datetime) -> None:
        """Import what was checked; sent twice it is imported once. ImportNotFound."""
        identity.must_coordinate()
        kept = await self._kept(kind, import_id, now)
        checked = {"_id": import_id, "state": "checked"}
        start = {"$set": {**_begin("importing"), "person_id": identity.id, "checked": kept["counts"]}}
        changed = await self.db.table_imports.update_one(checked, start)
        if changed.modified_count and kept["total"] <= AT_ONCE:
            await self.go_on(import_id)

    async def work(self) -> int:
        """Go on with every import that waits for it; how many. A worker calls this again and again."""
        found = await self.db.table_imports.find({"state": {"$in": WORKING}}, {"_id": 1}).to_list(20)
        for row in found:
            await self.go_on(row["_id"])
        return len(found)

    async def go_on(self, import_id: str) -> None:
        """Do what is left of an import, unless somebody else is at it. One that fails in a way that nobody thought of
        is stopped: it must not be tried for ever, nor keep others waiting."""
        lease, holder = f"import:{import_id}", random_id()
        if not await hold_lease(self.db, lease, holder, LEASE_SECONDS):
            return
        try:
            kept = await self.db.table_imports.find_one({"_id": import_id, "state": {"$in": WORKING}})
            if kept:
                await self._work_through(kept, lease, holder)
        except StoreError:  # the store is away: it goes on when that is over
            raise
        except Exception as error:
            log.error("an import failed and was stopped", exc_info=error)
            await self._stop(import_id, failed=True)
        finally:
            await give_back_lease(self.db, lease, holder)

    async def _kept(self, kind: str, import_id: str, now: datetime) -> Document:
        where = {"_id": import_id, "kind": kind, "erase_after": {"$gt": now}}
        kept = await self.db.table_imports.find_one(where, {"content": 0})
        if kept is None:
            raise ImportNotFound
        return kept

    async def _work_through(self, kept: Document, lease: str, holder: str) -> None:
        importer = self.importers[kept["kind"]]
        lines = read_lines(importer.table, zlib.decompress(kept["content"]))
        seen: dict[str, int] = {}
        passed, resumed = 0, kept["at"] > 0
        while batch := await _in_thread(_take, lines, BATCH):
            before = passed
            passed += len(batch)
            if passed <= kept["at"]:
                _remember(batch, seen)
                continue
            batch = batch[max(kept["at"] - before, 0) :]
            identity = await self._identity(kept["person_id"])
            if identity is None:
                log.warning("an import was stopped: %s", NoLongerAllowed().sentence())
                await self._stop(kept["_id"])
                return
            work = Work(self._store, identity, self._now(), self._zone)
            await self._report(kept, await self._do(work, importer, kept, batch, seen, resumed), passed)
            resumed = False
            if not await hold_lease(self.db, lease, holder, LEASE_SECONDS):
                return
        done = {"state": "checked" if kept["state"] == "checking" else "done", "at": kept["total"]}
        await self.db.table_imports.update_one({"_id": kept["_id"], "state": kept["state"]}, {"$set": done})

    async def _do(
        self, work: Work, importer: Importer, kept: Document, batch: Sequence[Line], seen: dict[str, int], resumed: bool
    ) -> list[Document]:
        """What became of each line of the batch. A line that was found wrong stays out; one that is in already, because
        an import was cut off, is told as what it was before."""
        importing = kept["state"] == "importing"
        planned: dict[int, Document] = {}
        if importing:
            where = {"import_id": kept["_id"], "line": {"$in": [line.number for line in batch]}}
            planned = {row["line"]: row async for row in self.db.table_import_lines.find(where)}
        found = []
        for each in await look_at(work, importer, kept["batch"], batch, seen, patient=importing and resumed):
            before = planned.get(each.line.number)
            if before and before["outcome"] == "error":
                found.append(before)
                continue
            await (each.carry_out(work, importer) if importing else each.check(work, importer))
            outcome = outcome_document(kept["_id"], each, kept["erase_after"], kept["gone_at"])
            if outcome["outcome"] == "unchanged" and before:
                outcome = before
            found.append(outcome)
        return found

    async def _report(self, kept: Document, outcomes: Sequence[Document], passed: int) -> None:
        for outcome in outcomes:
            kept["counts"][outcome["outcome"]] += 1
        told = [each for each in outcomes if each["outcome"] != "unchanged" or each["ignored"]]
        if told:
            await self.db.table_import_lines.bulk_write(
                [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in told], ordered=False
            )
        progress = {"$set": {"at": min(passed, kept["total"]), "counts": kept["counts"]}}
        await self.db.table_imports.update_one({"_id": kept["_id"], "state": kept["state"]}, progress)

    async def _identity(self, person_id: str) -> Identity | None:
        """The coordinator on whose behalf lines are imported, unless she no longer is one."""
        row = await self.db.people.find_one({"_id": person_id, "active": True, "roles.kind": "coordinator"})
        if row is None:
            return None
        roles = tuple(Role(**role) for role in row["roles"])
        return Identity(row["_id"], "person", row["name"], roles, email=row["email"], language=row["language"])

    async def _stop(self, import_id: str, *, failed: bool = False) -> None:
        await self.db.table_imports.update_one({"_id": import_id}, {"$set": {"state": "stopped", "failed": failed}})

    def _now(self) -> datetime:
        now = self._clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)  # as the store keeps it


async def create_indexes(db: Database) -> None:
    """For the worker, the reports, and for forgetting."""
    await db.table_imports.create_index("state")
    await db.table_import_lines.create_index([("import_id", 1), ("line", 1)])
    for collection in COLLECTIONS:
        await db[collection].create_index("erase_after")
        await db[collection].create_index("gone_at", expireAfterSeconds=0)


async def erase_imports(db: Database, now: datetime) -> int:
    """Erase files whose day is over, and what was reported about them; how many files."""
    due = {"erase_after": {"$lte": now}}
    await db.table_import_lines.delete_many(due)
    return (await db.table_imports.delete_many(due)).deleted_count


def _begin(state: str) -> Document:
    return {"state": state, "at": 0, "counts": dict.fromkeys(COUNTED, 0)}


def _take(lines: Any, most: int) -> list[Line]:
    return [line for _, line in zip(range(most), lines, strict=False)]


def _remember(batch: Sequence[Line], seen: dict[str, int]) -> None:
    for line in batch:
        if line.cells.get("id"):
            seen.setdefault(str(line.cells["id"]).strip(), line.number)


async def _in_thread(work: Any, *arguments: Any) -> Any:
    """For what needs seconds of reckoning, so that requests are answered meanwhile."""
    return await asyncio.to_thread(work, *arguments)
