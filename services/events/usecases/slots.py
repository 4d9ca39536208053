"""The dates on which a company opens its doors."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.domain.facts import Campaign, Offer, Slot
from services.events.domain.messages import slot_facts
from services.events.domain.planning import Left, offered_grades, plan_series, plan_times
from services.events.store.store import Store
from services.events.usecases.inputs import MoveSlot, OpenSlots, ResizeSlot, WithReason
from services.events.usecases.offers import identity_may_ask
from services.events.usecases.results import LeftOut, SlotsOpened, SlotView, slot_view
from shared.auth import Identity
from shared.errors import Invalid
from shared.ids import derived_id
from shared.log import correlation_id
from shared.schemas.base import Message
from shared.schemas.events import SlotOpened
from shared.ui.language import Language


class OneOrSeries(Invalid):
    """Give either the start and end of one date, or a series."""

    field = "starts_local"


async def open_slots(
    store: Store, identity: Identity, offer_id: str, command: OpenSlots,
    *, now: datetime, request_id: str, language: Language = "de",
) -> SlotsOpened:  # fmt: skip
    """Open one slot of an offer or a weekly series, all or none; days that a series leaves out come with the reason."""
    offer = await store.offer(offer_id)
    if offer is None:
        identity_may_ask(identity)
        raise errors.OfferNotFound
    identity.must_act_for_company(offer.facts.company_id)
    times, left = times_of(command)
    slots = await store.slots([_slot_id(request_id, start) for start, _ in times])
    if not slots:
        campaign = await campaign_open_for(store, offer)
        planned = [_plan(store, offer, campaign, command, start, end, now, request_id) for start, end in times]
        messages = [] if offer.check else [opened(slot, offer, now) for slot in planned]
        await store.add_slots(planned, offer, messages)
        slots = {slot.id: slot for slot in planned}
    views = [slot_view(slot, offer) for slot in sorted(slots.values(), key=lambda s: s.starts_utc)]
    return SlotsOpened(slots=views, skipped=[left_out(each, language) for each in left])


async def move_slot(
    store: Store, identity: Identity, slot_id: str, command: MoveSlot, *, now: datetime, request_id: str
) -> SlotView:
    """Give a slot another date or time; its registrations stay and everyone is told once."""
    slot, offer = await own_slot(store, identity, slot_id)
    if slot.last_request_id != request_id:
        campaign = await store.campaign(slot.campaign_id)
        if campaign is None:
            raise errors.CampaignUnknown
        zone = command.zone or slot.zone
        times = plan_times(
            campaign, slot.grades, command.starts_local, command.ends_local, zone,
            allow_days_off=command.allow_days_off, now=now,
        )  # fmt: skip
        slot = await _decide(
            store, slot_id,
            do.MoveSlot(
                now=now, request_id=request_id, correlation_id=correlation_id.get(), starts_local=times.starts_local,
                ends_local=times.ends_local, zone=zone, starts_utc=times.starts_utc, ends_utc=times.ends_utc,
                reason=command.reason,
            ),
        )  # fmt: skip
    return slot_view(slot, offer)


async def resize_slot(
    store: Store, identity: Identity, slot_id: str, command: ResizeSlot, *, now: datetime, request_id: str
) -> SlotView:
    """Give a slot more or fewer places or groups, never fewer than are taken."""
    _, offer = await own_slot(store, identity, slot_id)
    asked = do.ResizeSlot(
        now=now, request_id=request_id, correlation_id=correlation_id.get(), places=command.places,
        groups=command.groups,
    )  # fmt: skip
    return slot_view(await _decide(store, slot_id, asked), offer)


async def cancel_slot(
    store: Store, identity: Identity, slot_id: str, command: WithReason, *, now: datetime, request_id: str
) -> SlotView:
    """Call a slot off: nobody can book any more at once, then every registration is cancelled and told so."""
    _, offer = await own_slot(store, identity, slot_id)
    asked = do.CancelSlot(now=now, request_id=request_id, correlation_id=correlation_id.get(), reason=command.reason)
    await _decide(store, slot_id, asked)
    return slot_view(await clear_cancelled_slot(store, slot_id, now=now), offer)


async def clear_cancelled_slot(store: Store, slot_id: str, *, now: datetime) -> Slot:
    """Cancel the registrations of a slot that was called off, batch by batch until none is left."""
    clear = do.ClearCancelledSlot(now=now, request_id="", correlation_id=correlation_id.get())
    version = 0
    while (slot := await _decide(store, slot_id, clear)).version > version:
        version = slot.version
    return slot


async def own_slot(store: Store, identity: Identity, slot_id: str) -> tuple[Slot, Offer]:
    """The slot and its offer for somebody of its company; NotAllowed for others."""
    slot = await store.slot(slot_id)
    if slot is None:
        identity_may_ask(identity)
        raise errors.SlotNotFound
    identity.must_act_for_company(slot.company_id)
    offer = await store.offer(slot.offer_id)
    if offer is None:
        raise errors.OfferNotFound
    return slot, offer


async def _decide(store: Store, slot_id: str, command: do.Command) -> Slot:
    return cast(Slot, await store.decide(slot_id, command))


async def campaign_open_for(store: Store, offer: Offer) -> Campaign:
    """The campaign of an offer that can have further dates. OfferIsWithdrawn, CampaignUnknown."""
    if offer.facts.state == "withdrawn":
        raise errors.OfferIsWithdrawn
    campaign = await store.campaign(offer.facts.campaign_id)
    if campaign is None:
        raise errors.CampaignUnknown
    return campaign


def times_of(command: OpenSlots) -> tuple[Sequence[tuple[datetime, datetime]], list[Left]]:
    """Start and end (wall time) of each date asked for, and the days that a series leaves out."""
    series, start, end = command.series, command.starts_local, command.ends_local
    if (series is None) == (start is None) or (start is None) != (end is None):
        raise OneOrSeries
    if series is None:
        return [(cast(datetime, start), cast(datetime, end))], []
    if series.last_day < series.first_day:
        raise errors.SeriesIsEmpty
    times, left = plan_series(
        series.weekdays, series.first_day, series.last_day, series.starts, series.ends,
        skip_days_off=series.skip_days_off and not command.allow_days_off,
    )  # fmt: skip
    if series.only is not None:
        times = [each for each in times if each[0].date() in series.only]
    if not times:
        raise errors.NothingChosen
    return times, left


def _slot_id(request_id: str, starts_local: datetime) -> str:
    return derived_id(request_id, "slot", starts_local.isoformat())


def _plan(
    store: Store, offer: Offer, campaign: Campaign, command: OpenSlots, starts_local: datetime, ends_local: datetime,
    now: datetime, request_id: str,
) -> Slot:  # fmt: skip
    grades = offered_grades(command.grades, offer.grades)
    zone = command.zone or store.zone
    times = plan_times(campaign, grades, starts_local, ends_local, zone, allow_days_off=command.allow_days_off, now=now)
    return Slot(
        id=_slot_id(request_id, starts_local),
        offer_id=offer.id,
        campaign_id=offer.facts.campaign_id,
        company_id=offer.facts.company_id,
        starts_local=times.starts_local,
        ends_local=times.ends_local,
        zone=zone,
        starts_utc=times.starts_utc,
        ends_utc=times.ends_utc,
        places=command.places,
        groups=command.groups,
        grades=grades,
        approval=offer.approval,
        waiting_list=offer.waiting_list,
        offer_school_days=offer.offer_school_days,
        groups_per_school=offer.groups_per_school,
        last_request_id=request_id,
    )


def opened(slot: Slot, offer: Offer, now: datetime) -> Message:
    """What is said when a slot can be booked; of one that belongs to an unpublished offer only at its publication."""
    return SlotOpened.about(
        f"slot:{slot.id}", slot.version, now=now, correlation_id=correlation_id.get(), slot=slot_facts(slot, offer)
    )


def left_out(left: Left, language: Language) -> LeftOut:
    """A day that a series leaves out, in the reader's words."""
    return LeftOut(day=left.day, reason=left.name_de if language == "de" else left.name_en)
