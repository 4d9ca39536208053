"""Messages that could not be handled: seen by an operator, and handled again when the cause is gone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.auth import Identity
from shared.errors import NotFound
from shared.inbox import Dispatcher
from shared.mongo import Database


class SetAsideNotFound(NotFound):
    """This message is not set aside (any more)."""


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
    """Handle all again, the oldest first; (worked, failed)."""
    identity.must_operate()
    ids = [row["_id"] async for row in db.set_aside.find({}, {"_id": 1}).sort("set_aside_at", 1)]
    worked = [await replay_message(db, identity, dispatcher, message_id) for message_id in ids]
    return sum(worked), len(worked) - sum(worked)


def _message(row: dict[str, Any]) -> SetAsideMessage:
    facts = {name: row[name] for name in ("error", "attempts", "set_aside_at", "wire")}
    return SetAsideMessage(id=row["_id"], type=str(row["wire"].get("type", "?")), **facts)
