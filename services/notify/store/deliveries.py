"""Deliveries ↔ documents, and the conditional writes that end a worker's hold on one."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId
from pymongo import UpdateOne

from services.notify.domain import (
    ATTEMPTS_KEPT,
    HIDDEN_ROLES,
    STATES,
    Attempt,
    CalendarPart,
    ChangedMeanwhile,
    Delivery,
    Recipient,
)
from services.notify.store.order import IN_ORDER, READ, behind
from services.notify.urgency import BULK, REMINDER, SIGN_IN, TRANSITION
from shared import mongo, outbox
from shared.errors import Invalid
from shared.gather import Gatherer
from shared.ids import random_id
from shared.mongo import Database, Document, Session
from shared.restored import held_since
from shared.schemas.base import Message
from shared.together import Trip
from shared.words import search_words

LEASE = timedelta(minutes=3)
ALIVE_SECONDS = 15
GAP_SECONDS = ALIVE_SECONDS / 2  # between two signs of life: after a longer silence others may have been cut off too
NEVER = float("-inf")
LATER = timedelta(seconds=1)
ABOUT = [("about", 1), ("order", -1)]
COUNTED_AT_MOST = 1000
OPEN = ["planned", "deferred"]
_KEPT_AS_IT_IS = {each.name for each in fields(Delivery)} - {"key", "lease_token", "to", "attempts", "calendar"}
Hold = tuple[str, str]  # a delivery's key and the token of the lease


class CursorUnknown(Invalid):
    """This `after` does not come from a list that was answered here."""

    field = "after"


class Deliveries:
    """The collection `deliveries`. `written` is called when messages may have been written, `planned` when mails
    were. A row that waits to be sent has the field `waiting`, one that a worker holds the field `lease`."""

    def __init__(self, db: Database, written: Callable[[], None], planned: Callable[[], None]) -> None:
        self.db = db
        self.holder = f"sender:{random_id()}"
        self.ticks = time.monotonic
        self._alive_at = NEVER
        self._alive_since = 0.0
        self._rows = db.deliveries
        self._held = True  # until the store has said that it is not so: it never begins while processes run
        self.written = written
        self.planned = planned
        self._ended: Gatherer[UpdateOne, bool] = Gatherer(self._end_many)
        self._renewed: Gatherer[Hold, bool] = Gatherer(self._renew_many)
        self._added = Trip(self._add_all)

    async def create_indexes(self) -> None:
        """What is due is found at the same cost however much is planned for later, or long since sent."""
        rows = self._rows
        due = [("waiting", 1), ("priority", 1), ("due_at", 1)]
        await rows.create_index(due, partialFilterExpression={"waiting": True}, name="due")
        await rows.create_index("lease.until", sparse=True)
        await rows.create_index("lease.token", sparse=True)
        for name in ("state", "kind", "recipient_key"):
            await rows.create_index([(name, 1), ("order", -1)])
        await rows.create_index(ABOUT)
        await rows.create_index([("order", -1)])
        await rows.create_index("message_id")
        await rows.create_index("erase_after", sparse=True)

    async def add(self, deliveries: Sequence[Delivery], session: Session) -> None:
        """Write those of `deliveries` whose key is new."""
        if deliveries:
            await self._added.take(session, deliveries)

    async def _add_all(self, session: Session, parts: list[Sequence[Delivery]]) -> list[None]:
        new: dict[str, Delivery] = {}
        for delivery in (delivery for deliveries in parts for delivery in deliveries):
            new.setdefault(delivery.key, delivery)
        there = self._rows.find({"_id": {"$in": list(new)}}, {"_id": 1}, session=session)
        for row in await there.to_list(None):
            del new[row["_id"]]
        if new:
            await self._rows.insert_many([delivery_document(each) for each in new.values()], session=session)
        return [None] * len(parts)

    async def cancel_waiting(
        self, about: str | Sequence[str], kind: str, session: Session, except_revision: int | None = None
    ) -> None:
        """Cancel the mails of `kind` about something that still wait, except those of one revision of its date."""
        things = [about] if isinstance(about, str) else list(about)
        where: Document = {"about": {"$in": things}, "kind": kind, "waiting": True}
        if except_revision is not None:
            where["revision"] = {"$ne": except_revision}
        change = {"$set": {"state": "cancelled", "reason": "superseded"}, "$unset": {"waiting": ""}}
        await self._rows.update_many(where, {**change, "$inc": {"version": 1}}, session=session)

    async def claim(self, most: int, now: datetime) -> list[Delivery]:
        """Take up to `most` deliveries that are due at `now`, the most urgent first, held for three minutes; without
        those that have to wait for an earlier one."""
        due = {"waiting": True, "priority": {"$in": await self._going_out()}, "due_at": {"$lte": now}}
        found = self._rows.find(due, {"_id": 1}).sort([("priority", 1), ("due_at", 1)]).limit(most)
        ids = [row["_id"] for row in await found.to_list(most)]
        return await self._take(ids, now) if ids else []

    async def _going_out(self) -> list[int]:
        """The priorities that may go out: after a restore only sign-ins, until somebody releases the others."""
        if self._held:
            self._held = await held_since(self.db) is not None
        return [SIGN_IN] if self._held else [SIGN_IN, TRANSITION, REMINDER, BULK]

    async def _take(self, ids: list[str], now: datetime) -> list[Delivery]:
        token = random_id()
        # The machine's time on purpose: moving the clock of a demo must not end leases.
        lease = {"token": token, "until": datetime.now(UTC) + LEASE, "holder": self.holder}
        taken = {"$set": {"state": "sending", "lease": lease}, "$unset": {"waiting": "", "behind": ""}}
        if not (await self._rows.update_many({"_id": {"$in": ids}, "waiting": True}, taken)).modified_count:
            return []
        rows = self._rows.find({"lease.token": token}).sort(IN_ORDER)
        return await self._without_those_behind(await rows.to_list(None), token, now)

    async def _without_those_behind(self, taken: list[Document], token: str, now: datetime) -> list[Delivery]:
        """Asked after taking them: of two processes that take an earlier and a later one at once, one sees the
        other's. What this process holds itself it sends in its order anyway."""
        by_others = {"lease.until": {"$exists": True}, "lease.holder": {"$ne": self.holder}}
        where = {
            "about": {"$in": sorted({row["about"] for row in taken})},
            "$or": [{"waiting": True, "due_at": {"$lte": now}}, {"waiting": True, "behind": True}, by_others],
        }
        others = await self._rows.find(where, READ).hint(ABOUT).to_list(None)
        late = behind(taken, others)
        if late:
            await self._put_back([row for row in taken if row["_id"] in late], token, now)
        return [delivery_of(row) for row in taken if row["_id"] not in late]

    async def _put_back(self, rows: Sequence[Document], token: str, now: datetime) -> None:
        """As if they had not been taken, but a moment later: a new version would make them late (`domain.is_late`)."""
        again = {"waiting": True, "behind": True, "due_at": now + LATER}
        for state, tried in (("planned", False), ("deferred", True)):
            if ids := sorted(row["_id"] for row in rows if bool(row["attempt_count"]) is tried):
                change = {"$set": {"state": state, **again}, "$unset": {"lease": ""}}
                await self._rows.update_many({"_id": {"$in": ids}, "lease.token": token}, change)

    async def say_alive(self) -> None:
        """Say that this process still works on what it holds; silence for 15 s counts as its death."""
        before, self._alive_at = self._alive_at, NEVER  # stays so when the store does not answer
        await mongo.hold_lease(self.db, self.holder, self.holder, ALIVE_SECONDS)
        self._alive_at = self.ticks()
        if self._alive_at - before > GAP_SECONDS:
            self._alive_since = self._alive_at

    async def say_goodbye(self) -> None:
        """Say that this process holds nothing any more."""
        await mongo.give_back_lease(self.db, self.holder, self.holder)

    async def leave_to_lease(self) -> None:
        """Say that what this process holds may have reached the relay: nobody takes it over before its lease ends."""
        await mongo.hold_lease(self.db, self.holder, self.holder, LEASE.total_seconds())

    async def renew(self, delivery: Delivery) -> bool:
        """Hold a delivery for another three minutes; False when the hold was lost. Calls that come together share one
        write."""
        return await self._renewed.submit("", (delivery.key, delivery.lease_token))

    async def free_abandoned(self) -> int:
        """Make deliveries wait again whose worker died or whose lease is over; returns how many.

        Silence counts as death only when this process itself got through to the store all that time.
        """
        now = datetime.now(UTC)
        held = [row["lease"] async for row in self._rows.find({"lease.until": {"$exists": True}}, {"lease": 1})]
        if not held:
            return 0
        steady = self._alive_at - self._alive_since >= ALIVE_SECONDS
        dead = await self._dead({lease["holder"] for lease in held} - {self.holder}, now) if steady else []
        of_the_dead = {"lease.until": {"$exists": True}, "lease.holder": {"$in": dead}}
        abandoned = {"$or": [{"lease.until": {"$lt": now}}, of_the_dead]}
        change = {"$set": {"state": "planned", "waiting": True}, "$unset": {"lease": ""}, "$inc": {"version": 1}}
        return (await self._rows.update_many(abandoned, change)).modified_count

    async def _dead(self, holders: set[str], now: datetime) -> list[str]:
        leases = self.db.leases.find({"_id": {"$in": list(holders)}, "until": {"$gt": now}}, {"_id": 1})
        return list(holders - {row["_id"] async for row in leases})

    async def end(self, delivery: Delivery, attempt: Attempt | None, **changes: Any) -> None:
        """Write what became of a delivery that this worker holds; nothing when the hold was lost. Calls that come
        together share one write."""
        await self._ended.submit("", ending_of(delivery, attempt, changes))

    async def end_and_tell(
        self,
        delivery: Delivery,
        attempt: Attempt | None,
        messages: Sequence[Message],
        also: Callable[[Session], Awaitable[None]] | None = None,
        **changes: Any,
    ) -> None:
        """The same with messages and what `also` writes, in one transaction; nothing when the hold was lost."""

        async def work(session: Session) -> None:
            ending = ending_of(delivery, attempt, changes)
            result = await self._rows.update_one(ending._filter, ending._doc, session=session)
            if result.modified_count:
                await outbox.add(self.db, messages, session)
                if also is not None:
                    await also(session)

        await mongo.transaction(self.db, work)
        self.written()

    async def hear(
        self, delivery: Delivery, notification: str, attempt: Attempt, changes: Document, session: Session
    ) -> bool:
        """Add what a notification says to a delivery's story; False when it is there already."""
        new: Document = {"_id": delivery.key, "message_id": delivery.message_id, "heard": {"$ne": notification}}
        new |= {"state": delivery.state} if changes else {}
        update: Document = {"$inc": {"version": 1}, "$addToSet": {"heard": notification}}
        update["$push"] = {"attempts": {"$each": [asdict(attempt)], "$slice": -ATTEMPTS_KEPT}}
        update |= {"$set": changes} if changes else {}
        return bool((await self._rows.update_one(new, update, session=session)).modified_count)

    async def with_message_id(self, ids: Sequence[str]) -> list[Delivery]:
        """The deliveries whose mail has one of these Message-IDs: several when reminders went out together."""
        rows = await self._rows.find({"message_id": {"$in": list(ids)}}).sort("order", 1).to_list(None)
        return [delivery_of(row) for row in rows]

    async def replace(self, delivery: Delivery) -> None:
        """Write the next version of a delivery that nobody holds; ChangedMeanwhile when somebody was faster."""
        before = {"_id": delivery.key, "version": delivery.version - 1, "lease": None}
        row = delivery_document(delivery)
        row.pop("order")
        if not (await self._rows.update_one(before, {"$set": row})).matched_count:
            raise ChangedMeanwhile
        self.planned()

    async def get(self, key: str) -> Delivery | None:
        """The delivery, or None."""
        row = await self._rows.find_one({"_id": key})
        return delivery_of(row) if row else None

    async def page(self, where: Document, limit: int, after: str | None) -> tuple[list[Delivery], str | None]:
        """Up to `limit` deliveries, the newest first, and the cursor of the rest."""
        query = {**where, "order": {"$lt": cursor_of(after)}} if after else where
        rows = await self._rows.find(query).sort("order", -1).limit(limit + 1).to_list(limit + 1)
        cursor = str(rows[limit - 1]["order"]) if len(rows) > limit else None
        return [delivery_of(row) for row in rows[:limit]], cursor

    async def counts(self) -> dict[str, int]:
        """How many deliveries there are in each state; counting ends at COUNTED_AT_MOST."""
        return await mongo.count_each(self._rows, {state: {"state": state} for state in STATES}, COUNTED_AT_MOST)

    async def failed_among(self, abouts: Sequence[str]) -> set[str]:
        """Those of `abouts` with a mail that was refused for good, given up, or held back."""
        refused = {"about": {"$in": list(abouts)}, "state": {"$in": ["refused", "suppressed"]}}
        return {row["about"] async for row in self._rows.find(refused, {"about": 1})}

    async def erase(self, where: Document, session: Session | None = None) -> int:
        """Remove names, addresses and content from the deliveries in `where`; those still waiting are cancelled."""
        personal = {"recipient": "", "recipient_key": "", "recipient_name": "", "subject": "", "facts": None}
        personal |= {"words": [], "settled_by": "", "suppression": ""}
        waiting = {"$set": {"state": "cancelled", "reason": "erased"}, "$unset": {"waiting": "", "lease": ""}}
        await self._rows.update_many({**where, "state": {"$in": [*OPEN, "sending"]}}, waiting, session=session)
        change = {"$set": {**personal, "erased": True}, "$unset": {"erase_after": ""}, "$inc": {"version": 1}}
        return (await self._rows.update_many(where, change, session=session)).modified_count

    async def _renew_many(self, _: str, holds: list[Hold]) -> list[bool | Exception]:
        mine = _held_by(holds)
        longer = {"$set": {"lease.until": datetime.now(UTC) + LEASE}}
        if (await self._rows.update_many(mine, longer)).matched_count == len(set(holds)):
            return [True] * len(holds)
        kept = {(row["_id"], row["lease"]["token"]) async for row in self._rows.find(mine, {"lease.token": 1})}
        return [hold in kept for hold in holds]

    async def _end_many(self, _: str, endings: list[UpdateOne]) -> list[bool | Exception]:
        await self._rows.bulk_write(endings, ordered=False)
        return [True] * len(endings)


def _held_by(holds: list[Hold]) -> Document:
    """What finds them: by the key alone, as those of one claim have one token, and a plan for each would cost more."""
    keys: dict[str, list[str]] = {}
    for key, token in holds:
        keys.setdefault(token, []).append(key)
    parts: list[Document] = [{"_id": {"$in": each}, "lease.token": token} for token, each in keys.items()]
    return parts[0] if len(parts) == 1 else {"$or": parts}


def ending_of(delivery: Delivery, attempt: Attempt | None, changes: Document) -> UpdateOne:
    """The write that ends a hold, when it is still held."""
    values = {**changes, "waiting": True} if changes["state"] in OPEN else changes
    update: Document = {"$set": values, "$unset": {"lease": ""}, "$inc": {"version": 1}}
    if attempt:
        update["$push"] = {"attempts": {"$each": [asdict(attempt)], "$slice": -ATTEMPTS_KEPT}}
        update["$inc"]["attempt_count"] = 1
    return UpdateOne({"_id": delivery.key, "lease.token": delivery.lease_token}, update)


def cursor_of(after: str) -> ObjectId:
    """The place in a list that `after` names; CursorUnknown."""
    try:
        return ObjectId(after)
    except InvalidId as error:
        raise CursorUnknown from error


def delivery_document(delivery: Delivery) -> Document:
    """A new delivery's document, behind all that are there in the order of lists."""
    to, calendar = delivery.to, delivery.calendar
    row = {name: getattr(delivery, name) for name in _KEPT_AS_IT_IS}
    named = {"recipient": to.email, "recipient_key": key_of(delivery), "recipient_name": to.name}
    role = {"recipient_role": to.role, "recipient_id": to.id, "language": to.language}
    waiting = {"waiting": True} if delivery.state in OPEN else {}
    row["attempts"] = [asdict(attempt) for attempt in delivery.attempts]
    row["calendar"] = asdict(calendar) if calendar else None
    row["words"] = words_of(to.role, to.email, to.name, delivery.subject)
    return {"_id": delivery.key, "order": ObjectId(), **row, **named, **role, **waiting}


def key_of(delivery: Delivery) -> str:
    """By what a recipient's mails are found; of pupils and parents nothing, so that no search tells who they are."""
    return "" if delivery.to.role in HIDDEN_ROLES else delivery.to.email.lower()


def words_of(role: str, email: str, name: str, subject: str) -> list[str]:
    """The words by which a mail is found: recipient and subject, of mails to pupils and parents only the subject."""
    return search_words(subject) if role in HIDDEN_ROLES else search_words(email, name, subject)


def delivery_of(row: Document) -> Delivery:
    """The delivery in its document; without its facts where a list left them out."""
    to = Recipient(row["recipient_role"], row["recipient_name"], row["recipient"], row["language"], row["recipient_id"])
    plain = (
        "kind", "about", "priority", "due_at", "gives_up_at", "planned_at", "message_id", "based_on", "revision",
        "subject", "state", "reason", "attempt_count", "sent_at", "version", "generation", "last_request_id",
    )  # fmt: skip
    return Delivery(
        key=row["_id"],
        to=to,
        erase_after=row.get("erase_after") or row["due_at"],
        calendar=CalendarPart(**row["calendar"]) if row["calendar"] else None,
        attempts=tuple(Attempt(**attempt) for attempt in row["attempts"]),
        lease_token=(row.get("lease") or {}).get("token", ""),
        cause=row.get("cause", ""),
        facts=row.get("facts"),
        suppression=row.get("suppression", ""),
        settled_at=row.get("settled_at"),
        settled_by=row.get("settled_by", ""),
        day=row.get("day", ""),
        together=row.get("together", ""),
        wording=row.get("wording", 0),
        **{name: row[name] for name in plain},
    )
