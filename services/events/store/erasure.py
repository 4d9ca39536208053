"""Removing personal fields whose time is over, in the rows and in the outbox. A batch still noted in a slot is not
touched: `erase_due` has it carried out, and so forgotten, before."""

from datetime import datetime

from services.events.store.documents import erasure_date
from services.events.store.store import Store
from shared.mongo import Document

NOBODY: Document = {"name": "", "email": "", "phone": "", "language": "de"}
AT_ONCE = 500


async def erase_registrations(store: Store, now: datetime) -> int:
    """Empty contact, needs and reason of registrations whose slot is long over; returns how many. A slot that was moved
    moves the date."""
    db = store.db
    erased = 0
    while rows := await db.registrations.find({"erase_after": {"$lte": now}}, {"slot_id": 1}).to_list(AT_ONCE):
        slots = await store.slots([row["slot_id"] for row in rows])
        dates = {slot_id: erasure_date(slot, store.contact_kept) for slot_id, slot in slots.items()}
        for slot_id, date in dates.items():
            if date > now:
                await db.registrations.update_many({"slot_id": slot_id}, {"$set": {"erase_after": date}})
        due = [row["_id"] for row in rows if dates.get(row["slot_id"], now) <= now]
        await _erase_outbox("registration", "registration", due, store)
        emptied = {
            "$set": {"contact": NOBODY, "group.needs": "", "reason": ""},
            "$unset": {"erase_after": "", "mail_trouble": "", "registered_by": "", "words": ""},
        }
        erased += (await db.registrations.update_many({"_id": {"$in": due}}, emptied)).modified_count
    await store.fill_words()
    return erased


async def erase_offers(store: Store, now: datetime) -> int:
    """Empty contacts and free texts of offers whose campaign is long over; returns how many."""
    rows = await store.db.offers.find({"erase_after": {"$lte": now}}, {"_id": 1}).to_list(AT_ONCE)
    ids = [row["_id"] for row in rows]
    slots = await store.db.slots.find({"offer_id": {"$in": ids}}, {"_id": 1}).to_list(None)
    registrations = await store.db.registrations.find({"offer_id": {"$in": ids}}, {"_id": 1}).to_list(None)
    await _erase_outbox("offer", "offer", ids, store)
    await _erase_outbox("slot", "slot.offer", [row["_id"] for row in slots], store)
    await _erase_outbox("registration", "registration.slot.offer", [row["_id"] for row in registrations], store)
    for text in ("reason", "note"):
        told = {"aggregate": {"$in": [f"offer:{row_id}" for row_id in ids]}, f"wire.data.{text}": {"$exists": True}}
        await store.db.outbox.update_many(told, {"$set": {f"wire.data.{text}": ""}})
    emptied = {
        "$set": {"facts.contact": NOBODY, "check_reason": ""},
        "$unset": {"erase_after": "", "words": "", "checked": "", "changed_since_check": ""},
    }
    erased = (await store.db.offers.update_many({"_id": {"$in": ids}}, emptied)).modified_count
    await store.fill_words()
    return erased


async def _erase_outbox(kind: str, holder: str, ids: list[str], store: Store) -> None:
    about = [f"{kind}:{row_id}" for row_id in ids]
    path = f"wire.data.{holder}"
    emptied: Document = {f"{path}.contact": NOBODY}
    if holder == "registration":
        emptied |= {f"{path}.group.needs": "", f"{path}.reason": ""}
    rows = {"aggregate": {"$in": about}, f"{path}.contact": {"$exists": True}}
    await store.db.outbox.update_many(rows, {"$set": emptied})
