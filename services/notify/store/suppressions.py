"""The collection `suppressions`: one row per address that is or was not written to. The address itself is not there."""

from collections.abc import Callable
from dataclasses import asdict

from bson import ObjectId

from services.notify.store.deliveries import cursor_of
from services.notify.suppression import AlreadyLifted, Suppression
from shared.gather import Gatherer
from shared.mongo import Database, Document, Session


class Suppressions:
    """`order` is renewed whenever an address is suppressed (again), so that the newest come first."""

    def __init__(self, db: Database, hash_of: Callable[[str], str]) -> None:
        self._rows = db.suppressions
        self._hash_of = hash_of
        self._asked: Gatherer[str, Suppression | None] = Gatherer(self._active_among)

    async def create_indexes(self) -> None:
        """For the list, and for erasure."""
        await self._rows.create_index([("active", 1), ("order", -1)])
        await self._rows.create_index("erase_after")

    async def active(self, email: str) -> Suppression | None:
        """The suppression that forbids writing to this address, or None. Calls that come together share one trip."""
        return await self._asked.submit("", self._hash_of(email))

    async def _active_among(self, _: str, ids: list[str]) -> list[Suppression | None | Exception]:
        rows = self._rows.find({"_id": {"$in": ids}, "active": True})
        found = {row["_id"]: _suppression(row) for row in await rows.to_list(None)}
        return [found.get(id) for id in ids]

    async def get(self, id: str, session: Session | None = None) -> Suppression | None:
        """One suppression, lifted ones too, or None."""
        row = await self._rows.find_one({"_id": id}, session=session)
        return _suppression(row) if row else None

    async def put(self, suppression: Suppression, session: Session | None = None) -> bool:
        """Suppress; False, with nothing changed, when the address is suppressed already."""
        if await self._rows.find_one({"_id": suppression.id, "active": True}, {"_id": 1}, session=session):
            return False
        row = {**_document(suppression), "order": ObjectId()}
        await self._rows.replace_one({"_id": suppression.id}, row, upsert=True, session=session)
        return True

    async def lift(self, suppression: Suppression) -> None:
        """Write what a lifting changed; AlreadyLifted when somebody was faster."""
        names = ("active", "lifted_at", "lifted_by", "erase_after", "last_request_id")
        change = {name: getattr(suppression, name) for name in names}
        if not (await self._rows.update_one({"_id": suppression.id, "active": True}, {"$set": change})).matched_count:
            raise AlreadyLifted

    async def page(self, active: bool, limit: int, after: str | None) -> tuple[list[Suppression], str | None]:
        """Up to `limit`, the newest first, and the cursor of the rest."""
        where: Document = {"active": active} | ({"order": {"$lt": cursor_of(after)}} if after else {})
        rows = await self._rows.find(where).sort("order", -1).limit(limit + 1).to_list(limit + 1)
        cursor = str(rows[limit - 1]["order"]) if len(rows) > limit else None
        return [_suppression(row) for row in rows[:limit]], cursor

    async def count(self) -> int:
        """How many addresses are suppressed."""
        return await self._rows.count_documents({"active": True})

    async def erase(self, where: Document) -> int:
        """Delete rows; what was suppressed may be tried again."""
        return (await self._rows.delete_many(where)).deleted_count


def _document(suppression: Suppression) -> Document:
    fields = asdict(suppression)
    return {"_id": fields.pop("id"), **fields}


def _suppression(row: Document) -> Suppression:
    fields = {name: value for name, value in row.items() if name not in ("_id", "order")}
    return Suppression(id=row["_id"], **fields)
