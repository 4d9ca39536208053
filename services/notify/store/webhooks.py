"""The collections `webhooks` and `webhook_calls`: whom to tell of what, and one row per webhook and message."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument

from services.notify.store.deliveries import cursor_of
from services.notify.webhooks.rules import TEST, Attempt, Call, Seed, Webhook
from shared import mongo
from shared.ids import random_id
from shared.mongo import AlreadyThere, Database, Document, Session, one_after_the_other
from shared.together import Trip

LEASE = timedelta(minutes=1)
ATTEMPTS_KEPT = 20


class Webhooks:
    """A call that waits for its next attempt has the field `waiting`, one that is being made the field `lease`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._rows = db.webhooks
        self._calls = db.webhook_calls
        self._told = Trip(self._told_of)
        self._planned = Trip(self._plan_all)

    async def create_indexes(self) -> None:
        """What is due is found at the same cost however much waits or is over, and whatever other webhooks hold."""
        due = [("webhook_id", 1), ("due_at", 1)]
        await self._calls.create_index(due, partialFilterExpression={"waiting": True}, name="due")
        await self._calls.create_index("lease.until", sparse=True)
        await self._calls.create_index("lease.token", sparse=True)
        await self._calls.create_index([("webhook_id", 1), ("order", -1)])
        await self._calls.create_index([("webhook_id", 1), ("state", 1), ("order", -1)])
        await self._calls.create_index("erase_after")

    async def all(self) -> list[Webhook]:
        """Every webhook, the oldest first."""
        return [_webhook(row) async for row in self._rows.find().sort([("created_at", 1), ("_id", 1)])]

    async def get(self, id: str) -> Webhook | None:
        """One webhook, or None."""
        row = await self._rows.find_one({"_id": id})
        return _webhook(row) if row else None

    async def count_stopped(self) -> int:
        """How many were paused because nothing arrives, and not by somebody."""
        return await self._rows.count_documents({"reason": {"$in": ["gone", "failing"]}})

    async def put(self, webhook: Webhook) -> bool:
        """Write the first or the next version; False when another one was written meanwhile."""
        row = _row_of(webhook)
        if webhook.version > 1:
            before = {"_id": webhook.id, "version": webhook.version - 1}
            return bool((await self._rows.replace_one(before, row)).matched_count)
        try:
            await self._rows.insert_one(row)
        except AlreadyThere:
            return False
        return True

    async def delete(self, id: str) -> None:
        """Forget a webhook and its log. What is planned at this moment is never sent, and erased by its date."""
        await self._rows.delete_one({"_id": id})
        await self._calls.delete_many({"webhook_id": id})

    async def listening_to(self, kind: str, session: Session) -> list[Webhook]:
        """Those that are told of this type, the paused ones too."""
        return await self._told.take(session, kind)

    async def _told_of(self, session: Session, kinds: list[str]) -> list[list[Webhook]]:
        rows = self._rows.find({"types": {"$in": list(set(kinds))}}, session=session)
        webhooks = [_webhook(row) for row in await rows.to_list(None)]
        return [[webhook for webhook in webhooks if kind in webhook.types] for kind in kinds]

    async def plan(self, calls: Sequence[Call], session: Session | None = None) -> None:
        """Write those whose id is new."""
        if session is not None:
            await self._planned.take(session, calls)
        else:
            await self._plan(calls, None)

    async def _plan_all(self, session: Session, calls: list[Sequence[Call]]) -> list[None]:
        await self._plan([call for part in calls for call in part], session)
        return [None] * len(calls)

    async def _plan(self, calls: Sequence[Call], session: Session | None) -> None:
        ids = [call.id for call in calls]
        there = {row["_id"] async for row in self._calls.find({"_id": {"$in": ids}}, {"_id": 1}, session=session)}
        fresh = [_call_row(call) for call in calls if call.id not in there]
        if fresh:
            await self._calls.insert_many(fresh, session=session)

    async def claim(self, room: Mapping[str, int], tests_only: frozenset[str], now: datetime) -> list[Call]:
        """Take what is due at `now`, at most so many of each webhook, the longest due first, held for a minute; of
        those in `tests_only` just the tests."""
        parts: list[list[Document]] = []
        for id, most in room.items():
            due: Document = {"webhook_id": id, "waiting": True, "due_at": {"$lte": now}}
            due |= {"type": TEST} if id in tests_only else {}
            parts.append([{"$match": due}, {"$sort": {"due_at": 1}}, {"$limit": most}, {"$project": {"_id": 1}}])
        if not parts:
            return []
        ids = [row["_id"] async for row in self._calls.aggregate(one_after_the_other(self._calls, parts))]
        return await self._take(ids) if ids else []

    async def _take(self, ids: list[str]) -> list[Call]:
        token = random_id()
        # The machine's time on purpose: moving the clock of a demo must not end leases.
        lease = {"token": token, "until": datetime.now(UTC) + LEASE}
        taken = {"$set": {"state": "sending", "lease": lease}, "$unset": {"waiting": ""}}
        if not (await self._calls.update_many({"_id": {"$in": ids}, "waiting": True}, taken)).modified_count:
            return []
        return [_call(row) async for row in self._calls.find({"lease.token": token})]

    async def free_abandoned(self) -> int:
        """Make calls wait again whose lease is over; returns how many."""
        abandoned = {"lease.until": {"$lt": datetime.now(UTC)}}
        change = {"$set": {"state": "planned", "waiting": True}, "$unset": {"lease": ""}}
        return (await self._calls.update_many(abandoned, change)).modified_count

    async def end(
        self, call: Call, attempt: Attempt, changes: Document, of_webhook: Mapping[str, Any],
        when_paused: Callable[[Session, Webhook], Awaitable[None]],
    ) -> bool:  # fmt: skip
        """Write what came of an attempt, with what it changes of the webhook, and with `when_paused` if that pauses it;
        False when the hold was lost."""
        mine = {"_id": call.id, "lease.token": call.lease_token}
        waits = {"waiting": True} if changes["state"] == "deferred" else {}
        update: Document = {
            "$set": {**changes, **waits}, "$unset": {"lease": ""}, "$inc": {"version": 1, "attempt_count": 1},
            "$push": {"attempts": {"$each": [asdict(attempt)], "$slice": -ATTEMPTS_KEPT}},
        }  # fmt: skip
        if not of_webhook:
            return bool((await self._calls.update_one(mine, update)).modified_count)

        async def work(session: Session) -> bool:
            if not (await self._calls.update_one(mine, update, session=session)).modified_count:
                return False
            raised = {"$inc": {"version": 1}} if "state" in of_webhook else {}
            active = {"_id": call.webhook_id, "state": "active"}
            row = await self._rows.find_one_and_update(
                active, {"$set": dict(of_webhook), **raised}, session=session, return_document=ReturnDocument.AFTER
            )
            if raised and row:
                await when_paused(session, _webhook(row))
            return True

        return await mongo.transaction(self._db, work)

    async def replay(self, call: Call, now: datetime, request_id: str) -> bool:
        """Let it wait for an attempt now; False when somebody was faster."""
        same = {"_id": call.id, "version": call.version, "lease": {"$exists": False}}
        return bool((await self._calls.update_one(same, _again(now, request_id))).modified_count)

    async def replay_failed(self, webhook_id: str, since: datetime, now: datetime, request_id: str) -> int:
        """The same for everything given up that was planned since then; returns how many."""
        failed = {"webhook_id": webhook_id, "state": "failed", "planned_at": {"$gte": since}, "type": {"$ne": TEST}}
        return (await self._calls.update_many(failed, _again(now, request_id))).modified_count

    async def call(self, webhook_id: str, id: str) -> Call | None:
        """One call of a webhook, or None."""
        row = await self._calls.find_one({"_id": id, "webhook_id": webhook_id})
        return _call(row) if row else None

    async def page(self, webhook_id: str, state: str, limit: int, after: str | None) -> tuple[list[Call], str | None]:
        """Up to `limit` calls, the newest first, and the cursor of the rest; an empty `state` is any."""
        where: Document = {"webhook_id": webhook_id} | ({"state": state} if state else {})
        where |= {"order": {"$lt": cursor_of(after)}} if after else {}
        rows = await self._calls.find(where).sort("order", -1).limit(limit + 1).to_list(limit + 1)
        cursor = str(rows[limit - 1]["order"]) if len(rows) > limit else None
        return [_call(row) for row in rows[:limit]], cursor

    async def counts(self, webhook_id: str, most: int) -> dict[str, int]:
        """How many of a webhook's calls wait, and how many were given up; counting ends at `most`."""
        wheres: dict[str, Document] = {
            "waiting": {"webhook_id": webhook_id, "waiting": True},
            "failed": {"webhook_id": webhook_id, "state": "failed", "type": {"$ne": TEST}},
        }
        return await mongo.count_each(self._calls, wheres, most)

    async def erase_due(self, now: datetime) -> int:
        """Delete calls whose time is over."""
        return (await self._calls.delete_many({"erase_after": {"$lte": now}})).deleted_count


def _again(now: datetime, request_id: str) -> Document:
    planned = {"state": "planned", "waiting": True, "due_at": now, "tries": 0, "last_request_id": request_id}
    return {"$set": {**planned, "ended_at": None}, "$inc": {"version": 1}}


def _row_of(webhook: Webhook) -> Document:
    fields = asdict(webhook)
    return {"_id": fields.pop("id"), **fields}


def _webhook(row: Document) -> Webhook:
    fields = {name: value for name, value in row.items() if name not in ("_id", "types", "seeds")}
    return Webhook(id=row["_id"], types=tuple(row["types"]), seeds=tuple(Seed(**s) for s in row["seeds"]), **fields)


def _call_row(call: Call) -> Document:
    fields = asdict(call)
    del fields["lease_token"]
    return {"_id": fields.pop("id"), **fields, "waiting": True, "order": ObjectId()}


def _call(row: Document) -> Call:
    extra = ("_id", "waiting", "order", "lease", "attempts", "last_request_id")
    fields = {name: value for name, value in row.items() if name not in extra}
    return Call(
        id=row["_id"], lease_token=row.get("lease", {}).get("token", ""),
        attempts=tuple(Attempt(**each) for each in row["attempts"]), **fields,
    )  # fmt: skip
