"""Invitations: found by token or organisation; what is personal in them goes with the answer."""

from datetime import datetime

from services.outreach.domain.invitations import Invitation, aggregate
from services.outreach.domain.people import email_key
from services.outreach.store.core import Store, from_document
from shared.mongo import Document, Session
from shared.schemas.base import Message

BLANK = {"$set": {f"wire.data.{name}": "" for name in ("name", "email", "invited_by", "token")}}


async def by_token(store: Store, token_hash: str, session: Session | None = None) -> Invitation | None:
    """The invitation with this token, whatever its state."""
    found = await store.db.invitations.find_one({"token_hash": token_hash}, session=session)
    return from_document(Invitation, found) if found else None


async def open_ones(
    store: Store, organisation_id: str, now: datetime, session: Session | None = None
) -> list[Invitation]:
    """The invitations of an organisation that can be answered, the newest first."""
    where = {"organisation_id": organisation_id, "state": "open", "expires_at": {"$gt": now}}
    found = store.db.invitations.find(where, session=session).sort("expires_at", -1)
    return [from_document(Invitation, row) async for row in found]


async def insert(store: Store, invitation: Invitation, message: Message, session: Session) -> None:
    """Write a new invitation with its mail; AlreadyThere when the id is taken."""
    await store.insert(
        "invitations", invitation, [message], session,
        email_key=email_key(invitation.email), erase_after=invitation.expires_at,
    )  # fmt: skip


async def close(store: Store, closed: Invitation, session: Session) -> None:
    """Write an answered invitation; name, address and token also leave what was said."""
    await store.save("invitations", closed, session=session, email_key="")
    await _blank(store, [closed.id], session)


async def erase_person(store: Store, person_id: str, email: str, session: Session) -> None:
    """What asks the address `email` goes, and the name in what the person asked others."""
    mine = {"$or": [{"email_key": email}, {"person_id": person_id}, {"invited_by": person_id}]}
    rows = store.db.invitations.find(mine, {"_id": 1}, session=session)
    ids = [row["_id"] async for row in rows]
    await store.db.invitations.delete_many({"_id": {"$in": ids}}, session=session)
    await _blank(store, ids, session)


async def erase_expired(store: Store, now: datetime) -> int:
    """Delete what is too old, also from the outbox; returns how many."""
    due: Document = {"erase_after": {"$lte": now}}
    ids = [row["_id"] async for row in store.db.invitations.find(due, {"_id": 1}).limit(1000)]
    await _blank(store, ids, None)
    return (await store.db.invitations.delete_many({"_id": {"$in": ids}})).deleted_count


async def _blank(store: Store, ids: list[str], session: Session | None) -> None:
    if ids:
        said = {"aggregate": {"$in": [aggregate(id) for id in ids]}}
        await store.db.outbox.update_many(said, BLANK, session=session)
