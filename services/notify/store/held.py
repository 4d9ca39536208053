"""After a restore: no mail but a sign-in's goes out until a person has seen which ones went out after the backup."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import UpdateOne

from services.notify import domain
from services.notify.domain import FOR_PUPILS
from services.notify.store.deliveries import delivery_of
from services.notify.store.sent_log import Sent
from services.notify.urgency import SIGN_IN
from shared.mongo import Database, Document

STEP = 1_000  # more than a calendar entry can have been changed since the backup


async def let_wait(db: Database) -> int:
    """Let what senders had in their hands at the backup wait again; returns how many."""
    change: Document = {"$set": {"state": "planned", "waiting": True}, "$unset": {"lease": ""}, "$inc": {"version": 1}}
    return (await db.deliveries.update_many({"state": "sending"}, change)).modified_count


async def raise_calendars(db: Database) -> None:
    """Let the next change of each calendar entry have a higher SEQUENCE than any that was mailed since the backup."""
    raised = {"$mergeObjects": ["$$entry.v", {"sequence": {"$add": ["$$entry.v.sequence", STEP]}}]}
    entries = {
        "$map": {
            "input": {"$objectToArray": "$calendar"}, "as": "entry", "in": {"k": "$$entry.k", "v": raised},
        }
    }  # fmt: skip
    for copies in (db.registrations, db.visits):
        with_entries = {"calendar": {"$nin": [None, {}]}}
        await copies.update_many(with_entries, [{"$set": {"calendar": {"$arrayToObject": entries}}}])


async def due_and_held(db: Database, now: datetime) -> list[Document]:
    """Key, kind, about and moment of the mails that go out at once when they are released, in their order."""
    due = {"waiting": True, "priority": {"$ne": SIGN_IN}, "due_at": {"$lte": now}}
    return await db.deliveries.find(due, {"kind": 1, "about": 1, "due_at": 1}).sort("due_at", 1).to_list(None)


async def note_sent(db: Database, sent: Sequence[Sent]) -> tuple[list[Sent], list[Sent]]:
    """Those of the mails that waited here, and do no longer; and those that are unknown: they tell of what was lost."""
    at = {each.key: each for each in sent}
    rows = {row["_id"]: row for row in await db.deliveries.find({"_id": {"$in": list(at)}}).to_list(None)}
    waiting = [key for key, row in rows.items() if row.get("waiting")]
    if waiting:
        await db.deliveries.bulk_write([_noting(rows[key], at[key]) for key in waiting])
    return [at[key] for key in waiting], [each for key, each in at.items() if key not in rows]


def _noting(row: Document, sent: Sent) -> UpdateOne:
    delivery = delivery_of(row)
    facts = None if delivery.kind in FOR_PUPILS else domain.without_token(delivery)
    change = {"state": "sent", "reason": "", "sent_at": sent.at, "facts": facts}
    return UpdateOne(
        {"_id": delivery.key, "waiting": True},
        {"$set": change, "$unset": {"waiting": "", "lease": ""}, "$inc": {"version": 1}},
    )
