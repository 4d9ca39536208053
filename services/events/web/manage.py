"""A slot from the company's side: who asks, who comes, who waits; moving, resizing and calling it off; attendance."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from services.events.api.parts import Now, TheStore
from services.events.domain.booking import ARRIVING
from services.events.usecases import search, slots
from services.events.usecases.inputs import MoveSlot, ResizeSlot, WithReason
from services.events.usecases.results import RegistrationView
from services.events.web.deciding import ask_first, decide_chosen, must_be_asked
from services.events.web.parts import FORM_ERRORS, ThePages, typed, wall, wrong
from shared.auth import Identity
from shared.errors import NotFound
from shared.web.callers import Person
from shared.web.pages import form_request_id, nested, posted, see_other, validated

router = APIRouter()
DONE = ("approved", "declined", "moved", "resized", "cancelled")
ACTIONS = ("move", "resize", "cancel")
SHOWN = ("requested", "confirmed", "attended", "no_show", "cancelled", "declined", "expired")


@router.get("/slots/{slot_id}/manage")
async def show(slot_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Everything about one date."""
    done = request.query_params.get("done", "")
    return await _page(request, pages, store, person, now, slot_id, done=done if done in DONE else "")


@router.get("/slots/{slot_id}/list")
async def show_sheet(
    slot_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The day's sheet, to be printed."""
    facts = await _facts(store, person, slot_id)
    return pages.show(request, "day_sheet.html", printed=wall(now, facts["slot"].zone), **facts)


@router.post("/slots/{slot_id}/decide")
async def decide(
    slot_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Approve or decline one or several requested registrations."""
    form = await posted(request)
    back = f"/events/slots/{slot_id}/manage"
    if must_be_asked(form):
        return await ask_first(request, pages, store, person, form, back)
    decided = await decide_chosen(request, store, person, form, now)
    if "reason" in decided.errors:
        return await ask_first(request, pages, store, person, form, back, decided.errors)
    if decided.errors or decided.none_chosen:
        return await _page(
            request, pages, store, person, now, slot_id, 422, errors=decided.errors, none_chosen=decided.none_chosen,
            values=typed(form),
        )  # fmt: skip
    return see_other(f"/events/slots/{slot_id}/manage?done={'declined' if decided.declined else 'approved'}")


@router.get("/slots/{slot_id}/{action}")
async def ask(
    slot_id: str, action: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The second step before a date is moved, resized or called off: what it causes, and the button."""
    if action not in ACTIONS:
        raise NotFound
    facts = await _facts(store, person, slot_id)
    slot = facts["slot"]
    values = {
        "day": slot.starts_local.date().isoformat(), "starts": f"{slot.starts_local:%H:%M}",
        "ends": f"{slot.ends_local:%H:%M}", "places": slot.places, "groups": slot.groups,
    }  # fmt: skip
    return pages.show(request, "slot_change.html", action=action, values=values, **facts)


@router.post("/slots/{slot_id}/{action}")
async def change(
    slot_id: str, action: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Move, resize or call off."""
    if action not in CHANGES:
        raise NotFound
    form = await posted(request)
    try:
        await CHANGES[action](store, person, slot_id, form, {"now": now, "request_id": form_request_id(person, form)})
    except FORM_ERRORS as error:
        facts = await _facts(store, person, slot_id)
        again = wrong(request, error, starts_local="day", ends_local="ends")
        return pages.show(request, "slot_change.html", 422, action=action, values=typed(form), **facts, **again)
    done = {"move": "moved", "resize": "resized", "cancel": "cancelled"}[action]
    return see_other(f"/events/slots/{slot_id}/manage?done={done}")


async def _move(store: Any, person: Identity, slot_id: str, form: FormData, asked: dict[str, Any]) -> object:
    fields = nested(form)
    day = fields.pop("day", "")
    fields |= {"starts_local": f"{day}T{fields.pop('starts', '')}", "ends_local": f"{day}T{fields.pop('ends', '')}"}
    fields["allow_days_off"] = "allow_days_off" in fields
    return await slots.move_slot(store, person, slot_id, validated(MoveSlot, fields), **asked)


async def _resize(store: Any, person: Identity, slot_id: str, form: FormData, asked: dict[str, Any]) -> object:
    return await slots.resize_slot(store, person, slot_id, validated(ResizeSlot, nested(form)), **asked)


async def _cancel(store: Any, person: Identity, slot_id: str, form: FormData, asked: dict[str, Any]) -> object:
    return await slots.cancel_slot(store, person, slot_id, validated(WithReason, nested(form)), **asked)


CHANGES: dict[str, Callable[..., Awaitable[object]]] = {"move": _move, "resize": _resize, "cancel": _cancel}


async def _facts(store: Any, person: Identity, slot_id: str) -> dict[str, Any]:
    """The slot with its registrations by state, for somebody of its company."""
    queue = await search.show_waiting_list(store, person, slot_id)
    slot = await search.show_slot(store, slot_id, identity=person)
    listed = await search.find_groups_in(store, person, slot_id, SHOWN)
    by_name = sorted(listed, key=lambda each: (each.school_name, each.group.name))
    return {
        "slot": slot,
        "queue": queue,
        "requested": _in(listed, "requested"),
        "offered": [(each, wall(each.offer_expires_at, slot.zone)) for each in queue.offered if each.offer_expires_at],
        "coming": _in(by_name, "confirmed", "attended", "no_show"),
        "gone": _in(by_name, "cancelled", "declined", "expired"),
    }


def _in(listed: list[RegistrationView], *states: str) -> list[RegistrationView]:
    return [each for each in listed if each.state in states]


async def _page(
    request: Request, pages: Any, store: Any, person: Identity, now: Any, slot_id: str, status: int = 200, **more: Any
) -> Response:
    facts = await _facts(store, person, slot_id)
    common = {"done": "", "none_chosen": False, "values": {}, "errors": {}, **more}
    return pages.show(
        request,
        "manage.html",
        status,
        has_begun=now >= facts["slot"].starts_at,
        arriving=now >= facts["slot"].starts_at - ARRIVING,
        **facts,
        **common,
    )
