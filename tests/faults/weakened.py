"""python -m tests.faults.weakened outbox|inbox|write app|events …: a program with one defence switched off.

The checker must notice; nothing of the product can be set like this.
"""

import sys
from typing import Any

from deploy.local import app
from services.events import __main__ as events
from services.events.store.places import Places
from shared import inbox


def without_outbox() -> None:
    """Registrations are written, their messages are not."""
    whole = Places._batch
    Places._batch = lambda self, ledger: {**whole(self, ledger), "outbox": []}


def without_inbox() -> None:
    """What was handled is not noted."""

    async def always(db: Any, message: Any, handler: str, effect: Any) -> bool:
        await inbox.transaction(db, effect)
        return True

    inbox.once = always


def with_any_version() -> None:
    """The decision is written whatever the slot's version is meanwhile."""
    careful = Places._write

    async def careless(self: Places, version: int, ledger: Any) -> bool:
        current = await self._db.slots.find_one({"_id": ledger.slot.id}, {"version": 1})
        return await careful(self, current["version"], ledger)

    Places._write = careless


WEAKNESSES = {"outbox": without_outbox, "inbox": without_inbox, "write": with_any_version}

if __name__ == "__main__":
    WEAKNESSES[sys.argv.pop(1)]()
    {"app": app.main, "events": events.main}[sys.argv.pop(1)]()
