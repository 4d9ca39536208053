"""Offers and their slots, as JSON."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.events.api.parts import Lang, Now, Reader, TheStore, Writer
from services.events.usecases import offers, slots
from services.events.usecases.inputs import OfferFilter, OpenOffer, OpenSlots
from services.events.usecases.results import ListOf, OfferView, SlotsOpened
from shared.web.callers import RequestId

router = APIRouter(tags=["offers"])


@router.post("/offers", status_code=201)
async def open_offer(body: OpenOffer, who: Writer, store: TheStore, now: Now, request_id: RequestId) -> OfferView:
    """Publish a company's offer in a campaign."""
    return await offers.open_offer(store, who, body, now=now, request_id=request_id)


@router.get("/offers")
async def find_offers(wanted: Annotated[OfferFilter, Query()], who: Reader, store: TheStore) -> ListOf[OfferView]:
    """Offers in the order in which they were published."""
    return await offers.find_offers(store, who, wanted)


@router.get("/offers/{offer_id}")
async def show_offer(offer_id: str, who: Reader, store: TheStore) -> OfferView:
    """One offer."""
    return await offers.show_offer(store, who, offer_id)


@router.post("/offers/{offer_id}/pause")
async def pause_offer(offer_id: str, who: Writer, store: TheStore, now: Now, request_id: RequestId) -> OfferView:
    """Take no bookings for the time being."""
    return await offers.change_offer_state(store, who, offer_id, "paused", now=now, request_id=request_id)


@router.post("/offers/{offer_id}/resume")
async def resume_offer(offer_id: str, who: Writer, store: TheStore, now: Now, request_id: RequestId) -> OfferView:
    """Take bookings again."""
    return await offers.change_offer_state(store, who, offer_id, "published", now=now, request_id=request_id)


@router.post("/offers/{offer_id}/withdraw")
async def withdraw_offer(offer_id: str, who: Writer, store: TheStore, now: Now, request_id: RequestId) -> OfferView:
    """Take no bookings any more; registrations stay."""
    return await offers.change_offer_state(store, who, offer_id, "withdrawn", now=now, request_id=request_id)


@router.post("/offers/{offer_id}/slots", status_code=201)
async def open_slots(
    offer_id: str, body: OpenSlots, who: Writer, store: TheStore, now: Now, language: Lang, request_id: RequestId
) -> SlotsOpened:
    """Open one slot or a weekly series, all or none."""
    return await slots.open_slots(store, who, offer_id, body, now=now, request_id=request_id, language=language)
