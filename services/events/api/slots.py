"""Slots, as JSON."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.events.api.parts import Now, Reader, TheStore, Writer
from services.events.usecases import registrations, search, slots
from services.events.usecases.inputs import (
    MoveSlot,
    RegisterGroup,
    RegistrationFilter,
    ResizeSlot,
    SlotFilter,
    WithReason,
)
from services.events.usecases.results import ListOf, RegistrationView, SlotView, WaitingListView
from shared.web.callers import RequestId

router = APIRouter(tags=["slots"])
NO_REASON = WithReason()


@router.get("/slots")
async def find_slots(
    wanted: Annotated[SlotFilter, Query()], who: Reader, store: TheStore, now: Now
) -> ListOf[SlotView]:
    """Slots by time, with what must be known before booking."""
    return await search.find_slots(store, wanted, now=now, identity=who)


@router.get("/slots/{slot_id}")
async def show_slot(slot_id: str, who: Reader, store: TheStore, near_school: str | None = None) -> SlotView:
    """One slot."""
    return await search.show_slot(store, slot_id, near_school, who)


@router.post("/slots/{slot_id}/move")
async def move_slot(
    slot_id: str, body: MoveSlot, who: Writer, store: TheStore, now: Now, request_id: RequestId
) -> SlotView:
    """Another date or time; the registrations stay."""
    return await slots.move_slot(store, who, slot_id, body, now=now, request_id=request_id)


@router.post("/slots/{slot_id}/resize")
async def resize_slot(
    slot_id: str, body: ResizeSlot, who: Writer, store: TheStore, now: Now, request_id: RequestId
) -> SlotView:
    """More or fewer places or groups."""
    return await slots.resize_slot(store, who, slot_id, body, now=now, request_id=request_id)


@router.post("/slots/{slot_id}/cancel")
async def cancel_slot(
    slot_id: str, who: Writer, store: TheStore, now: Now, request_id: RequestId, body: WithReason = NO_REASON
) -> SlotView:
    """Call the date off, with all its registrations."""
    return await slots.cancel_slot(store, who, slot_id, body, now=now, request_id=request_id)


@router.post("/slots/{slot_id}/registrations", status_code=201)
async def register_group(
    slot_id: str, body: RegisterGroup, who: Writer, store: TheStore, now: Now, request_id: RequestId
) -> RegistrationView:
    """Register a group: it gets its places, asks for them, or waits."""
    return await registrations.register_group(store, who, slot_id, body, now=now, request_id=request_id)


@router.get("/slots/{slot_id}/registrations")
async def find_slot_registrations(
    slot_id: str, wanted: Annotated[RegistrationFilter, Query()], who: Reader, store: TheStore
) -> ListOf[RegistrationView]:
    """Who comes."""
    return await search.find_slot_registrations(store, who, slot_id, wanted)


@router.get("/slots/{slot_id}/waiting-list")
async def show_waiting_list(slot_id: str, who: Reader, store: TheStore) -> WaitingListView:
    """Who waits, who is offered places, and who was skipped and why."""
    return await search.show_waiting_list(store, who, slot_id)
