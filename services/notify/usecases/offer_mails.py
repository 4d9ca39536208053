"""Mails about an offer: to its company after the coordinator's check, to registered groups when its facts change."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.notify import domain, mails
from services.notify.domain import Letter
from services.notify.mails import RegistrationCase
from services.notify.store.copies import RegistrationCopy
from services.notify.usecases.contacts import hand_over
from services.notify.usecases.context import Context
from services.notify.usecases.planner import Planner, cause_of
from shared import inbox
from shared.mongo import Session
from shared.schemas.events import OfferChanged, OfferPublished, OfferSentBack, SlotFacts

LIVE = ("requested", "waitlisted", "offered", "confirmed")


async def plan_for_checked_offer(context: Context, message: OfferPublished | OfferSentBack, *, now: datetime) -> None:
    """Tell the company what the coordinator decided. An offer that nobody had to check needs no mail."""
    sent_back = isinstance(message, OfferSentBack)
    if not sent_back and not message.checked:
        return
    offer = message.offer
    facts: dict[str, Any] = {"offer": offer.model_dump(mode="json")}
    if isinstance(message, OfferSentBack):
        facts["reason"] = message.reason
    letters = mails.offer_sent_back(offer) if sent_back else mails.offer_published(offer)

    async def effect(session: Session) -> None:
        planner = Planner(
            context, f"offer:{offer.offer_id}", now, now + context.store.copies.retention, cause_of(message)
        )
        for letter in letters:
            key = domain.offer_key(letter.kind, offer.offer_id, message.aggregate_version, letter.to)
            planner.add(letter, key, facts, based_on=message.aggregate_version)
        await planner.write(session)

    async with context.turns.of(f"offer:{offer.offer_id}"):
        if await inbox.once(context.store.db, message, "mails", effect):
            context.store.deliveries.planned()


async def plan_for_changed_offer(context: Context, message: OfferChanged, *, now: datetime) -> None:
    """Take the facts over into the offer's slots, and tell every group that is still to come, when it matters to
    them. Each slot is one transaction. Whoever registered after the change knows it already; a message that newer ones
    have overtaken leaves only a trace."""
    erase_after = now + context.store.retention
    contact = await context.store.former_addresses.contact(message.offer.contact)
    offer = message.offer.model_copy(update={"contact": contact})
    await context.store.copies.change_offer(offer, message.aggregate_version, message.changed, erase_after)
    if message.changed:
        for slot_id in await context.store.copies.slots_of(message.offer.offer_id):
            await _tell_slot(context, message, slot_id, now)


async def _tell_slot(context: Context, message: OfferChanged, slot_id: str, now: datetime) -> None:
    async def effect(session: Session) -> None:
        slot = await context.store.copies.slot(slot_id, session)
        if slot is None or slot.state != "open" or domain.instant(slot.starts_local, slot.zone) <= now:
            return
        for copy in await context.store.copies.registrations_of(slot_id, LIVE, session):
            if copy.since is None or copy.since <= message.occurred_at:
                await _tell_registration(context, message, copy, slot, now, session)

    async with context.turns.of(slot_id):
        if await inbox.once(context.store.db, message, f"offer_changed:{slot_id}", effect):
            context.store.deliveries.planned()


async def _tell_registration(
    context: Context, message: OfferChanged, copy: RegistrationCopy, slot: SlotFacts, now: datetime, session: Session
) -> None:
    facts = copy.facts.model_copy(update={"slot": slot})
    erase_after = context.store.copies.erase_after(slot.ends_local, slot.zone)
    planner = Planner(context, f"registration:{facts.registration_id}", now, erase_after, cause_of(message))
    content = {
        "registration": facts.model_dump(mode="json"), "changed": message.changed, "reason": message.note,
    }  # fmt: skip
    letters = mails.offer_changed(RegistrationCase(facts, copy.company_knows))
    based_on = {"based_on": facts.version, "revision": slot.revision}
    version = message.aggregate_version

    def key(letter: Letter) -> str:
        return domain.offer_changed_key(facts.registration_id, version, letter.to)

    if await planner.copies.told_since(message.offer.offer_id, version, message.changed, session):
        planner.add_superseded(letters, key, content, **based_on)
    else:
        entries = planner.add_all(letters, key, content, hand_over(planner, copy, facts, letters), **based_on)
        await planner.copies.put_registrations([replace(copy, facts=facts, calendar=entries)], session)
    await planner.write(session)
