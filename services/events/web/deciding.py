"""Approving or declining one or many registrations in one form."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from starlette.datastructures import FormData

from services.events.usecases import registrations
from services.events.usecases.inputs import WithReason
from services.events.web.parts import FORM_ERRORS
from shared.auth import Identity
from shared.ids import derived_id
from shared.web.callers import path_and_query
from shared.web.pages import errors_by_field, form_request_id, language_of, validated


@dataclass(frozen=True)
class Decided:
    """How many were decided, and why not each of the others, by its id (or the field that is wrong)."""

    done: int
    errors: dict[str, str]
    declined: bool
    none_chosen: bool


async def decide_chosen(request: Request, store: Any, person: Identity, form: FormData, now: Any) -> Decided:
    """Decide each of the ticked registrations; one that cannot be decided does not keep the others waiting."""
    chosen = [str(each) for each in form.getlist("registration")]
    decline = form.get("decision") == "decline"
    try:
        command = validated(WithReason, {"reason": str(form.get("reason", "")) if decline else ""})
    except FORM_ERRORS as error:
        return Decided(0, errors_by_field(error, language_of(request)), decline, not chosen)
    done, errors = 0, {}
    for registration_id in chosen:
        request_id = derived_id(form_request_id(person, form), registration_id)
        try:
            await _decide(store, person, registration_id, command if decline else None, now, request_id)
            done += 1
        except FORM_ERRORS as error:
            reasons = errors_by_field(error, language_of(request))
            errors |= {name or registration_id: reason for name, reason in reasons.items()}
    return Decided(done, errors, decline, not chosen)


def must_be_asked(form: FormData) -> bool:
    """Whether registrations are to be declined that nobody was asked about yet: the places go to others at once."""
    return form.get("decision") == "decline" and bool(form.getlist("registration")) and "sure" not in form


async def ask_first(
    request: Request, pages: Any, store: Any, person: Identity, form: FormData, back: str,
    errors: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    """The second step before registrations are declined: whom it concerns, and why. Changes nothing. `back` is the
    page where they were chosen."""
    chosen = [str(each) for each in form.getlist("registration")]
    concerned = [await registrations.show_registration(store, person, each) for each in chosen]
    values = {"reason": str(form.get("reason", ""))}
    return pages.show(
        request, "decline_sure.html", 422 if errors else 200, concerned=concerned, values=values, errors=errors or {},
        back=back, action=path_and_query(request.url),
    )  # fmt: skip


async def _decide(
    store: Any, person: Identity, registration_id: str, command: WithReason | None, now: Any, request_id: str
) -> None:
    if command is None:
        await registrations.approve_registration(store, person, registration_id, now=now, request_id=request_id)
        return
    await registrations.decline_registration(store, person, registration_id, command, now=now, request_id=request_id)
