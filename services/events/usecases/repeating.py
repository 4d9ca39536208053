"""Again like last year: an earlier offer with its dates, on the same weekdays of a later year."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.events.domain.facts import Campaign, Offer, Slot
from services.events.domain.offers import years_later
from services.events.domain.planning import plan_times
from services.events.store.documents import slot_of
from services.events.store.store import Store
from services.events.usecases.inputs import ConfirmAgainInput, OpenOffer, PlaceInput, RepeatOffer
from services.events.usecases.offers import (
    campaign_to_offer_in,
    erasure_of_offer,
    offer_of_own_company,
    plan_offer,
    published,
)
from services.events.usecases.results import OfferView, offer_view
from services.events.usecases.slots import opened
from shared.auth import Identity
from shared.errors import RuleBroken
from shared.ids import derived_id
from shared.ui.language import Language, sentence

MOST_DATES = 200


@dataclass(frozen=True)
class Again:
    """One earlier date and when it would come again, or why it cannot."""

    slot_id: str
    starts_local: datetime
    ends_local: datetime
    places: int
    groups: int
    reason: str = ""


async def preview_repetition(
    store: Store, identity: Identity, offer_id: str, campaign_id: str, *, now: datetime, language: Language
) -> list[Again]:
    """The earlier offer's dates moved to the campaign's year. Changes nothing."""
    offer = await offer_of_own_company(store, identity, offer_id)
    campaign = await campaign_to_offer_in(store, campaign_id, now)
    found = []
    for slot in await _moved(store, offer, campaign):
        reason = ""
        try:
            _check(slot, campaign, now)
        except RuleBroken as error:
            reason = sentence(error, language)
        found.append(Again(slot.id, slot.starts_local, slot.ends_local, slot.places, slot.groups, reason))
    return found


async def repeat_offer(
    store: Store, identity: Identity, offer_id: str, command: RepeatOffer, *, now: datetime, request_id: str
) -> OfferView:
    """A new offer with the facts of an earlier one and the chosen dates a year later, all or none."""
    earlier = await offer_of_own_company(store, identity, offer_id)
    new_id = derived_id(request_id, "offer")
    if known := await store.offer(new_id):
        return offer_view(known, with_contact=True)
    campaign = await campaign_to_offer_in(store, command.campaign_id, now)
    offer = await plan_offer(store, campaign, new_id, _command(earlier, command), now, request_id)
    chosen = [slot for slot in await _moved(store, earlier, campaign) if slot.id in set(command.slots)]
    slots = [_new_slot(slot, offer, campaign, now, request_id) for slot in chosen]
    told = [] if offer.check else [published(offer, now), *(opened(slot, offer, now) for slot in slots)]
    await store.add_offer_with_slots(offer, erasure_of_offer(store, campaign), slots, told)
    return offer_view(offer, with_contact=True)


async def _moved(store: Store, offer: Offer, campaign: Campaign) -> list[Slot]:
    """The offer's dates (not those called off) with the days of a later year."""
    found = store.db.slots.find({"offer_id": offer.id, "state": "open"}, {"pending": 0}).sort("starts_utc", 1)
    slots = [slot_of(row) for row in await found.to_list(MOST_DATES)]
    shift: timedelta = years_later([slot.starts_local.date() for slot in slots], campaign.starts_on)
    return [replace(each, starts_local=each.starts_local + shift, ends_local=each.ends_local + shift) for each in slots]


def _check(slot: Slot, campaign: Campaign, now: datetime) -> tuple[datetime, datetime]:
    times = plan_times(
        campaign, slot.grades, slot.starts_local, slot.ends_local, slot.zone, allow_days_off=False, now=now
    )
    return times.starts_utc, times.ends_utc


def _new_slot(slot: Slot, offer: Offer, campaign: Campaign, now: datetime, request_id: str) -> Slot:
    starts_utc, ends_utc = _check(slot, campaign, now)
    return Slot(
        id=derived_id(request_id, "slot", slot.id),
        offer_id=offer.id,
        campaign_id=campaign.id,
        company_id=offer.facts.company_id,
        starts_local=slot.starts_local,
        ends_local=slot.ends_local,
        zone=slot.zone,
        starts_utc=starts_utc,
        ends_utc=ends_utc,
        places=slot.places,
        groups=slot.groups,
        grades=slot.grades,
        approval=offer.approval,
        waiting_list=offer.waiting_list,
        offer_school_days=offer.offer_school_days,
        groups_per_school=offer.groups_per_school,
        last_request_id=request_id,
    )


def _command(earlier: Offer, command: RepeatOffer) -> OpenOffer:
    facts = earlier.facts
    place = facts.place.model_dump(include=set(PlaceInput.model_fields))
    return OpenOffer(
        campaign_id=command.campaign_id,
        company_id=facts.company_id,
        title=facts.title,
        description=facts.description,
        field=facts.field,
        place=PlaceInput(**place),
        requirements=facts.requirements,
        contact=command.contact,
        grades=list(earlier.grades),
        approval=earlier.approval,
        waiting_list=earlier.waiting_list,
        offer_school_days=earlier.offer_school_days,
        groups_per_school=earlier.groups_per_school,
        confirm_again=ConfirmAgainInput.of(earlier.confirm_again),
        reminders=offer_view(earlier, with_contact=False).reminders,
    )
