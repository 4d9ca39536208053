"""What need and supply are counted from: slots, and registrations grouped by slot and by the schools' district."""

from datetime import date

from services.events.domain.coverage import ELSEWHERE, Need, SlotNeed
from services.events.store.store import Store
from shared.mongo import Document

TAKEN = ["confirmed", "attended", "no_show"]
REQUESTED = ["requested", "offered"]
WAITING = ["waitlisted"]
SLOT_FACTS = {"district_ags": 1, "field": 1, "starts_local": 1, "places": 1}


async def slot_needs(store: Store, campaign_id: str | None) -> list[SlotNeed]:
    """Every slot that takes place, of one campaign or of all, with what was asked of it."""
    asked = await _asked(store, campaign_id, "slot_id")
    query = {**_of(campaign_id), "state": "open", "offer_state": {"$ne": "withdrawn"}}
    rows = await store.db.slots.find(query, SLOT_FACTS).to_list(None)
    return [_slot_need(row, asked.get(row["_id"], Need())) for row in rows]


async def asked_by_district(store: Store, campaign_id: str | None) -> dict[str, Need]:
    """What the schools of each district asked for."""
    return await _asked(store, campaign_id, "school_district_ags")


async def _asked(store: Store, campaign_id: str | None, by: str) -> dict[str, Need]:
    sums = {name: _pupils(states) for name, states in
            (("taken", TAKEN), ("requested", REQUESTED), ("waiting", WAITING))}  # fmt: skip
    pipeline = [
        {"$match": {**_of(campaign_id), "state": {"$in": [*TAKEN, *REQUESTED, *WAITING]}}},
        {"$group": {"_id": {"$ifNull": [f"${by}", ELSEWHERE]}, **sums}},
    ]
    rows = await store.db.registrations.aggregate(pipeline).to_list(None)
    return {row.pop("_id"): Need(**row) for row in rows}


def _pupils(states: list[str]) -> Document:
    return {"$sum": {"$cond": [{"$in": ["$state", states]}, "$group.pupils", 0]}}


def _slot_need(row: Document, asked: Need) -> SlotNeed:
    need = Need(row["places"], asked.taken, asked.requested, asked.waiting)
    return SlotNeed(row["district_ags"], row["field"], date.fromisoformat(row["starts_local"][:10]), need)


def _of(campaign_id: str | None) -> Document:
    return {"campaign_id": campaign_id} if campaign_id else {}
