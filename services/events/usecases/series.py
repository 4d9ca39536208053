"""Dates in a row: what a series would open, and taking back dates that nobody holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.domain.facts import Campaign, Offer
from services.events.domain.planning import offered_grades, plan_times
from services.events.store.documents import slot_of
from services.events.store.store import Store
from services.events.usecases.inputs import OpenSlots
from services.events.usecases.offers import offer_of_own_company
from services.events.usecases.results import LeftOut, SlotView, slot_view
from services.events.usecases.slots import campaign_open_for, left_out, times_of
from shared.auth import Identity
from shared.errors import RuleBroken, TryLater
from shared.log import correlation_id
from shared.mongo import Document
from shared.ui.language import Language, sentence

MOST_SHOWN = 200


@dataclass(frozen=True)
class Planned:
    """A date that would be opened; `there` when the offer has one that day already."""

    starts_local: datetime
    ends_local: datetime
    there: bool = False


@dataclass(frozen=True)
class Plan:
    """What a series would open, and the days that it leaves out, each with the reason."""

    dates: list[Planned]
    skipped: list[LeftOut]


async def preview_series(
    store: Store, identity: Identity, offer_id: str, command: OpenSlots, *, now: datetime, language: Language
) -> Plan:
    """The dates of a series before anything is opened. Changes nothing."""
    offer = await offer_of_own_company(store, identity, offer_id)
    campaign = await campaign_open_for(store, offer)
    times, left = times_of(command)
    grades = offered_grades(command.grades, offer.grades)
    there = await days_there(store, offer)
    dates, skipped = [], [left_out(each, language) for each in left]
    for starts, ends in times:
        if reason := _why_not(store, campaign, grades, starts, ends, command, now, language):
            skipped.append(LeftOut(day=starts.date(), reason=reason))
        else:
            dates.append(Planned(starts, ends, starts.date() in there))
    return Plan(dates, sorted(skipped, key=lambda each: each.day))


async def find_empty_slots(store: Store, identity: Identity, offer_id: str, *, now: datetime) -> list[SlotView]:
    """The offer's open dates ahead that nobody holds or waits for."""
    offer = await offer_of_own_company(store, identity, offer_id)
    empty: Document = {"offer_id": offer.id, "state": "open", "starts_utc": {"$gt": now}, "holds_any": False}
    rows = await store.db.slots.find(empty, {"pending": 0}).sort("starts_utc", 1).to_list(MOST_SHOWN)
    return [slot_view(slot_of(row), offer) for row in rows]


async def find_opened_at_once(store: Store, identity: Identity, offer_id: str, batch: str) -> set[str]:
    """The ids of the offer's slots that one request opened and nobody touched since."""
    offer = await offer_of_own_company(store, identity, offer_id)
    rows = store.db.slots.find({"offer_id": offer.id, "last_request_id": batch}, {"_id": 1})
    return {row["_id"] for row in await rows.to_list(MOST_SHOWN)}


async def withdraw_slots(
    store: Store, identity: Identity, offer_id: str, slot_ids: Sequence[str], *, now: datetime, request_id: str
) -> tuple[int, int]:
    """Take back dates of the offer for which nobody is registered; returns how many were and how many could not be:
    somebody registered meanwhile, or they were called off already."""
    offer = await offer_of_own_company(store, identity, offer_id)
    if not slot_ids:
        raise errors.NothingChosen
    slots = await store.slots(slot_ids)
    asked = do.CancelSlot(now=now, request_id=request_id, correlation_id=correlation_id.get(), only_if_empty=True)
    done = kept = 0
    for slot in slots.values():
        if slot.offer_id != offer.id:
            continue
        try:
            await store.decide(slot.id, asked)
            done += 1
        except TryLater:
            raise
        except RuleBroken:
            kept += 1
    return done, kept


async def days_there(store: Store, offer: Offer) -> set[object]:
    """The wall days on which the offer has an open date."""
    rows = store.db.slots.find({"offer_id": offer.id, "state": "open"}, {"starts_local": 1})
    return {datetime.fromisoformat(row["starts_local"]).date() for row in await rows.to_list(None)}


def _why_not(
    store: Store, campaign: Campaign, grades: Sequence[int], starts: datetime, ends: datetime, command: OpenSlots,
    now: datetime, language: Language,
) -> str:  # fmt: skip
    zone = command.zone or store.zone
    try:
        plan_times(campaign, grades, starts, ends, zone, allow_days_off=command.allow_days_off, now=now)
    except (errors.SlotInThePast, errors.SlotOutsideCampaign, errors.SlotOnDayOff, errors.CalendarNotKnown) as error:
        return sentence(error, language)
    return ""
