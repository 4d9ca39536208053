"""A school's registrations: what needs an answer, and for each its state in plain words and the next step."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from services.events.api.parts import Now, TheStore
from services.events.usecases import at_school, overview, registrations
from services.events.usecases.inputs import (
    CancelRegistration,
    RecordAttendance,
    RegistrationFilter,
    ResizeRegistration,
)
from services.events.usecases.results import RegistrationView, SlotView
from services.events.web.parts import FORM_ERRORS, ThePages, deadline, manages, typed, wall, wrong
from shared.auth import Identity
from shared.schemas.events import RegistrationState
from shared.web.callers import Person
from shared.web.pages import asked_after, form_request_id, nested, posted, see_other, validated

router = APIRouter()
DONE = ("registered", "accepted", "still_coming", "resized", "unchanged", "cancelled", "attended")
ACTIVE = ("requested", "waitlisted", "offered", "confirmed")
STATES = get_args(RegistrationState)
SHOWN = 24


@router.get("/registrations")
async def show_all(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """All, those made last first, page by page; of one state when that is asked."""
    asked = request.query_params.get("state", "")
    state = asked if asked in STATES else None
    wanted = RegistrationFilter(state=state, limit=SHOWN, after=asked_after(request))
    found, names = await at_school.find_registrations_latest_first(store, person, wanted)
    following = {"state": state, "after": found.next} if state else {"after": found.next}
    return pages.show(
        request, "registrations.html", found=found.items, state=state or "", states=STATES, registered_by=names,
        offered=await overview.count_offered(store, person), continued=wanted.after is not None,
        deadlines={each.id: deadline(each) for each in found.items},
        more=f"/events/registrations?{urlencode(following)}" if found.next else "",
    )  # fmt: skip


@router.get("/registrations/{registration_id}")
async def show(
    registration_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """One registration."""
    registration = await registrations.show_registration(store, person, registration_id)
    done = request.query_params.get("done", "")
    return await _page(request, pages, store, registration, person, now, done=done if done in DONE else "")


@router.post("/registrations/{registration_id}/accept")
async def accept(
    registration_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Take the offered places."""
    form = await posted(request)

    async def work(request_id: str) -> object:
        return await registrations.accept_offered_places(store, person, registration_id, now=now, request_id=request_id)

    return await _carried_out(request, pages, store, person, now, registration_id, form, work, "accepted")


@router.post("/registrations/{registration_id}/confirm-again")
async def confirm_again(
    registration_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The group still comes."""
    form = await posted(request)

    async def work(request_id: str) -> object:
        return await registrations.say_still_coming(store, person, registration_id, now=now, request_id=request_id)

    return await _carried_out(request, pages, store, person, now, registration_id, form, work, "still_coming")


@router.post("/registrations/{registration_id}/resize")
async def resize(
    registration_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Another head count."""
    form = await posted(request)
    before = await registrations.show_registration(store, person, registration_id)
    same = (str(form.get("pupils", "")).strip(), str(form.get("adults", "")).strip())
    if same == (str(before.group.pupils), str(before.group.adults)) and before.state in ACTIVE:
        return see_other(f"/events/registrations/{registration_id}?done=unchanged")

    async def work(request_id: str) -> object:
        command = validated(ResizeRegistration, nested(form))
        return await registrations.resize_registration(
            store, person, registration_id, command, now=now, request_id=request_id
        )

    return await _carried_out(request, pages, store, person, now, registration_id, form, work, "resized")


@router.post("/registrations/{registration_id}/attend")
async def attend(
    registration_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Whether the group was there."""
    form = await posted(request)

    async def work(request_id: str) -> object:
        command = validated(RecordAttendance, {"pupils": 0, **nested(form)})
        return await registrations.record_attendance(
            store, person, registration_id, command, now=now, request_id=request_id
        )

    return await _carried_out(request, pages, store, person, now, registration_id, form, work, "attended")


@router.get("/registrations/{registration_id}/cancel")
async def ask_to_cancel(
    registration_id: str, request: Request, pages: ThePages, store: TheStore, person: Person
) -> Response:
    """What cancelling causes, and the button for it."""
    registration = await registrations.show_registration(store, person, registration_id)
    if registration.state not in ACTIVE:  # somebody went back to a page that is done with
        return see_other(f"/events/registrations/{registration_id}")
    return pages.show(request, "cancel.html", registration=registration, slot=registration.slot)


@router.post("/registrations/{registration_id}/cancel")
async def cancel(
    registration_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Call the registration off."""
    form = await posted(request)

    async def work(request_id: str) -> object:
        command = validated(CancelRegistration, nested(form))
        return await registrations.cancel_registration(
            store, person, registration_id, command, now=now, request_id=request_id
        )

    return await _carried_out(request, pages, store, person, now, registration_id, form, work, "cancelled")


async def _carried_out(
    request: Request, pages: Any, store: Any, person: Identity, now: Any, registration_id: str, form: FormData,
    work: Callable[[str], Awaitable[object]], done: str,
) -> Response:  # fmt: skip
    """Do it and show the registration; when a rule forbids it, show it with the reason and what was typed."""
    try:
        await work(form_request_id(person, form))
    except FORM_ERRORS as error:
        registration = await registrations.show_registration(store, person, registration_id)
        hidden = {"came": ""} if registration.slot and now < registration.slot.starts_at else {}
        return await _page(
            request, pages, store, registration, person, now, 422, values=typed(form), **wrong(request, error, **hidden)
        )
    return see_other(f"/events/registrations/{registration_id}?done={done}")


async def _page(
    request: Request, pages: Any, store: Any, registration: RegistrationView, person: Identity, now: Any,
    status: int = 200, **more: Any,
) -> Response:  # fmt: skip
    slot = registration.slot
    assert slot is not None
    values = {"pupils": registration.group.pupils, "adults": registration.group.adults}
    common = {"done": "", "values": values, **more}
    steps = await at_school.show_history(store, person, registration.id)
    today = wall(now, slot.zone).date()
    return pages.show(
        request, "registration.html", status, registration=registration, slot=slot, deadline=deadline(registration),
        has_begun=now >= slot.starts_at, manages=manages(person, slot), today=today,
        steps=[(wall(step.at, slot.zone), step) for step in steps], reminder=_reminder_to_come(slot, today),
        registered_by=await at_school.name_of_registrar(store, person, registration),
        registers=person.coordinates or person.has("teacher", registration.school_id), coordinates=person.coordinates,
        of_school=person.has("teacher", registration.school_id), **common,
    )  # fmt: skip


def _reminder_to_come(slot: SlotView, today: date) -> bool:
    """Whether a reminder by mail is likely to come: the campaign and days off decide on which day."""
    days = [slot.starts_local.date() - timedelta(days=before) for before in slot.offer.reminder_days]
    return any(day > today for day in days)
