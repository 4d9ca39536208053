"""Need and supply counted afresh from slots and registrations: what is kept (need.py) is proven against it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from services.events.domain.coverage import ELSEWHERE, Coverage, Need, SlotNeed, add_up
from services.events.domain.facts import UNPUBLISHED
from shared.mongo import Database, Document

KINDS = {
    **dict.fromkeys(("confirmed", "attended", "no_show"), "taken"),
    **dict.fromkeys(("requested", "offered"), "requested"),
    "waitlisted": "waiting",
}
NEEDED_OF_SLOT = ("district_ags", "field", "starts_local", "places", "taken")
FORMER_INDEXES = (("registrations", "asked_by_slot"), ("registrations", "asked_by_district"), ("slots", "supply"))


async def drop_former_indexes(db: Database) -> None:
    """Take away what served counting at each look: every booking had to keep it."""
    for collection, name in FORMER_INDEXES:
        if name in await db[collection].index_information():
            await db[collection].drop_index(name)


async def counted_afresh(db: Database, campaign_id: str | None, districts: Iterable[str]) -> Coverage:
    """Need and supply of one campaign, or of all; `districts` are there anyway."""
    slots, asked = await asyncio.gather(slot_needs(db, campaign_id), asked_by_district(db, campaign_id))
    return add_up(slots, asked, districts)


async def slot_needs(db: Database, campaign_id: str | None) -> list[SlotNeed]:
    """Every slot that takes place, of one campaign or of all, with what was asked of it; slots alike in district,
    field and day are one.

    The slot's own counter holds the firm and the requested: only what is not firm is looked up.
    """
    open_ones = [state for state, kind in KINDS.items() if kind != "taken"]
    query = {**_of(campaign_id), "state": "open", "offer_state": {"$nin": ["withdrawn", *UNPUBLISHED]}}
    found = db.slots.find(query, dict.fromkeys(NEEDED_OF_SLOT, 1))
    asked, rows = await asyncio.gather(_asked(db, campaign_id, "slot_id", open_ones), found.to_list(None))
    alike: dict[tuple[str | None, str, str], Need] = defaultdict(Need)
    nothing = Need()
    for row in rows:
        need = alike[row["district_ags"], row["field"], row["starts_local"][:10]]
        of_slot = asked.get(row["_id"], nothing)
        need.offered += row["places"]
        need.taken += max(0, row["taken"] - of_slot.requested)
        need.requested += of_slot.requested
        need.waiting += of_slot.waiting
    return [SlotNeed(district, field, date.fromisoformat(day), need) for (district, field, day), need in alike.items()]


async def asked_by_district(db: Database, campaign_id: str | None) -> dict[str, Need]:
    """What the schools of each district asked for."""
    return await _asked(db, campaign_id, "school_district_ags", list(KINDS))


async def _asked(db: Database, campaign_id: str | None, by: str, states: list[str]) -> dict[str, Need]:
    key = {"key": {"$ifNull": [f"${by}", ELSEWHERE]}, "state": "$state"}
    pipeline = [
        {"$match": {**_of(campaign_id), "state": {"$in": states}}},
        {"$group": {"_id": key, "pupils": {"$sum": "$group.pupils"}}},
    ]
    needs: dict[str, Need] = defaultdict(Need)
    for row in await db.registrations.aggregate(pipeline).to_list(None):
        need, kind = needs[row["_id"]["key"]], KINDS[row["_id"]["state"]]
        setattr(need, kind, getattr(need, kind) + row["pupils"])
    return needs


def _of(campaign_id: str | None) -> Document:
    return {"campaign_id": campaign_id if campaign_id else {"$gt": ""}}
