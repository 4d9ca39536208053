"""What the routes of the pages share."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.datastructures import FormData

from services.events.usecases.results import OfferView, RegistrationView, SlotView
from shared.auth import Identity
from shared.errors import Conflict, Invalid, RuleBroken
from shared.offsets import in_words, parse
from shared.region import career_fields
from shared.web.pages import Pages, errors_by_field, language_of, nested

FORM_ERRORS = (Invalid, Conflict, ValidationError)
LONGEST_NAME = 60


async def _pages(request: Request) -> Pages:
    return request.app.state.pages


ThePages = Annotated[Pages, Depends(_pages)]


def wrong(request: Request, error: RuleBroken | ValidationError, **renamed: str) -> dict[str, dict[str, str]]:
    """For a form shown again: `errors` by field. `renamed` says which field of the form stands for one of the
    command's."""
    errors = errors_by_field(error, language_of(request))
    return {"errors": {renamed.get(name, name): reason for name, reason in errors.items()}}


def typed(form: FormData, lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """What was typed, for the form shown again; names in `lists` with all their values."""
    return {**form, **{name: form.getlist(name) for name in lists}}


def wall(moment: datetime, zone: str) -> datetime:
    """The wall time of a moment."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def field_name(code: str, request: Request) -> str:
    """The field of work's name in the page's language."""
    return career_fields(language_of(request)).get(code, code)


def offer_fields(form: FormData) -> dict[str, Any]:
    """The fields of a form about an offer, as its commands want them."""
    fields = nested(form, lists=("grades",))
    fields["requirements"] = [line.strip() for line in str(form.get("requirements", "")).splitlines() if line.strip()]
    if "reminders" in form:  # left empty it says something, too
        fields["reminders"] = str(form["reminders"])
    return fields


def offer_values(offer: OfferView, language: str) -> dict[str, Any]:
    """An offer's facts as a form's fields, in the words of the page's language."""
    names = ("company_id", "title", "description", "field", "grades", "approval", "waiting_list", "offer_school_days")
    values: dict[str, Any] = {name: getattr(offer, name) for name in names}
    values |= {
        f"place.{name}": getattr(offer.place, name) for name in ("name", "street", "postal_code", "town", "directions")
    }
    if offer.contact:
        values |= {f"contact.{name}": getattr(offer.contact, name) for name in ("name", "email", "phone", "language")}
    return values | {
        "confirm_again.asked": offer.confirm_again.asked if offer.confirm_again else "",
        "confirm_again.until": offer.confirm_again.until if offer.confirm_again else "",
        "requirements": "\n".join(offer.requirements), "groups_per_school": offer.groups_per_school or "",
        "reminders": in_words(parse(offer.reminders), language) if offer.reminders else "",
    }  # fmt: skip


def manages(person: Identity | None, slot: SlotView) -> bool:
    """Whether this person looks after the slot; only decides what is shown."""
    return person is not None and (person.coordinates or person.has("company", slot.offer.company_id))


def registers(person: Identity | None) -> bool:
    """Whether this person registers groups; only decides what is shown."""
    return person is not None and (person.coordinates or person.has("teacher"))


def deadline(registration: RegistrationView) -> datetime | None:
    """The wall time until which offered places are held."""
    until, slot = registration.offer_expires_at, registration.slot
    return wall(until, slot.zone) if until and slot else None


def onward(asked: dict[str, str]) -> str:
    """What the addresses of dates carry on: for which class (`group`) of which `school` they are looked at."""
    kept = {"group": asked.get("group", "")[:LONGEST_NAME], "school": asked.get("school", "")[:LONGEST_NAME]}
    given = {name: value for name, value in kept.items() if value}
    return f"?{urlencode(given)}" if given else ""
