"""Proof that every slot's counters equal its registrations. Reads only."""

from collections import Counter
from typing import Any

from services.events.domain.facts import TAKING, Slot
from services.events.store.documents import slot_of
from shared.mongo import Database, Document

Found = tuple[str, str, int, int]
ROW = {"state": 1, "group.pupils": 1, "position": 1, "active": 1, "key": 1, "version": 1}
ATTEMPTS = 20


async def compare_all(db: Database) -> tuple[int, list[Found]]:
    """How many slots there are, and each difference as (slot, what, counter, rows).

    One pass sums up all registrations; only slots that look different then (they may be changing) are read closely.
    """
    sums = {row["_id"]: row async for row in db.registrations.aggregate(_SUMS)}
    checked, suspects = 0, []
    async for document in db.slots.find({}):
        checked += 1
        if "pending" in document or not _agrees(slot_of(document), sums.pop(document["_id"], None)):
            suspects.append(document["_id"])
        sums.pop(document["_id"], None)
    differences = [found for slot_id in suspects for found in await compare_slot(db, slot_id)]
    return checked, differences + [(slot_id, "slot missing", 0, row["rows"]) for slot_id, row in sums.items()]


async def compare_slot(db: Database, slot_id: str) -> list[Found]:
    """The differences of one slot, read while nobody changed it; a decided batch counts as carried out."""
    found: list[Found] = []
    for _ in range(ATTEMPTS):
        document = await db.slots.find_one({"_id": slot_id})
        if document is None:
            return []
        rows = {row["_id"]: row async for row in db.registrations.find({"slot_id": slot_id}, ROW)}
        again = await db.slots.find_one({"_id": slot_id}, {"version": 1})
        found = differences(slot_of(document), list(_with_pending(rows, document.get("pending")).values()))
        if not found or (again and again["version"] == document["version"]):
            return found
    return [(slot_id, "never at rest", 0, 0)]


def differences(slot: Slot, rows: list[Document]) -> list[Found]:
    """What does not agree between a slot and all its registrations (as documents)."""
    taking = [row for row in rows if row["state"] in TAKING]
    waiting = [row for row in rows if row["state"] == "waitlisted"]
    pupils = sum(row["group"]["pupils"] for row in taking)
    keys = Counter(row["key"] for row in rows if row["active"])
    compared = [
        ("taken", slot.taken, pupils, slot.taken == pupils),
        ("groups_taken", slot.groups_taken, len(taking), slot.groups_taken == len(taking)),
        ("waiting", slot.waiting, len(waiting), slot.waiting == len(waiting)),
        ("places oversold", slot.places, pupils, pupils <= slot.places),
        ("groups oversold", slot.groups, len(taking), len(taking) <= slot.groups),
        ("registered twice", 1, max(keys.values(), default=0), max(keys.values(), default=0) <= 1),
        ("positions given", slot.next_position - 1, _last(rows), _last(rows) < slot.next_position),
    ]
    return [(slot.id, what, counter, counted) for what, counter, counted, agrees in compared if not agrees]


def _with_pending(rows: dict[str, Document], pending: Document | None) -> dict[str, Document]:
    if pending is None:
        return rows
    for new in pending["new"]:
        rows.setdefault(new["_id"], new)
    for change in pending["changed"]:
        row = rows[change["_id"]]
        if row["version"] < change["version"]:
            rows[change["_id"]] = {**row, **change, "group": {"pupils": change["pupils"]}}
    return rows


def _last(rows: list[Document]) -> int:
    return max((row["position"] or 0 for row in rows), default=0)


def _agrees(slot: Slot, row: dict[str, Any] | None) -> bool:
    counted = row or {"taken": 0, "groups_taken": 0, "waiting": 0, "active": 0, "keys": 0}
    return (
        (slot.taken, slot.groups_taken, slot.waiting) == (counted["taken"], counted["groups_taken"], counted["waiting"])
        and slot.taken <= slot.places
        and slot.groups_taken <= slot.groups
        and counted["active"] == counted["keys"]
    )


_HOLDS = {"$in": ["$state", sorted(TAKING)]}
_SUMS: list[Document] = [
    {
        "$group": {
            "_id": {"slot": "$slot_id", "key": "$key"},
            "taken": {"$sum": {"$cond": [_HOLDS, "$group.pupils", 0]}},
            "groups_taken": {"$sum": {"$cond": [_HOLDS, 1, 0]}},
            "waiting": {"$sum": {"$cond": [{"$eq": ["$state", "waitlisted"]}, 1, 0]}},
            "active": {"$sum": {"$cond": ["$active", 1, 0]}},
            "rows": {"$sum": 1},
        }
    },
    {
        "$group": {
            "_id": "$_id.slot",
            "taken": {"$sum": "$taken"},
            "groups_taken": {"$sum": "$groups_taken"},
            "waiting": {"$sum": "$waiting"},
            "active": {"$sum": "$active"},
            "keys": {"$sum": {"$cond": [{"$gt": ["$active", 0]}, 1, 0]}},
            "rows": {"$sum": "$rows"},
        }
    },
]
