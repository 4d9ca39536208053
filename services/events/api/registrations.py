"""Registrations and self-found places, as JSON."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.events.api.parts import Now, Reader, TheStore, Writer
from services.events.usecases import registrations, self_found
from services.events.usecases.inputs import (
    CancelRegistration,
    RecordAttendance,
    RecordSelfFoundPlace,
    RegistrationFilter,
    ResizeRegistration,
    SelfFoundFilter,
    WithReason,
)
from services.events.usecases.results import ListOf, RegistrationView, SelfFoundView
from shared.web.callers import RequestId

router = APIRouter(tags=["registrations"])
NO_REASON = WithReason()
NOTHING_SAID = CancelRegistration()


@router.get("/registrations")
async def find_registrations(
    wanted: Annotated[RegistrationFilter, Query()], who: Reader, store: TheStore
) -> ListOf[RegistrationView]:
    """Registrations of the own schools and companies, in the order in which they came."""
    return await registrations.find_registrations(store, who, wanted)


@router.get("/registrations/{registration_id}")
async def show_registration(registration_id: str, who: Reader, store: TheStore) -> RegistrationView:
    """One registration with its slot."""
    return await registrations.show_registration(store, who, registration_id)


@router.post("/registrations/{registration_id}/approve")
async def approve(
    registration_id: str, who: Writer, store: TheStore, now: Now, request_id: RequestId
) -> RegistrationView:
    """The company agrees."""
    return await registrations.approve_registration(store, who, registration_id, now=now, request_id=request_id)


@router.post("/registrations/{registration_id}/decline")
async def decline(
    registration_id: str, who: Writer, store: TheStore, now: Now, request_id: RequestId, body: WithReason = NO_REASON
) -> RegistrationView:
    """The company does not agree."""
    return await registrations.decline_registration(store, who, registration_id, body, now=now, request_id=request_id)


@router.post("/registrations/{registration_id}/accept")
async def accept(
    registration_id: str, who: Writer, store: TheStore, now: Now, request_id: RequestId
) -> RegistrationView:
    """The school takes the offered places."""
    return await registrations.accept_offered_places(store, who, registration_id, now=now, request_id=request_id)


@router.post("/registrations/{registration_id}/cancel")
async def cancel(
    registration_id: str,
    who: Writer,
    store: TheStore,
    now: Now,
    request_id: RequestId,
    body: CancelRegistration = NOTHING_SAID,
) -> RegistrationView:
    """Call the registration off."""
    return await registrations.cancel_registration(store, who, registration_id, body, now=now, request_id=request_id)


@router.post("/registrations/{registration_id}/confirm-again")
async def confirm_again(
    registration_id: str, who: Writer, store: TheStore, now: Now, request_id: RequestId
) -> RegistrationView:
    """The school was asked whether its group still comes: it does."""
    return await registrations.say_still_coming(store, who, registration_id, now=now, request_id=request_id)


@router.post("/registrations/{registration_id}/resize")
async def resize(
    registration_id: str, body: ResizeRegistration, who: Writer, store: TheStore, now: Now, request_id: RequestId
) -> RegistrationView:
    """Another head count."""
    return await registrations.resize_registration(store, who, registration_id, body, now=now, request_id=request_id)


@router.post("/registrations/{registration_id}/attend")
async def attend(
    registration_id: str, body: RecordAttendance, who: Writer, store: TheStore, now: Now, request_id: RequestId
) -> RegistrationView:
    """Whether the group came."""
    return await registrations.record_attendance(store, who, registration_id, body, now=now, request_id=request_id)


@router.post("/self-found-places", status_code=201)
async def record_self_found_place(
    body: RecordSelfFoundPlace, who: Writer, store: TheStore, now: Now, request_id: RequestId
) -> SelfFoundView:
    """Record places that a school found outside the system."""
    return await self_found.record_self_found_place(store, who, body, now=now, request_id=request_id)


@router.get("/self-found-places")
async def find_self_found_places(
    wanted: Annotated[SelfFoundFilter, Query()], who: Reader, store: TheStore
) -> ListOf[SelfFoundView]:
    """Records of the own schools."""
    return await self_found.find_self_found_places(store, who, wanted)


@router.post("/self-found-places/{record_id}/withdraw")
async def withdraw_self_found_place(
    record_id: str, who: Writer, store: TheStore, now: Now, request_id: RequestId
) -> SelfFoundView:
    """Take a record back."""
    return await self_found.withdraw_self_found_place(store, who, record_id, now=now, request_id=request_id)
