"""Approving or declining one or many registrations in one form."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData

from services.events.usecases import registrations
from services.events.usecases.inputs import WithReason
from services.events.web.parts import FORM_ERRORS
from shared.auth import Identity
from shared.ids import derived_id
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
    errors: dict[str, str] = {}
    for registration_id in chosen:
        request_id = derived_id(form_request_id(person, form), registration_id)
        try:
            await _decide(store, person, registration_id, form, decline, now, request_id)
        except FORM_ERRORS as error:
            reasons = errors_by_field(error, language_of(request))
            errors |= {name or registration_id: reason for name, reason in reasons.items()}
    return Decided(len(chosen) - len(errors), errors, decline, not chosen)


async def _decide(
    store: Any, person: Identity, registration_id: str, form: FormData, decline: bool, now: Any, request_id: str
) -> None:
    if not decline:
        await registrations.approve_registration(store, person, registration_id, now=now, request_id=request_id)
        return
    command = validated(WithReason, {"reason": str(form.get("reason", ""))})
    await registrations.decline_registration(store, person, registration_id, command, now=now, request_id=request_id)
