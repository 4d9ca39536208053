"""Messages that could not be handled: seen by an operator, and handled again when the cause is gone."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.auth import Identity
from shared.errors import Invalid, NotFound
from shared.ids import random_id
from shared.inbox import Dispatcher
from shared.mongo import Database, Session, transaction

CONTENT_KEPT = timedelta(days=90)
DISCARDED_KEPT = timedelta(days=365)
REPLAYED_AT_ONCE = 200
HIDDEN = "•••"
_ALWAYS = re.compile(r"(.*_)?(email|phone|token|code|needs|first_name|key_hash|invited_by)$")
_FREE_TEXT = re.compile(r"(.*_)?(reason|room|material|preparation|notes|went_well)$")
_ADDRESS = re.compile(r"[^\s<>'\"=,;:]+@[^\s<>'\"=,;:]+")
_QUOTED_INPUT = re.compile(r"input_value=.*?(?=, input_type=|\]|$)")


class SetAsideNotFound(NotFound):
    """This message is not set aside (any more)."""


class DiscardReasonMissing(Invalid):
    """Say in a few words why this message is not needed."""

    field = "reason"


@dataclass(frozen=True)
class Discarded:
    """The record of a message that somebody threw away; its content is gone."""

    id: str
    type: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class SetAsideMessage:
    """A message with the error it met last."""

    id: str
    type: str
    error: str
    attempts: int
    set_aside_at: datetime
    wire: dict[str, Any]


async def list_set_aside(db: Database, identity: Identity, most: int = 100) -> list[SetAsideMessage]:
    """The oldest messages that are set aside, at most `most`."""
    identity.must_operate()
    rows = await db.set_aside.find().sort("set_aside_at", 1).limit(most).to_list(most)
    return [_message(row) for row in rows]


async def count_set_aside(db: Database, identity: Identity) -> int:
    """How many messages are set aside."""
    identity.must_operate()
    return await db.set_aside.count_documents({})


async def get_set_aside(db: Database, identity: Identity, message_id: str) -> SetAsideMessage:
    """One message that is set aside. SetAsideNotFound."""
    identity.must_operate()
    row = await db.set_aside.find_one({"_id": message_id})
    if row is None:
        raise SetAsideNotFound
    return _message(row)


async def replay_message(db: Database, identity: Identity, dispatcher: Dispatcher, message_id: str) -> bool:
    """Handle one again; whether that worked (else it stays, with the new error). SetAsideNotFound."""
    identity.must_operate()
    await get_set_aside(db, identity, message_id)
    try:
        await dispatcher.replay(message_id)
    except Exception:  # the dispatcher has noted the error with the message, where the operator reads it
        return False
    return True


async def replay_all(db: Database, identity: Identity, dispatcher: Dispatcher) -> tuple[int, int]:
    """Handle the oldest again, at most REPLAYED_AT_ONCE, which a press of a button can wait for; (worked, failed)."""
    identity.must_operate()
    rows = db.set_aside.find({}, {"_id": 1}).sort("set_aside_at", 1).limit(REPLAYED_AT_ONCE)
    ids = [row["_id"] async for row in rows]
    worked = [await replay_message(db, identity, dispatcher, message_id) for message_id in ids]
    return sum(worked), len(worked) - sum(worked)


async def discard_message(db: Database, identity: Identity, message_id: str, reason: str, *, now: datetime) -> None:
    """Throw a message away for good, with a record of who did it and why. DiscardReasonMissing, SetAsideNotFound."""
    identity.must_operate()
    found = await get_set_aside(db, identity, message_id)
    why = " ".join(reason.split())[:300]
    if not why:
        raise DiscardReasonMissing
    record = {
        "_id": found.id, "type": found.type, "about": str(found.wire.get("subject", "")), "reason": why,
        "error": masked_error(found.error), "by": identity.name, "at": now, "erase_after": now + DISCARDED_KEPT,
    }  # fmt: skip

    async def work(session: Session) -> None:
        await db.discarded.replace_one({"_id": found.id}, record, upsert=True, session=session)
        await db.set_aside.delete_one({"_id": found.id}, session=session)

    await transaction(db, work)


async def list_discarded(db: Database, identity: Identity, most: int = 20) -> list[Discarded]:
    """What was thrown away last."""
    identity.must_operate()
    rows = await db.discarded.find().sort("at", -1).limit(most).to_list(most)
    return [Discarded(row["_id"], row["type"], row["reason"], row["by"], row["at"]) for row in rows]


async def forget_personal(db: Database, now: datetime) -> int:
    """Blank the persons in messages that have been set aside for 90 days, with a receipt of how many; and end old
    records of what was discarded. A blanked message can still be handled again."""
    due = {"set_aside_at": {"$lte": now - CONTENT_KEPT}, "hidden": {"$ne": True}}
    count = 0
    async for row in db.set_aside.find(due):
        facts = {"wire": masked_payload(row["wire"], ""), "error": masked_error(row["error"]), "hidden": True}
        still = {"_id": row["_id"], "hidden": {"$ne": True}}
        count += (await db.set_aside.update_one(still, {"$set": facts})).modified_count
    if count:
        receipt = {"_id": random_id(), "what": "set_aside", "count": count, "at": now}
        await db.erasure_receipts.insert_one(receipt)
    await db.discarded.delete_many({"erase_after": {"$lte": now}})
    return count


def masked_payload(part: Any, hidden: str = HIDDEN) -> Any:
    """A message's content without what names a person, and without free texts, which may: `hidden` in their place."""
    if isinstance(part, list):
        return [masked_payload(each, hidden) for each in part]
    if isinstance(part, str):
        return _ADDRESS.sub(hidden, part)
    if not isinstance(part, dict):
        return part
    person = "email" in part
    return {name: _masked(name, value, person, hidden) for name, value in part.items()}


def masked_error(text: str) -> str:
    """An error's text without addresses and without the values that it quotes."""
    return _ADDRESS.sub(HIDDEN, _QUOTED_INPUT.sub(f"input_value={HIDDEN}", text))


def _masked(name: str, value: Any, person: bool, hidden: str) -> Any:
    personal = _ALWAYS.fullmatch(name) or _FREE_TEXT.fullmatch(name) or (person and name == "name")
    if personal and isinstance(value, str):
        return hidden if value else value
    return masked_payload(value, hidden)


def _message(row: dict[str, Any]) -> SetAsideMessage:
    facts = {name: row[name] for name in ("error", "attempts", "set_aside_at", "wire")}
    return SetAsideMessage(id=row["_id"], type=str(row["wire"].get("type", "?")), **facts)
