"""Registering a group: one form to check and send, filled in as far as known, with what should be known before."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.events.api.parts import Now, TheStore
from services.events.domain.errors import RequirementsChanged
from services.events.domain.groups import KnownGroup
from services.events.domain.warnings import Kind, Warning
from services.events.usecases import at_school, choosing, overview, registrations, search
from services.events.usecases.inputs import RegisterGroup
from services.events.usecases.results import SlotView
from services.events.web.parts import FORM_ERRORS, ThePages, onward, typed, wrong
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.web.callers import Person
from shared.web.pages import form_request_id, nested, posted, see_other, validated

router = APIRouter()
REFUSED: frozenset[Kind] = frozenset(
    {"movable_day", "never_fits", "registered"}
)  # sending is answered by an error of its own


@router.get("/slots/{slot_id}/register")
async def ask(slot_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The form, with the class that was chosen or registered last, and the person's own contact."""
    slot = await search.show_slot(store, slot_id)
    if (await overview.show_booking(store, slot, now=now)).phase != "open":
        return see_other(f"/events/slots/{slot_id}")
    groups = await at_school.find_known_groups(store, person, now=now)
    school_id = request.query_params.get("school_id") or request.query_params.get("school", "")
    values = await _remembered(store, person, school_id, _chosen(groups, school_id, request.query_params.get("group")))
    warnings = await _warnings(store, person, slot_id, values)
    return await _form(request, pages, store, person, slot, values, groups=groups, warnings=warnings)


@router.post("/slots/{slot_id}/register")
async def register(
    slot_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Register the group; its page says what became of it. What should be known first, and was not shown yet, is shown
    before anything happens."""
    form = await posted(request)
    warned = {str(kind) for kind in form.getlist("warned")}
    fields = nested({name: value for name, value in form.items() if name != "warned"})
    fields["waitlist"] = "waitlist" in fields
    fields["requirements"] = str(form.get("requirements", "")).splitlines()
    slot = await search.show_slot(store, slot_id)
    warnings = await _warnings(store, person, slot_id, typed(form))
    try:
        command = validated(RegisterGroup, fields)
        if any(each.kind not in REFUSED | warned for each in warnings):
            return await _form(request, pages, store, person, slot, typed(form), 422, warnings=warnings)
        made = await registrations.register_group(
            store, person, slot_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        values = typed(form) | ({"acknowledged": ""} if isinstance(error, RequirementsChanged) else {})
        known = getattr(error, "values", {}).get("registration_id", "")
        return await _form(
            request, pages, store, person, slot, values, 422, known=known, warnings=warnings,
            **wrong(request, error),
        )  # fmt: skip
    return see_other(f"/events/registrations/{made.id}?done=registered")


async def _form(
    request: Request, pages: Any, store: Any, person: Identity, slot: SlotView, values: dict[str, Any],
    status: int = 200, *, errors: dict[str, str] | None = None, known: str = "", groups: Any = (), warnings: Any = (),
) -> Response:  # fmt: skip
    schools = await overview.find_schools_to_register(store, person, str(values.get("school_id", "")))
    if not (schools or person.coordinates):
        raise NotAllowed
    choices = [
        (group, f"/events/slots/{slot.id}/register{onward({'group': group.name, 'school': group.school_id})}")
        for group in groups
        if group.grade in slot.grades
    ]
    return pages.show(
        request, "register.html", status, slot=slot, schools=schools, values=values, errors=errors or {}, known=known,
        coordinates=person.coordinates, groups=choices, warnings=warnings,
    )  # fmt: skip


def _chosen(groups: list[KnownGroup], school_id: str, name: str | None) -> KnownGroup | None:
    """The class that was asked for, else the one registered last, of this school when one is asked."""
    own = [group for group in groups if school_id in ("", group.school_id)]
    if name is None:
        return own[0] if own else None
    return next((group for group in own if group.name == name), None)


async def _remembered(store: Any, person: Identity, school_id: str, group: KnownGroup | None) -> dict[str, Any]:
    schools = person.organisations("teacher")
    school_id = group.school_id if group else school_id or (schools[0] if schools else "")
    values: dict[str, Any] = {
        "school_id": school_id, "contact.name": person.name, "contact.email": person.email,
        "contact.phone": await at_school.find_last_phone(store, person), "contact.language": person.language,
        "group.adults": 2, "waitlist": "yes",
    }  # fmt: skip
    if group:
        values |= {f"group.{name}": getattr(group, name) for name in ("name", "grade", "pupils", "adults")}
    return values


async def _warnings(store: Any, person: Identity, slot_id: str, values: dict[str, Any]) -> list[Warning]:
    school_id = str(values.get("school_id", ""))
    if not (person.coordinates or person.has("teacher", school_id)):
        return []
    return await choosing.find_warnings(
        store, person, slot_id, school_id, name=str(values.get("group.name", "")).strip(),
        grade=_number(values.get("group.grade")), pupils=_number(values.get("group.pupils")),
    )  # fmt: skip


def _number(typed_in: Any) -> int | None:
    text = str(typed_in or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
