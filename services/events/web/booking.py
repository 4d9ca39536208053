"""Registering a group: a short form, filled in as far as it is known."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.events.api.parts import Now, TheStore
from services.events.usecases import overview, registrations, search
from services.events.usecases.inputs import RegisterGroup
from services.events.web.parts import FORM_ERRORS, ThePages, typed, wrong
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.web.callers import Person
from shared.web.pages import form_request_id, nested, posted, see_other, validated

router = APIRouter()


@router.get("/slots/{slot_id}/register")
async def ask(slot_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The form, with what was given last time."""
    slot = await search.show_slot(store, slot_id)
    if (await overview.show_booking(store, slot, now=now)).phase != "open":
        return see_other(f"/events/slots/{slot_id}")
    values = await _remembered(store, person, request.query_params.get("school", ""))
    return await _form(request, pages, store, person, slot_id, values)


@router.post("/slots/{slot_id}/register")
async def register(
    slot_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Register the group; its page says what became of it."""
    form = await posted(request)
    fields = nested(form)
    fields["waitlist"] = "waitlist" in fields
    try:
        command = validated(RegisterGroup, fields)
        made = await registrations.register_group(
            store, person, slot_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        known = getattr(error, "values", {}).get("registration_id", "")
        return await _form(
            request, pages, store, person, slot_id, typed(form), 422, known=known, **wrong(request, error)
        )
    return see_other(f"/events/registrations/{made.id}?done=registered")


async def _form(
    request: Request, pages: Any, store: Any, person: Identity, slot_id: str, values: dict[str, Any], status: int = 200,
    *, errors: dict[str, str] | None = None, known: str = "",
) -> Response:  # fmt: skip
    schools = await overview.find_own(store, person, "teacher")
    if not schools:
        raise NotAllowed
    slot = await search.show_slot(store, slot_id)
    return pages.show(
        request, "register.html", status, slot=slot, schools=schools, values=values, errors=errors or {}, known=known
    )


async def _remembered(store: Any, person: Identity, school_id: str) -> dict[str, Any]:
    own = person.organisations("teacher")
    school_id = school_id or (own[0] if own else "")
    values: dict[str, Any] = {
        "school_id": school_id, "contact.name": person.name, "contact.email": person.email,
        "contact.language": person.language, "group.adults": 2, "waitlist": "yes",
    }  # fmt: skip
    last = await overview.find_last_group(store, person, school_id) if school_id else None
    if last:
        values |= {f"group.{name}": last[name] for name in ("name", "grade", "pupils", "adults")}
        values["contact.phone"] = last["phone"]
    return values
