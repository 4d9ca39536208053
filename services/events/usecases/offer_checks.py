"""The coordinator's look at offers before anybody else sees them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.events.domain import errors
from services.events.domain import offers as rules
from services.events.domain.facts import Offer, Slot
from services.events.store.documents import offer_of
from services.events.store.store import Store
from services.events.usecases.inputs import WithReason
from services.events.usecases.offers import published
from services.events.usecases.paging import cursor, cut
from services.events.usecases.results import ListOf, OfferView, offer_view
from services.events.usecases.slots import opened
from shared.auth import Identity
from shared.errors import TryLater
from shared.log import correlation_id
from shared.mongo import Document
from shared.schemas.base import Message
from shared.schemas.events import OfferSentBack

SHOWN = 25


@dataclass(frozen=True)
class ChangedOffer:
    """A published offer, the names of what changed since its check, and what was checked, by name."""

    offer: OfferView
    changed: list[str]
    before: Document


async def find_waiting_offers(store: Store, identity: Identity, after: str | None = None) -> ListOf[OfferView]:
    """Offers that wait for the coordinator, those that wait longest first."""
    identity.must_coordinate()
    rows = await store.page(store.db.offers, {"check": "waiting"}, "created_at", SHOWN, cursor(after))
    shown, following = cut(rows, "created_at", SHOWN)
    return ListOf(items=[offer_view(offer_of(row), with_contact=True) for row in shown], next=following)


async def count_waiting_offers(store: Store, identity: Identity) -> int:
    """How many offers wait for the coordinator."""
    identity.must_coordinate()
    return await store.db.offers.count_documents({"check": "waiting"})


async def find_changed_offers(store: Store, identity: Identity) -> list[ChangedOffer]:
    """Published offers that say something else than when they were checked, the oldest first; at most SHOWN: those that
    are acknowledged make room."""
    identity.must_coordinate()
    rows = store.db.offers.find({"changed_since_check": True}).sort([("created_at", 1), ("_id", 1)]).limit(SHOWN)
    offers = [offer_of(row) for row in await rows.to_list(SHOWN)]
    return [
        ChangedOffer(offer_view(each, with_contact=True), each.changed_since_check, each.checked or {})
        for each in offers
    ]


async def count_changed_offers(store: Store, identity: Identity) -> int:
    """How many offers were changed since their check."""
    identity.must_coordinate()
    return await store.db.offers.count_documents({"changed_since_check": True})


async def acknowledge_changes(store: Store, identity: Identity, offer_id: str, version: int) -> None:
    """The coordinator has seen what this version says; a second time changes nothing. OfferChangedMeanwhile."""
    identity.must_coordinate()
    await _found(store, offer_id)
    if not await store.note_changes_seen(offer_id, version):
        raise errors.OfferChangedMeanwhile


async def publish_offer(
    store: Store, identity: Identity, offer_id: str, *, now: datetime, request_id: str
) -> OfferView:
    """Let everybody find the offer and its dates; the company gets a mail."""

    def say(offer: Offer) -> list[Message]:
        return [published(offer, now, checked=True)]

    def say_of_slot(offer: Offer) -> Callable[[Slot], Message]:
        return lambda slot: opened(slot, offer, now)

    identity.must_coordinate()
    before = await _found(store, offer_id)
    if before.last_request_id == request_id:
        return offer_view(before, with_contact=True)
    after = rules.published(before, request_id)
    if not await store.change_offer(before, after, say(after), say_of_slot(after)):
        raise TryLater
    return offer_view(after, with_contact=True)


async def send_offer_back(
    store: Store, identity: Identity, offer_id: str, command: WithReason, *, now: datetime, request_id: str
) -> OfferView:
    """Ask the company for a change; it reads the reason on its page and in a mail."""
    identity.must_coordinate()
    before = await _found(store, offer_id)
    if before.last_request_id == request_id:
        return offer_view(before, with_contact=True)
    after = rules.sent_back(before, command.reason, request_id)
    message = OfferSentBack.about(
        f"offer:{offer_id}", after.version, now=now, correlation_id=correlation_id.get(), offer=after.facts,
        reason=command.reason,
    )  # fmt: skip
    if not await store.change_offer(before, after, [message]):
        raise TryLater
    return offer_view(after, with_contact=True)


async def _found(store: Store, offer_id: str) -> Offer:
    offer = await store.offer(offer_id)
    if offer is None:
        raise errors.OfferNotFound
    return offer
