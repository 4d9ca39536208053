"""Inbox: a consumer handles each message once, whatever the broker repeats, and sets aside what it cannot handle."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from pydantic import ValidationError

from shared.broker import RETRY_PAUSES, TryAgain
from shared.clock import Clock
from shared.gather import Gatherer
from shared.log import correlation_id
from shared.mongo import (
    AlreadyThere,
    Database,
    Document,
    Session,
    StoreUnavailable,
    is_conflict,
    transaction,
    try_transaction,
)
from shared.schemas.base import Message
from shared.schemas.catalogue import UnknownMessage, read_message
from shared.together import Joint

log = logging.getLogger(__name__)
Handler = Callable[[Any, Any, datetime], Awaitable[None]]
Handled = tuple[Message, Callable[[Session], Awaitable[None]]]
ATTEMPTS = len(RETRY_PAUSES) + 1
STORE_PAUSE_SECONDS = 1.0
EARLY_PAUSE_SECONDS = 0.5
PATIENCE = 360  # times that a message comes too early before it passes all the same: longer than all RETRY_PAUSES
MOST_TOGETHER = 64
CONFLICT_PAUSES = (0.02, 0.05, 0.1, 0.2)  # at most; another process is handling messages about the same things
_came_early: ContextVar[int] = ContextVar("came_early", default=PATIENCE)


async def once(db: Database, message: Message, handler: str, effect: Callable[[Session], Awaitable[None]]) -> bool:
    """Run `effect` in one transaction with the note that `handler` has handled `message`.

    Returns False, with nothing changed, when it was handled before.
    """

    async def work(session: Session) -> None:
        await db.inbox.insert_one(_note(message, handler), session=session)
        await effect(session)

    try:
        await transaction(db, work)
    except AlreadyThere as error:
        if (error.details or {}).get("keyValue", {}).get("_id") != f"{message.id}:{handler}":
            raise
        return False
    return True


def _note(message: Message, handler: str) -> Document:
    return {"_id": f"{message.id}:{handler}", "handled_at": datetime.now(UTC), "aggregate": message.aggregate}


class Together:
    """`once` for messages that come at the same time: one transaction does them all. Their effects may only make calls
    in it that are trips (see `shared.together`). When it fails, halves of them are tried, and at last each alone."""

    def __init__(self, db: Database, handler: str) -> None:
        self._db = db
        self._handler = handler
        self._gathered: Gatherer[Handled, bool] = Gatherer(self._handle, most=MOST_TOGETHER)

    async def once(self, message: Message, effect: Callable[[Session], Awaitable[None]]) -> bool:
        """As `once` above."""
        return await self._gathered.submit("", (message, effect))

    async def _handle(self, _: str, handled: list[Handled]) -> list[bool | Exception]:
        if len(handled) == 1:
            return [await once(self._db, handled[0][0], self._handler, handled[0][1])]
        if noted := await self._noted(handled):
            new = [each for each in handled if each[0].id not in noted]
            done = iter(await self._part(new) if new else ())
            return [False if message.id in noted else next(done) for message, _ in handled]
        if await self._all(handled):
            return [True] * len(handled)
        half = len(handled) // 2
        return [*await self._part(handled[:half]), *await self._part(handled[half:])]

    async def _noted(self, handled: list[Handled]) -> set[str]:
        """The ids of those that were handled before: of all, when the broker has lost its data and is told anew."""
        ids = {f"{message.id}:{self._handler}": message.id for message, _ in handled}
        return {ids[row["_id"]] async for row in self._db.inbox.find({"_id": {"$in": [*ids]}}, {"_id": 1})}

    async def _part(self, handled: list[Handled]) -> list[bool | Exception]:
        try:
            return await self._handle("", handled)
        except Exception as error:
            return [error] * len(handled)

    async def _all(self, handled: list[Handled]) -> bool:
        """Whether one transaction did them all; nothing has changed when not."""

        async def work(session: Session) -> None:
            await self._db.inbox.insert_many([_note(message, self._handler) for message, _ in handled], session=session)
            await Joint(session).run([effect for _, effect in handled])

        for pause in CONFLICT_PAUSES:
            try:
                await try_transaction(self._db, work)
            except StoreUnavailable:
                raise
            except Exception as error:
                if not is_conflict(error):
                    log.info("%d messages are not handled together: %s", len(handled), type(error).__name__)
                    return False
                await asyncio.sleep(pause * random.random())
            else:
                return True
        return False


class TooEarly(Exception):
    """What happened before to the same aggregate is still on its way."""


def in_turn(held_version: int, version: int, patience: int = PATIENCE) -> None:
    """Let the message of `version` pass when it is the next after `held_version`, or an older one.

    TooEarly for one that has overtaken others: it is delivered again a little later. After coming `patience` times it
    passes all the same, so that nothing waits for ever; give a small number where some versions are never told.
    """
    if version > held_version + 1 and _came_early.get() < patience:
        raise TooEarly(f"version {version} came, {held_version} is held")


class Unreadable(Exception):
    """The document is not a message of the version that this program reads."""


class Dispatcher:
    """Hands a message from the broker to its handler: `handler(message, context, now)`.

    Messages about the same aggregate are handled one after the other, in the order in which they came; others side by
    side. A repeated one may still come late, so handlers look at versions.
    """

    def __init__(self, db: Database, handlers: Mapping[type[Message], Handler], context: Any, clock: Clock) -> None:
        self._db = db
        self._handlers = handlers
        self._context = context
        self._clock = clock
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.came_early: Counter[str] = Counter()
        self._excused: Counter[str] = Counter()

    async def receive(self, wire: Document, attempt: int) -> None:
        """Handle one CloudEvents document. Raises to get it again; after the last attempt it is set aside.

        What cannot be read is set aside at once. The log never holds an error's text: it may quote personal data.
        """
        message_id = str(wire["id"])
        _came_early.set(self.came_early[message_id])
        turn = self._turns.setdefault(str(wire.get("subject")), asyncio.Lock())
        try:
            async with turn:
                await self._handle(wire)
        except (StoreUnavailable, TooEarly) as error:
            raise self._excuse(message_id, error) from error
        except Exception as error:
            tries = attempt - self._excused[message_id]
            if tries < ATTEMPTS and not isinstance(error, Unreadable):
                log.warning("message %s failed %d times: %s", message_id, tries, type(error).__name__)
                raise TryAgain(RETRY_PAUSES[max(tries, 1) - 1]) from error
            log.error("message %s (%s) is set aside: %s", message_id, wire.get("type"), type(error).__name__)
            await self._set_aside(wire, error, tries)
        self._forget(message_id)

    def _excuse(self, message_id: str, error: Exception) -> TryAgain:
        """A delivery that is not the message's own failure does not count as one of its attempts."""
        self._excused[message_id] += 1
        if isinstance(error, TooEarly):
            self.came_early[message_id] += 1
            return TryAgain(EARLY_PAUSE_SECONDS)
        return TryAgain(STORE_PAUSE_SECONDS)

    def _forget(self, message_id: str) -> None:
        del self.came_early[message_id], self._excused[message_id]

    async def replay(self, set_aside_id: str) -> None:
        """Handle a message that was set aside again, and forget it when that works; raises the handler's error else."""
        row = await self._db.set_aside.find_one({"_id": set_aside_id})
        if row is None:
            return
        try:
            await self._handle(row["wire"])
        except Exception as error:
            await self._set_aside(row["wire"], error, row["attempts"] + 1)
            raise
        await self._db.set_aside.delete_one({"_id": set_aside_id})

    async def _handle(self, wire: Document) -> None:
        if not self._concerns_us(wire):
            return
        message = _read(wire)
        correlation_id.set(message.correlation_id)
        await self._handlers[type(message)](message, self._context, self._clock.now())

    def _concerns_us(self, wire: Document) -> bool:
        """Whether a handler waits for this kind of message, or nobody can say; another version of it counts."""
        name = str(wire.get("type", "")).partition(".")[0]
        return not name or any(name == handled.__name__ for handled in self._handlers)

    async def _set_aside(self, wire: Document, error: Exception, attempts: int) -> None:
        facts = {"wire": wire, "error": f"{type(error).__name__}: {error}", "attempts": attempts}
        await self._db.set_aside.update_one(
            {"_id": wire["id"]}, {"$set": {**facts, "set_aside_at": datetime.now(UTC)}}, upsert=True
        )


def _read(wire: Document) -> Message:
    try:
        return read_message(wire)
    except (UnknownMessage, ValidationError, KeyError, TypeError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


async def create_indexes(db: Database) -> None:
    """For forgetting old notes."""
    await db.inbox.create_index("handled_at")


async def forget_handled(db: Database, older_than: timedelta) -> int:
    """Delete notes older than `older_than` (longer than any broker or outbox keeps a message); returns how many."""
    return (await db.inbox.delete_many({"handled_at": {"$lt": datetime.now(UTC) - older_than}})).deleted_count
