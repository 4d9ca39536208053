"""Changing what an offer says, and telling the groups that were promised something else."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from services.events.domain import errors
from services.events.domain.facts import ACTIVE, Offer, what_is_checked
from services.events.domain.offers import edited, promises_changed
from services.events.store.store import Store
from services.events.usecases.inputs import EditOffer
from services.events.usecases.offers import located, offer_of_own_company, remind
from services.events.usecases.results import OfferView, offer_view
from shared.auth import Identity
from shared.log import correlation_id
from shared.offsets import given
from shared.schemas.base import Message
from shared.schemas.events import OfferChanged, OfferFacts


async def edit_offer(
    store: Store, identity: Identity, offer_id: str, command: EditOffer, *, now: datetime, request_id: str
) -> OfferView:
    """Other facts. Groups on dates ahead get a mail when place or requirements change; the grades hold for dates that
    are opened from now on. An offer that was sent back waits for the coordinator again."""
    before = await offer_of_own_company(store, identity, offer_id)
    if before.last_request_id == request_id:
        return offer_view(before, with_contact=True)
    await _may_be_edited(store, before, command, now)
    facts = _facts(before.facts, command)
    again = before.confirm_again if command.confirm_again is None else command.confirm_again.rule()
    after = edited(before, facts, command.grades, again, request_id)
    if identity.coordinates and not before.changed_since_check and after.checked:
        after = replace(after, checked=what_is_checked(facts))  # her own change needs no second look
    same = replace(after, version=before.version, last_request_id=before.last_request_id) == before
    if not same and not await store.change_offer(before, after, _told(before, after, command.note, now)):
        raise errors.OfferChangedMeanwhile
    return offer_view(before if same else after, with_contact=True)


async def count_groups_ahead(store: Store, identity: Identity, offer_id: str, *, now: datetime) -> int:
    """How many groups are registered for, or wait for, the offer's dates ahead."""
    offer = await offer_of_own_company(store, identity, offer_id)
    ahead = {"offer_id": offer.id, "starts_utc": {"$gt": now}, "state": "open"}
    slots = await store.db.slots.find(ahead, {"_id": 1}).to_list(None)
    active = {"slot_id": {"$in": [row["_id"] for row in slots]}, "state": {"$in": sorted(ACTIVE)}}
    return await store.db.registrations.count_documents(active)


async def _may_be_edited(store: Store, before: Offer, command: EditOffer, now: datetime) -> None:
    if before.facts.state == "withdrawn":
        raise errors.OfferIsWithdrawn
    if before.version != command.version:
        raise errors.OfferChangedMeanwhile
    campaign = await store.campaign(before.facts.campaign_id)
    if campaign is None:
        raise errors.CampaignUnknown
    if now.astimezone(ZoneInfo(store.zone)).date() > campaign.ends_on:
        raise errors.CampaignIsOver(ended=campaign.ends_on)


def _facts(before: OfferFacts, command: EditOffer) -> OfferFacts:
    changes = {
        "title": command.title, "description": command.description, "place": located(command.place),
        "requirements": command.requirements, "contact": command.contact.facts(),
    }  # fmt: skip
    if command.reminders is not None:
        changes |= remind(given(command.reminders))
    return before.model_copy(update=changes)


def _told(before: Offer, after: Offer, note: str, now: datetime) -> list[Message]:
    if after.check:
        return []
    changed = promises_changed(before.facts, after.facts)
    return [
        OfferChanged.about(
            f"offer:{after.id}", after.version, now=now, correlation_id=correlation_id.get(), offer=after.facts,
            changed=changed, note=note if changed else "",
        )
    ]  # fmt: skip
