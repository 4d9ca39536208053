"""The collection `reminder_stops`: who wants no more reminders, by the hash of the address."""

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.mongo import Database

KEPT = timedelta(days=365)


class ReminderStops:
    """A stop ends by itself after a year, or when its owner takes it back."""

    def __init__(self, db: Database, hash_of: Callable[[str], str]) -> None:
        self._rows = db.reminder_stops
        self._hash_of = hash_of

    async def create_indexes(self) -> None:
        """For erasure."""
        await self._rows.create_index("erase_after")

    async def put(self, email: str, now: datetime) -> None:
        """No more reminders to this address. Safe to repeat."""
        fresh = {"since": now, "erase_after": now + KEPT}
        await self._rows.update_one({"_id": self._hash_of(email)}, {"$setOnInsert": fresh}, upsert=True)

    async def has(self, email: str) -> bool:
        """Whether this address gets no reminders."""
        return await self._rows.find_one({"_id": self._hash_of(email)}, {"_id": 1}) is not None

    async def remove(self, email: str) -> int:
        """Reminders again."""
        return (await self._rows.delete_one({"_id": self._hash_of(email)})).deleted_count

    async def erase_due(self, now: datetime) -> int:
        """Delete stops whose time is over."""
        return (await self._rows.delete_many({"erase_after": {"$lte": now}})).deleted_count
