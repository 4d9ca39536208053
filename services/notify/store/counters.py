"""Counters of attempts per span of time, shared by all processes of this service."""

from datetime import UTC, datetime, timedelta

from pymongo import ReturnDocument

from shared.auth import hash_of_key
from shared.mongo import AlreadyThere, Database


class Counters:
    """The collection `counters`."""

    def __init__(self, db: Database) -> None:
        self._rows = db.counters

    async def create_indexes(self) -> None:
        """Counters go by themselves."""
        await self._rows.create_index("gone_at", expireAfterSeconds=0)

    async def count(self, what: str, span: timedelta, now: datetime) -> int:
        """Count one more of `what` in the present span; returns how many there were, this one included.

        `what` may name an address: only its hash is kept, and for two days at most.
        """
        key = hash_of_key(f"{what} {span} {int(now.timestamp() // span.total_seconds())}")
        more = {"$inc": {"count": 1}, "$setOnInsert": {"gone_at": datetime.now(UTC) + timedelta(days=2)}}
        try:
            found = await self._add(key, more)
        except AlreadyThere:  # another process was the first to count, in this very moment
            found = await self._add(key, more)
        return found["count"]

    async def _add(self, key: str, more: dict[str, object]) -> dict[str, int]:
        return await self._rows.find_one_and_update(
            {"_id": key}, more, upsert=True, return_document=ReturnDocument.AFTER
        )
