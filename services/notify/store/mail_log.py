"""Queries of the mail log: what is stuck, what is found by words, what goes out on which day.

Of pupils' and parents' addresses the log knows only the first letters.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.notify.domain import FOR_PUPILS, HIDDEN_ROLES, Delivery, masked
from services.notify.store.deliveries import CursorUnknown, cursor_of, delivery_of, words_of
from shared.mongo import Database, Document, count_each, one_after_the_other
from shared.words import beginning_with, fill_words, typed_words

MANY_ATTEMPTS = 8  # with growing pauses that is about nine minutes without success
FOUND_AT_MOST = 200
LISTED = {"facts": 0, "words": 0}  # what no list shows, and most of what a mail weighs
PAST_MAY_BE_OLD = timedelta(minutes=1)


@dataclass(frozen=True)
class Tally:
    """So many deliveries of one day (`2026-12-01`, local) and one state or kind."""

    day: str
    what: str
    count: int


@dataclass(frozen=True)
class _Past:
    """What was counted of the days from `starts` to `today` at the moment `at`."""

    starts: datetime
    today: datetime
    at: datetime
    tallies: list[Tally]

    def holds(self, starts: datetime, today: datetime, now: datetime) -> bool:
        return (starts, today) == (self.starts, self.today) and timedelta(0) <= now - self.at < PAST_MAY_BE_OLD


class MailLog:
    """Reads the collection `deliveries`."""

    def __init__(self, db: Database) -> None:
        self._rows = db.deliveries
        self._past: _Past | None = None

    async def create_indexes(self) -> None:
        """What each list needs, so that it costs the same however many mails there are. A search for rare words goes by
        `words`, one for frequent words from the newest mail on by `order`."""
        await self._rows.create_index([("words", 1), ("order", -1)])
        await self._rows.create_index([("due_at", 1), ("state", 1)])
        await self._rows.create_index("suppression", partialFilterExpression={"suppression": {"$gt": ""}})
        coming = [("waiting", 1), ("due_at", 1), ("_id", 1), ("kind", 1)]
        await self._rows.create_index(coming, partialFilterExpression={"waiting": True}, name="by_due_day")
        await self._hide()
        await fill_words(self._rows, _words)

    async def _hide(self) -> None:
        """Take the addresses of pupils and parents out of what is searched, where an earlier version put them."""
        findable = {"recipient_role": {"$in": list(HIDDEN_ROLES)}, "recipient_key": {"$gt": ""}}
        await self._rows.update_many(findable, {"$set": {"recipient_key": ""}, "$unset": {"words": ""}})

    async def page(self, where: Document, limit: int, after: str | None) -> tuple[list[Delivery], str | None]:
        """Up to `limit` deliveries that fit, the newest first, and the cursor of the rest."""
        query = {**where, "order": {"$lt": cursor_of(after)}} if after else where
        rows = await self._rows.find(query, LISTED).sort("order", -1).limit(limit + 1).to_list(limit + 1)
        cursor = str(rows[limit - 1]["order"]) if len(rows) > limit else None
        return [_shown(row) for row in rows[:limit]], cursor

    async def search(self, q: str, most: int = FOUND_AT_MOST) -> list[Delivery]:
        """Deliveries in whose recipient or subject every word of `q` begins a word: at most `most`, newest first."""
        words = typed_words(q)
        if not words:
            return []
        rows = await self._rows.find(beginning_with(words), LISTED).sort("order", -1).limit(most).to_list(most)
        return [_shown(row) for row in rows]

    async def by_keys(self, keys: Sequence[str]) -> list[Delivery]:
        """Those of the deliveries that exist."""
        return [_shown(row) async for row in self._rows.find({"_id": {"$in": list(keys)}})]

    async def held_back_by(self, suppression_id: str, most: int = 500) -> list[Delivery]:
        """What a suppression keeps from being sent, or was refused when it began. To send again, not to show."""
        held = {"suppression": suppression_id, "state": {"$in": ["suppressed", "refused"]}}
        return [delivery_of(row) async for row in self._rows.find(held).sort("order", -1).limit(most)]

    async def held_from_pupils(self, most: int = 500) -> list[Delivery]:
        """Mails to pupils and parents that a suppression keeps from being sent; they do not name it."""
        held = {"state": "suppressed", "kind": {"$in": list(FOR_PUPILS)}, "recipient": {"$gt": ""}}
        return [delivery_of(row) async for row in self._rows.find(held).sort("order", -1).limit(most)]

    async def settle(self, keys: Sequence[str], by: str, now: datetime) -> int:
        """Note that somebody saw to these stuck mails in another way; returns how many."""
        where = {"_id": {"$in": list(keys)}, **stuck()}
        change = {"$set": {"settled_at": now, "settled_by": by}, "$inc": {"version": 1}}
        return (await self._rows.update_many(where, change)).modified_count

    async def count_stuck(self, kinds: Sequence[str], most: int = 10_000) -> dict[str, int]:
        """How many are stuck, by kind; counting ends at `most` of each."""
        return await count_each(self._rows, {kind: stuck(kind) for kind in kinds}, most)

    async def per_day(self, what: str, where: Document, starts: datetime, ends: datetime, zone: str) -> list[Tally]:
        """Deliveries due from `starts` to `ends`, by local day and by their `what` (`state` or `kind`).

        Each day by itself: that is a range of an index, and the database need not work out the day of each mail.
        """
        parts = [_tally(day, what, {**where, "due_at": due}) for day, due in _days(starts, ends, ZoneInfo(zone))]
        rows = await self._rows.aggregate(one_after_the_other(self._rows, parts)).to_list(None)
        return [Tally(row["day"], row["_id"], row["count"]) for row in rows]

    async def states_by_day(
        self, starts: datetime, today: datetime, ends: datetime, *, now: datetime, zone: str
    ) -> list[Tally]:
        """Deliveries due from `starts` to `ends`, by local day and state. What was due before `today` is counted anew
        once a minute: it is most of the work, and hardly changes any more."""
        if self._past is None or not self._past.holds(starts, today, now):
            self._past = _Past(starts, today, now, await self.per_day("state", {}, starts, today, zone))
        return [*self._past.tallies, *await self.per_day("state", {}, today, ends, zone)]

    async def coming(self, now: datetime, limit: int, after: str | None) -> tuple[list[Delivery], str | None]:
        """What is planned, the soonest first, and the cursor of the rest."""
        where: Document = {"waiting": True, "due_at": {"$gte": now}}
        if after:
            moment, key = _position(after)
            later = {"due_at": {"$gt": moment}}
            where = {
                "waiting": True,
                "due_at": {"$gte": moment},
                "$or": [later, {"due_at": moment, "_id": {"$gt": key}}],
            }
        found = self._rows.find(where, LISTED).sort([("due_at", 1), ("_id", 1)]).limit(limit + 1)
        rows = await found.to_list(limit + 1)
        cursor = _cursor(rows[limit - 1]) if len(rows) > limit else None
        return [_shown(row) for row in rows[:limit]], cursor


def _days(starts: datetime, ends: datetime, zone: ZoneInfo) -> Iterator[tuple[str, Document]]:
    """The local days between two moments, and the query for the part of each that lies between them."""
    while starts < ends:
        day = starts.astimezone(zone).date()
        midnight = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
        yield day.isoformat(), {"$gte": starts, "$lt": min(midnight, ends)}
        starts = midnight


def _tally(day: str, what: str, where: Document) -> list[Document]:
    count = {"_id": f"${what}", "count": {"$sum": 1}}
    return [{"$match": where}, {"$group": count}, {"$set": {"day": day}}]


def _words(row: Document) -> list[str]:
    return words_of(row["recipient_role"], row["recipient"], row["recipient_name"], row["subject"])


def _shown(row: Document) -> Delivery:
    return masked(delivery_of(row))


def stuck(kind: str = "") -> Document:
    """The query for what needs somebody: all, or `refused`, `gave_up`, `suppressed`, `deferred` alone."""
    open_: Document = {"settled_at": None, "erased": {"$ne": True}}
    kinds: dict[str, Document] = {
        "refused": {"state": "refused", "reason": "refused"},
        "gave_up": {"state": "refused", "reason": "gave_up"},
        "suppressed": {"state": "suppressed"},
        "deferred": {"state": "deferred", "attempt_count": {"$gte": MANY_ATTEMPTS}},
    }
    if kind:
        return {**kinds[kind], **open_}
    of_state = {"$or": [{"state": {"$in": ["refused", "suppressed"]}}, kinds["deferred"]]}
    return {"state": {"$in": ["refused", "suppressed", "deferred"]}, **of_state, **open_}


def _cursor(row: Document) -> str:
    return base64.urlsafe_b64encode(f"{row['due_at'].isoformat()}~{row['_id']}".encode()).decode()


def _position(after: str) -> tuple[datetime, Any]:
    try:
        moment, key = base64.urlsafe_b64decode(after.encode()).decode().split("~", 1)
        parsed = datetime.fromisoformat(moment)
        if parsed.tzinfo is None:
            raise ValueError(moment)
        return parsed, key
    except (ValueError, binascii.Error) as error:
        raise CursorUnknown from error
