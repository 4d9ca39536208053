"""Copies of what `events` says, without any contact's data; and the rows of a report counted afresh from them, to prove
the figures that are kept (figures.py). A copy that is replaced is no longer noted as counted."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from services.outreach.domain.reports import HELD, MET, Row
from services.outreach.store.core import Store
from shared.mongo import Document, put_if_newer
from shared.schemas.events import OfferFacts, RegistrationFacts, SelfFoundPlaceRecorded, SlotFacts

COPIES = ("report_offers", "report_slots", "report_registrations", "report_self_found")


async def copy_offer(store: Store, offer: OfferFacts, version: int) -> None:
    """Keep what counts of an offer."""
    await put_if_newer(store.db.report_offers, offer.offer_id, version, offer_copy(offer))


async def copy_slot(store: Store, slot: SlotFacts, version: int) -> None:
    """Keep what counts of a slot."""
    facts = slot_copy(slot.offer, slot.places, slot.state)
    await put_if_newer(store.db.report_slots, slot.slot_id, version, facts)


async def copy_registration(store: Store, registration: RegistrationFacts) -> None:
    """Keep what counts of a registration: keys and numbers, nobody's name."""
    facts = registration_copy(
        campaign_id=registration.slot.offer.campaign_id,
        slot_id=registration.slot.slot_id,
        school_id=registration.school_id,
        school_type=registration.school_type,
        district=registration.school_district_ags,
        field=registration.slot.offer.field,
        state=registration.state,
        pupils=registration.group.pupils,
        attended=registration.pupils_attended or 0,
    )
    await put_if_newer(store.db.report_registrations, registration.registration_id, registration.version, facts)


async def copy_self_found(store: Store, record: SelfFoundPlaceRecorded) -> None:
    """Keep what counts of a self-found place."""
    facts = {
        "campaign_id": record.campaign_id,
        "school_id": record.school_id,
        "school_type": record.school_type,
        "district": record.school_district_ags,
        "field": record.field,
        "pupils": record.group.pupils,
        "withdrawn": record.withdrawn,
    }
    await put_if_newer(store.db.report_self_found, record.record_id, record.aggregate_version, facts)


def offer_copy(offer: OfferFacts) -> Document:
    """What counts of an offer."""
    return {**_belonging(offer), "state": offer.state}


def slot_copy(offer: OfferFacts, places: int, state: str) -> Document:
    """What counts of a slot."""
    return {**_belonging(offer), "places": places, "state": state}


def registration_copy(
    *, campaign_id: str, slot_id: str, school_id: str, school_type: str, district: str | None, field: str, state: str,
    pupils: int, attended: int,
) -> Document:  # fmt: skip
    """What counts of a registration."""
    return {
        "campaign_id": campaign_id, "slot_id": slot_id, "school_id": school_id, "school_type": school_type,
        "district": district, "field": field, "state": state, "pupils": pupils, "attended": attended,
    }  # fmt: skip


async def rows(store: Store, campaign_id: str) -> list[Row]:
    """Everything that counts in a campaign, grouped as finely as the report needs."""
    parts = (_offers, _slots, _registrations, _visits, _self_found)
    counted = await asyncio.gather(*(_all(part(store, campaign_id)) for part in parts))
    return [row for rows in counted for row in rows]


async def _all(part: AsyncIterator[Row]) -> list[Row]:
    return [row async for row in part]


async def _offers(store: Store, campaign_id: str) -> AsyncIterator[Row]:
    alive = {"campaign_id": campaign_id, "state": {"$ne": "withdrawn"}}
    async for key, _ in _grouped(store, "report_offers", alive, ["company_id", "district", "field"], {}):
        yield Row(district=key["district"], field=key["field"], company=key["company_id"])


async def _slots(store: Store, campaign_id: str) -> AsyncIterator[Row]:
    counts = {"slots": {"$sum": 1}, "places_offered": {"$sum": "$places"}}
    alive = {"campaign_id": campaign_id, "state": "open"}
    async for key, counted in _grouped(store, "report_slots", alive, ["district", "field"], counts):
        yield Row(**key, counts=counted)


async def _registrations(store: Store, campaign_id: str) -> AsyncIterator[Row]:
    counts = {
        "groups": {"$sum": 1},
        "pupils": {"$sum": "$pupils"},
        "places_taken": {"$sum": "$pupils"},
        "places_attended": {"$sum": {"$cond": [{"$eq": ["$state", "attended"]}, "$attended", 0]}},
        "met": {"$sum": {"$cond": [{"$in": ["$state", list(MET)]}, 1, 0]}},
    }
    held = {"campaign_id": campaign_id, "state": {"$in": list(HELD)}}
    by = ["school_id", "school_type", "district", "field"]
    async for key, counted in _grouped(store, "report_registrations", held, by, counts):
        school = key.pop("school_id") if counted.pop("met") else key.pop("school_id") and None
        yield Row(**key, school=school, counts=counted)


async def _visits(store: Store, campaign_id: str) -> AsyncIterator[Row]:
    counts = {"visits": {"$sum": 1}, "pupils_reached": {"$sum": {"$ifNull": ["$pupils_reached", 0]}}}
    sure = {"campaign_id": campaign_id, "state": {"$in": ["confirmed", "done"]}}
    counted = [entry async for entry in _grouped(store, "visits", sure, ["school_id", "field"], counts)]
    ids = [key["school_id"] for key, _ in counted]
    found = store.db.schools.find({"_id": {"$in": ids}}, {"district_ags": 1, "school_type": 1})
    schools = {row["_id"]: row async for row in found}
    for key, sums in counted:
        school = schools.get(key["school_id"], {})
        place = {"district": school.get("district_ags"), "school_type": school.get("school_type")}
        yield Row(**place, field=key["field"], school=key["school_id"], counts=sums)


async def _self_found(store: Store, campaign_id: str) -> AsyncIterator[Row]:
    counts = {"self_found_places": {"$sum": "$pupils"}}
    there = {"campaign_id": campaign_id, "withdrawn": False}
    async for key, counted in _grouped(store, "report_self_found", there, ["school_type", "district", "field"], counts):
        yield Row(**key, counts=counted)


async def _grouped(
    store: Store, collection: str, where: Document, by: list[str], counts: Document
) -> AsyncIterator[tuple[dict[str, Any], dict[str, int]]]:
    group = {"_id": {name: {"$ifNull": [f"${name}", None]} for name in by}, **counts}
    async for row in store.db[collection].aggregate([{"$match": where}, {"$group": group}]):
        key = row.pop("_id")
        yield key, row


def _belonging(offer: OfferFacts) -> Document:
    return {
        "campaign_id": offer.campaign_id,
        "company_id": offer.company_id,
        "district": offer.place.district_ags,
        "field": offer.field,
    }
