"""The day itself: a group's QR code at the gate, and the tick list of all groups of a date."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from services.events.api.parts import Now, TheStore
from services.events.domain.booking import ARRIVING
from services.events.domain.errors import AlreadyRecorded, NotTicked
from services.events.usecases import check_in, registrations, search
from services.events.usecases.inputs import RecordAttendance
from services.events.usecases.results import RegistrationView, SlotView
from services.events.web.parts import FORM_ERRORS, ThePages, typed, wall, wrong
from shared.auth import Identity
from shared.ids import derived_id
from shared.ui import language as words
from shared.web.callers import Person, Visitor
from shared.web.pages import errors_by_field, form_request_id, language_of, posted, see_other, validated

router = APIRouter()
HERE = ("requested", "confirmed", "attended", "no_show")


@router.get("/check-in/{registration_id}/{code}")
async def show_group(
    registration_id: str, code: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor
) -> Response:
    """What the code in a group's hand opens: for its host the group and one button, for everybody else a friendly
    word without any data."""
    if not await check_in.may_check_in(store, person, registration_id):
        return pages.show(request, "check_in_others.html", 403)
    group = await check_in.show_group(store, _known(person), registration_id, code, _secret(request))
    return _page(request, pages, group, code, now, done="done" in request.query_params)


@router.post("/check-in/{registration_id}/{code}")
async def check_in_group(
    registration_id: str, code: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The group is here, with so many; or it did not come."""
    form = await posted(request)
    group = await check_in.show_group(store, person, registration_id, code, _secret(request))
    try:
        await _record(store, person, registration_id, form, now, form_request_id(person, form))
    except FORM_ERRORS as error:
        group = await check_in.show_group(store, person, registration_id, code, _secret(request))
        return _page(request, pages, group, code, now, 422, values=typed(form), **wrong(request, error))
    return see_other(f"/events/check-in/{registration_id}/{code}?done=yes")


@router.get("/slots/{slot_id}/check-in")
async def show_list(
    slot_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """All groups of a date, to be ticked."""
    return await _list(request, pages, store, person, now, slot_id, done="done" in request.query_params)


@router.post("/slots/{slot_id}/check-in")
async def check_in_groups(
    slot_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Who came, with how many; groups without an entry stay as they are."""
    form = await posted(request)
    slot = await _own_slot(store, person, slot_id)
    shown = now >= slot.starts_at - ARRIVING
    errors = await _not_ticked(request, store, person, slot_id, form)
    entered = _entered(form)
    for registration_id in entered:
        entry = {
            name: form.get(f"{name}.{registration_id}") or "" for name in ("came", "pupils", "version")
        }  # fmt: skip
        if form.get("all"):
            entry["came"] = entry["came"] or "yes"
        try:
            request_id = derived_id(form_request_id(person, form), registration_id)
            await _record(store, person, registration_id, entry, now, request_id)
        except AlreadyRecorded:
            continue
        except FORM_ERRORS as error:
            reason = next(iter(errors_by_field(error, language_of(request)).values()))
            errors[f"pupils.{registration_id}" if shown else ""] = reason
    if errors or not entered:
        return await _list(
            request, pages, store, person, now, slot_id, 422, errors=errors, values=typed(form),
            nothing=not errors,
        )  # fmt: skip
    return see_other(f"/events/slots/{slot_id}/check-in?done=yes")


def _entered(form: FormData) -> list[str]:
    """The registrations with an entry; with the button for all, each that has none yet."""
    wanted = ("came.", "open.") if form.get("all") else ("came.",)
    return list(dict.fromkeys(name.split(".", 1)[1] for name in form if name.startswith(wanted)))


async def _not_ticked(request: Request, store: Any, person: Identity, slot_id: str, form: FormData) -> dict[str, str]:
    """The groups whose number was changed without a word whether they are here."""
    if form.get("all"):
        return {}
    sentence = words.sentence(NotTicked(), language_of(request))
    groups = await search.find_groups_in(store, person, slot_id, sorted(HERE))
    untouched = {f"pupils.{each.id}": ("", str(each.group.pupils)) for each in groups if f"came.{each.id}" not in form}
    return {name: sentence for name, usual in untouched.items() if str(form.get(name, "")).strip() not in usual}


async def _record(
    store: Any, person: Identity, registration_id: str, entry: Any, now: Any, request_id: str
) -> RegistrationView:
    came = entry.get("came") == "yes"
    fields = {"came": came, "pupils": (entry.get("pupils") or 0) if came else 0}
    if entry.get("version"):
        fields["version"] = entry["version"]
    command = validated(RecordAttendance, fields)
    return await registrations.record_attendance(
        store, person, registration_id, command, now=now, request_id=request_id
    )


def _page(
    request: Request, pages: Any, group: RegistrationView, code: str, now: Any, status: int = 200, **more: Any
) -> Response:
    slot = group.slot
    assert slot is not None
    recorded = group.pupils_attended is not None
    values = {"pupils": group.pupils_attended or group.group.pupils}
    common = {"done": False, "errors": {}, **more, "values": values | more.get("values", {})}
    return pages.show(
        request, "check_in.html", status, it=group, slot=slot, code=code, recorded=recorded,
        can_record=now >= slot.starts_at - ARRIVING and group.state in HERE, **common,
    )  # fmt: skip


async def _list(
    request: Request, pages: Any, store: Any, person: Identity, now: Any, slot_id: str, status: int = 200, **more: Any
) -> Response:
    slot = await _own_slot(store, person, slot_id)
    listed = await search.find_groups_in(store, person, slot_id, sorted(HERE))
    groups = sorted(listed, key=lambda each: (each.school_name, each.group.name))
    common = {"done": False, "nothing": False, "errors": {}, "values": {}, **more}
    return pages.show(
        request, "check_in_list.html", status, slot=slot, groups=groups,
        can_record=now >= slot.starts_at - ARRIVING, begins=wall(slot.starts_at - ARRIVING, slot.zone), **common,
    )  # fmt: skip


async def _own_slot(store: Any, person: Identity, slot_id: str) -> SlotView:
    slot = await search.show_slot(store, slot_id, identity=person)
    person.must_act_for_company(slot.offer.company_id)
    return slot


def _known(person: Identity | None) -> Identity:
    assert person is not None
    return person


def _secret(request: Request) -> str:
    return request.app.state.secret_key
