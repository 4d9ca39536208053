"""What need and supply are counted from: slots, and registrations grouped by slot and by the schools' district."""

from collections import defaultdict
from datetime import date

from services.events.domain.coverage import ELSEWHERE, Need, SlotNeed
from services.events.domain.facts import UNPUBLISHED
from services.events.store.store import Store
from shared.mongo import Document

KINDS = {
    **dict.fromkeys(("confirmed", "attended", "no_show"), "taken"),
    **dict.fromkeys(("requested", "offered"), "requested"),
    "waitlisted": "waiting",
}
SLOT_FACTS = {"district_ags": 1, "field": 1, "starts_local": 1, "places": 1, "taken": 1}


async def slot_needs(store: Store, campaign_id: str | None) -> list[SlotNeed]:
    """Every slot that takes place, of one campaign or of all, with what was asked of it.

    The slot's own counter holds the firm and the requested: only what is not firm is looked up.
    """
    open_ones = [state for state, kind in KINDS.items() if kind != "taken"]
    asked = await _asked(store, campaign_id, "slot_id", open_ones)
    query = {**_of(campaign_id), "state": "open", "offer_state": {"$nin": ["withdrawn", *UNPUBLISHED]}}
    rows = await store.db.slots.find(query, SLOT_FACTS).to_list(None)
    return [_slot_need(row, asked.get(row["_id"], Need())) for row in rows]


async def asked_by_district(store: Store, campaign_id: str | None) -> dict[str, Need]:
    """What the schools of each district asked for."""
    return await _asked(store, campaign_id, "school_district_ags", list(KINDS))


async def _asked(store: Store, campaign_id: str | None, by: str, states: list[str]) -> dict[str, Need]:
    key = {"key": {"$ifNull": [f"${by}", ELSEWHERE]}, "state": "$state"}
    pipeline = [
        {"$match": {**_of(campaign_id), "state": {"$in": states}}},
        {"$group": {"_id": key, "pupils": {"$sum": "$group.pupils"}}},
    ]
    needs: dict[str, Need] = defaultdict(Need)
    for row in await store.db.registrations.aggregate(pipeline).to_list(None):
        needs[row["_id"]["key"]].add(Need(**{KINDS[row["_id"]["state"]]: row["pupils"]}))
    return needs


def _slot_need(row: Document, asked: Need) -> SlotNeed:
    need = Need(row["places"], max(0, row["taken"] - asked.requested), asked.requested, asked.waiting)
    return SlotNeed(row["district_ags"], row["field"], date.fromisoformat(row["starts_local"][:10]), need)


def _of(campaign_id: str | None) -> Document:
    return {"campaign_id": campaign_id} if campaign_id else {}
