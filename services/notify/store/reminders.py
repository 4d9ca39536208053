"""Reminders that go out together, each held and ended with the others; what is planned anew; and how many a week."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.notify.domain import Attempt, Delivery
from services.notify.store.deliveries import LEASE, OPEN, delivery_document, delivery_of, ending_of, key_of
from services.notify.timing import Choice
from shared import mongo
from shared.auth import email_key, hash_of_key
from shared.mongo import AlreadyThere, Database, Document, Session
from shared.together import Trip

UNDER_WAY = [*OPEN, "sending"]
COUNT_KEPT = timedelta(days=9)
RECIPIENT = ("recipient", "recipient_key", "recipient_name", "language", "subject")
MOMENT = ("due_at", "day")


class Reminders:
    """The reminders in the collection `deliveries`, and the counters of how many an address gets in a week."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._rows = db.deliveries
        self._woken = Trip(self._wake_all)

    async def create_indexes(self) -> None:
        """For what goes to one address on one day."""
        some_day = {"day": {"$gt": ""}}
        await self._rows.create_index([("recipient_key", 1), ("day", 1)], partialFilterExpression=some_day)
        await self._rows.create_index("together", partialFilterExpression={"together": {"$gt": ""}})

    async def keep_only(self, about: str, kind: str, keys: Collection[str], session: Session) -> None:
        """Cancel the waiting reminders of `kind` about something whose key is not among `keys`."""
        where = {"about": about, "kind": kind, "waiting": True, "_id": {"$nin": list(keys)}}
        change = {"$set": {"state": "cancelled", "reason": "superseded"}, "$unset": {"waiting": ""}}
        await self._rows.update_many(where, {**change, "$inc": {"version": 1}}, session=session)

    async def wake(self, keys: Sequence[str], session: Session) -> None:
        """Let those wait again that were cancelled untried because their offset had gone; it is back."""
        await self._woken.take(session, keys)

    async def _wake_all(self, session: Session, parts: list[Sequence[str]]) -> list[None]:
        keys = [key for part in parts for key in part]
        where = {"_id": {"$in": keys}, "state": "cancelled", "reason": "superseded", "attempt_count": 0}
        change = {"$set": {"state": "planned", "reason": "", "waiting": True}, "$inc": {"version": 1}}
        await self._rows.update_many(where, change, session=session)
        return [None] * len(parts)

    async def days_of(self, about: str, kind: str, revision: int, session: Session) -> set[tuple[str, str]]:
        """(key of the address, day) of the reminders of this date that went out, or are going out."""
        where = {"about": about, "kind": kind, "revision": revision, "state": {"$in": ["sent", "sending"]}}
        rows = self._rows.find(where, {"recipient_key": 1, "day": 1}, session=session)
        return {(row["recipient_key"], row.get("day", "")) async for row in rows}

    async def readdress(self, reminders: Sequence[Delivery], session: Session) -> None:
        """Give those that wait the recipient and, while untried, the moment that they would be planned for now: a
        contact or a day off may have changed."""
        now = {each.key: delivery_document(each) for each in reminders}
        where = {"_id": {"$in": list(now)}, "waiting": True}
        shown = dict.fromkeys((*RECIPIENT, *MOMENT, "attempt_count"), 1)
        rows = await self._rows.find(where, shown, session=session).to_list(None)
        for row in rows:
            names = RECIPIENT if row["attempt_count"] else (*RECIPIENT, *MOMENT)
            to = {name: now[row["_id"]][name] for name in names}
            if any(row.get(name) != value for name, value in to.items()):
                alone = {"together": "", "message_id": now[row["_id"]]["message_id"]}
                change = {"$set": {**to, **alone, "words": now[row["_id"]]["words"]}, "$inc": {"version": 1}}
                await self._rows.update_one({"_id": row["_id"], "waiting": True}, change, session=session)

    async def gather(self, delivery: Delivery) -> list[Delivery]:
        """All reminders that go out in one mail with this one, from now on held by its hold; none when it is in other
        hands.

        Each sender passes here before it hands a reminder over. Whoever comes first takes the others of the day along,
        even from a sender that holds them and has not passed yet: both write the same rows, so one of them is first.
        Those that were gathered once stay together, in every repeat, under the same Message-ID.
        """
        rows = await self._company(delivery)
        if len(rows) < 2:
            return await self._alone(delivery, rows)
        found: list[Document] = []

        async def work(session: Session) -> None:
            found[:] = await self._company(delivery, session)
            if found:
                keys = {"_id": {"$in": [row["_id"] for row in found]}}
                await self._rows.update_many(keys, _led_by(delivery, found[0]), session=session)

        await mongo.transaction(self._db, work)
        return [_held(row, delivery) for row in found]

    async def _alone(self, delivery: Delivery, rows: list[Document]) -> list[Delivery]:
        if not rows:
            return []
        led = await self._rows.update_one(_still_mine(delivery), _led_by(delivery, rows[0]))
        return [_held(rows[0], delivery)] if led.matched_count else []

    async def _company(self, delivery: Delivery, session: Session | None = None) -> list[Document]:
        """The row of the delivery and those of the others that go with it; nothing when it was taken away."""
        mine = await self._rows.find_one(_still_mine(delivery), session=session)
        if mine is None:
            return []
        others: Document = {"_id": {"$ne": delivery.key}, "state": {"$in": UNDER_WAY}, "lease.leads": None}
        if mine.get("together"):
            others["together"] = mine["together"]
        elif mine.get("day") and key_of(delivery):
            others |= {name: mine[name] for name in ("recipient_key", "day", "recipient_role", "language")}
            others["together"] = ""
        else:
            return [mine]
        return [mine, *await self._rows.find(others, session=session).sort("order", 1).to_list(None)]

    async def end_all(
        self, deliveries: Sequence[Delivery], attempt: Attempt | None, changes: Sequence[dict[str, Any]]
    ) -> None:
        """Write what became of the mail, for each reminder in it or for none."""
        endings = [ending_of(each, attempt, values) for each, values in zip(deliveries, changes, strict=True)]

        async def work(session: Session) -> None:
            await self._rows.bulk_write(endings, session=session)

        await mongo.transaction(self._db, work)

    async def parts(self, together: str) -> list[Delivery]:
        """All reminders that went, or go, out in one mail."""
        rows = self._rows.find({"together": together}) if together else None
        return [delivery_of(row) async for row in rows.sort("order", 1)] if rows else []

    async def is_last(self, delivery: Delivery, now: datetime) -> bool:
        """Whether no later reminder of the same date to the same recipient waits for its time."""
        same = {"about": delivery.about, "kind": delivery.kind, "revision": delivery.revision}
        same |= {"recipient_role": delivery.to.role, "recipient_id": delivery.to.id, "waiting": True}
        return await self._rows.find_one({**same, "due_at": {"$gt": now}}, {"_id": 1}) is None

    async def choice(self, email: str) -> Choice:
        """Which reminders the person with this address wants."""
        row = await self._db.people.find_one({"email_key": email_key(email), "active": True}, {"reminders": 1})
        chosen: Choice = (row or {}).get("reminders", "all")
        return chosen

    async def count_in(self, email: str, week: str, mail: str, most: int) -> bool:
        """Whether `mail` is among the first `most` mails with reminders to the address in a week; it counts from now
        on, and once however often it is asked for. Only a hash of the address is kept, for nine days."""
        key = hash_of_key(f"reminders {email.lower()} {week}")
        kept = {"mails": [], "gone_at": datetime.now(UTC) + COUNT_KEPT}
        with suppress(AlreadyThere):  # another sender was the first, in this very moment
            await self._db.counters.update_one({"_id": key}, {"$setOnInsert": kept}, upsert=True)
        room = {"_id": key, "mails": {"$ne": mail}, f"mails.{most - 1}": {"$exists": False}}
        if (await self._db.counters.update_one(room, {"$push": {"mails": mail}})).modified_count:
            return True
        return await self._db.counters.find_one({"_id": key, "mails": mail}, {"_id": 1}) is not None


def _still_mine(delivery: Delivery) -> Document:
    """Held by this hold, and not taken along by another reminder."""
    return {"_id": delivery.key, "lease.token": delivery.lease_token, "lease.leads": {"$in": [None, delivery.key]}}


def _led_by(delivery: Delivery, row: Document) -> Document:
    lease = {**row["lease"], "until": datetime.now(UTC) + LEASE, "leads": delivery.key}
    together = delivery.together or delivery.key
    values = {"state": "sending", "lease": lease, "together": together, "message_id": delivery.message_id}
    return {"$set": values, "$unset": {"waiting": ""}}


def _held(row: Document, delivery: Delivery) -> Delivery:
    together, token = delivery.together or delivery.key, delivery.lease_token
    return replace(
        delivery_of(row), state="sending", lease_token=token, together=together, message_id=delivery.message_id
    )
