"""Proof that every slot's counters equal its registrations. Reads only."""

from collections import Counter
from typing import Any

from services.events.domain.facts import TAKING, Slot
from services.events.store.documents import slot_of
from shared.mongo import Database, Document

Found = tuple[str, str, int, int]
ROW = {"state": 1, "group.pupils": 1, "position": 1, "active": 1, "key": 1, "version": 1}
_WITHOUT_BATCH = {"pending.new": 0, "pending.changed": 0, "pending.outbox": 0, "pending.log": 0}


async def compare_all(db: Database) -> tuple[int, list[Found]]:
    """How many slots there are, and each difference as (slot, what, counter, rows).

    One pass sums up all registrations; only slots that look different then (they may be changing) are read closely.
    """
    slots = {document["_id"]: document async for document in db.slots.find({}, _WITHOUT_BATCH)}
    sums = {row["_id"]: row async for row in db.registrations.aggregate(_SUMS)}
    suspects = [key for key, slot in slots.items() if "pending" in slot or not _agrees(slot_of(slot), sums.get(key))]
    found = [difference for slot_id in suspects for difference in await compare_slot(db, slot_id)]
    for slot_id in sums.keys() - slots.keys():
        if not await db.slots.find_one({"_id": slot_id}, {"_id": 1}):
            found.append((slot_id, "slot missing", 0, sums[slot_id]["rows"]))
    return len(slots), found


async def compare_slot(db: Database, slot_id: str) -> list[Found]:
    """The differences of one slot, read as of one moment; a decided batch counts as carried out."""
    async with await db.client.start_session(snapshot=True) as moment:
        document = await db.slots.find_one({"_id": slot_id}, session=moment)
        rows = await db.registrations.find({"slot_id": slot_id}, ROW, session=moment).to_list(None)
    if document is None:
        return []
    by_id = {row["_id"]: row for row in rows}
    return differences(slot_of(document), list(with_pending(by_id, document.get("pending")).values()))


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


def with_pending(rows: dict[str, Document], pending: Document | None) -> dict[str, Document]:
    """The registrations `rows` of a slot as its batch `pending` makes them."""
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
