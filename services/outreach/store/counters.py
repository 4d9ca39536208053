"""Counters of attempts per span of time, shared by all processes of this service; and guards, counted up so that two
transactions meet."""

from datetime import UTC, datetime, timedelta

from pymongo import ReturnDocument

from services.outreach.store.core import Store
from shared.auth import hash_of_key
from shared.mongo import AlreadyThere, Session


async def count(store: Store, what: str, span: timedelta, now: datetime) -> int:
    """Count one more of `what` in the present span; returns how many there were, this one included.

    `what` may name an address: only its hash is kept, and for a day at most.
    """
    window = int(now.timestamp() // span.total_seconds())
    key = hash_of_key(f"{what} {span} {window}")
    more = {"$inc": {"count": 1}, "$setOnInsert": {"gone_at": datetime.now(UTC) + timedelta(days=1)}}
    for _ in range(3):
        try:
            found = await store.db.counters.find_one_and_update(
                {"_id": key}, more, upsert=True, return_document=ReturnDocument.AFTER
            )
        except AlreadyThere:  # another process was the first to count, in this very moment
            continue
        return found["count"]
    raise AssertionError("unreachable")


async def guard(store: Store, organisation_id: str, session: Session) -> None:
    """Take an organisation's people for this transaction: of two that would each leave the other, one starts again."""
    at = {"_id": f"guard:{organisation_id}"}
    await store.db.counters.update_one(at, {"$inc": {"count": 1}}, upsert=True, session=session)
