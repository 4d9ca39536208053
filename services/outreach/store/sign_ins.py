"""Sign-in mails: using one up is one conditional write."""

from datetime import datetime

from pymongo import ReturnDocument

from services.outreach.domain.sign_in import SignIn
from services.outreach.store.core import Store, from_document
from services.outreach.store.people import SIGN_IN_BLANK
from shared.mongo import Document


async def use(store: Store, which: Document, now: datetime) -> SignIn | None:
    """The sign-in, used up by this call; None when there is none that is unused and still valid."""
    found = await store.db.sign_ins.find_one_and_update(_usable(which, now), {"$set": {"used_at": now}})
    return from_document(SignIn, found) if found else None


async def attempt(store: Store, id: str, most: int, now: datetime) -> SignIn | None:
    """The sign-in with one attempt more; None when its `most` attempts, its time or its one use are over."""
    still_free = {**_usable({"_id": id}, now), "attempts": {"$lt": most}}
    found = await store.db.sign_ins.find_one_and_update(
        still_free, {"$inc": {"attempts": 1}}, return_document=ReturnDocument.AFTER
    )
    return from_document(SignIn, found) if found else None


async def erase_expired(store: Store, now: datetime) -> int:
    """Delete what is too old, and blank the published mails' address, token and code; returns how many were deleted."""
    said = {"subject": "outreach.SignInRequested.v1", "published": True, "wire.data.token": {"$ne": ""}}
    async for row in store.db.outbox.find(said, {"wire.data.expires_at": 1}):
        if datetime.fromisoformat(row["wire"]["data"]["expires_at"]) <= now:
            await store.db.outbox.update_one({"_id": row["_id"]}, SIGN_IN_BLANK)
    return (await store.db.sign_ins.delete_many({"erase_after": {"$lte": now}})).deleted_count


def _usable(which: Document, now: datetime) -> Document:
    return {**which, "used_at": None, "expires_at": {"$gt": now}}
