"""What every use case of this service works with."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.notify.rendering import Writer
from services.notify.store.core import Store
from services.notify.timing import QuietHours
from services.notify.usecases.tokens import Tokens


class Turns:
    """Messages about one thing are handled in the order in which they came, one after the other.

    The broker hands over many at a time. Without turns they would overtake each other, and those about one slot
    would fight for its document. It is a courtesy within one process: what is right does not depend on it.
    """

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, thing: str) -> AsyncIterator[None]:
        """Wait for the turn of whoever came first about `thing`."""
        lock, users = self._locks.get(thing, (asyncio.Lock(), 0))
        self._locks[thing] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(thing)
            if users > 1:
                self._locks[thing] = (lock, users - 1)


@dataclass(frozen=True)
class Context:
    """The store, the writer that knows the mails' words, the links in mails to pupils, and what recipients are
    spared: quiet hours, and more than so many mails with reminders in a calendar week."""

    store: Store
    writer: Writer
    tokens: Tokens
    quiet: QuietHours | None = None
    reminders_per_week: int = 7
    turns: Turns = field(default_factory=Turns)
