"""Which schools are to be asked whether their groups still come, and who has not answered in time."""

from datetime import datetime

from services.events.domain.deadlines import may_be_asked
from services.events.domain.facts import Slot
from services.events.store.documents import offer_of, slot_of
from services.events.store.store import WITHOUT_PENDING, Store
from shared.mongo import Document

Place = tuple[str, str]  # (slot, registration)


async def groups_to_ask(store: Store, now: datetime) -> list[Place]:
    """Confirmed groups whose schools may have to be asked at `now`; a decision about each says whether they are."""
    asking = store.db.offers.find({"confirm_again.asked": {"$gte": 1}})
    rules = {row["_id"]: offer_of(row).confirm_again async for row in asking}
    ahead = {"offer_id": {"$in": sorted(rules)}, "starts_utc": {"$gt": now}, "state": "open"}
    slots = [slot_of(row) async for row in store.db.slots.find(ahead, WITHOUT_PENDING)] if rules else []
    near = [slot for slot in slots if slot.taken and may_be_asked(slot, rules[slot.offer_id], now)]
    return [each for slot in near for each in await _not_asked(store, slot)]


async def _not_asked(store: Store, slot: Slot) -> list[Place]:
    """A question about another date is none about this one."""
    wanted: Document = {"slot_id": slot.id, "state": "confirmed", "question.revision": {"$ne": slot.revision}}
    return [(slot.id, row["_id"]) async for row in store.db.registrations.find(wanted, {"_id": 1})]


async def unanswered(store: Store, now: datetime, most: int = 500) -> list[Place]:
    """Groups whose schools were asked, and could answer until `now` or before. A question about a date that has moved
    since is void, and is not looked for any more."""
    over = {"open_question": True, "question.until": {"$lte": now}}
    found = store.db.registrations.find(over, {"slot_id": 1, "question": 1}).sort("question.until", 1)
    rows = await found.to_list(most)
    slots = await store.slots([row["slot_id"] for row in rows])
    void = {row["_id"] for row in rows if row["question"]["revision"] != slots[row["slot_id"]].revision}
    if void:
        same = {"_id": {"$in": sorted(void)}, "question.until": {"$lte": now}}
        await store.db.registrations.update_many(same, {"$set": {"open_question": False}})
    return [(row["slot_id"], row["_id"]) for row in rows if row["_id"] not in void]
