"""python -m tests.faults.weakened outbox app|events …: a program with one defence switched off.

The checker must notice; nothing of the product can be set like this.
"""

import sys
from collections.abc import Awaitable, Callable

from deploy.local import app
from services.events import __main__ as events
from services.events.domain.ledger import Ledger
from services.events.store.places import Places
from shared import inbox
from shared.mongo import Database, Session, transaction
from shared.schemas.base import Message

Effect = Callable[[Session], Awaitable[None]]


def without_outbox() -> None:
    """Registrations are written, their messages are not."""
    whole = Places._batch
    Places._batch = lambda self, ledger: {**whole(self, ledger), "outbox": []}


def without_inbox() -> None:
    """A message takes effect each time that it comes. The note is written as ever: only the effects may tell."""

    async def each_time(db: Database, message: Message, handler: str, effect: Effect) -> bool:
        async def work(session: Session) -> None:
            note = inbox._note(message, handler)
            await db.inbox.replace_one({"_id": note["_id"]}, note, upsert=True, session=session)
            await effect(session)

        await transaction(db, work)
        return True

    inbox.once = each_time
    inbox.Together.once = lambda self, message, effect: each_time(self._db, message, self._handler, effect)


def without_condition() -> None:
    """A decision is written whatever has become of the slot since it was read."""
    whole = Places._write

    async def over_everything(self: Places, version: int, ledger: Ledger) -> bool:
        newest = await self._db.slots.find_one({"_id": ledger.slot.id}, {"version": 1})
        return await whole(self, newest["version"] if newest else version, ledger)

    Places._write = over_everything


WEAKNESSES = {"outbox": without_outbox, "inbox": without_inbox, "condition": without_condition}

if __name__ == "__main__":
    WEAKNESSES[sys.argv.pop(1)]()
    {"app": app.main, "events": events.main}[sys.argv.pop(1)]()
