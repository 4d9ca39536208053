"""Forms of visits: day and times are typed in fields of their own, and commands want moments in wall time."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from services.outreach.edge import wrong
from shared.errors import RuleBroken
from shared.web.pages import nested

ALTERNATIVES = 3


def request_fields(form: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of RequestVisit; the third date may be left out."""
    fields = nested({name: value for name, value in form.items() if not name.startswith("alternatives.")})
    typed = [date_fields(form, f"alternatives.{n}.") for n in range(ALTERNATIVES)]
    return {**fields, "alternatives": [date for n, date in enumerate(typed) if date or n < 2]}


def date_fields(form: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The fields of DateGiven, as far as they were typed."""
    day, starts, ends, lesson = (
        str(form.get(prefix + name, "")).strip() for name in ("day", "starts", "ends", "lesson")
    )
    typed = {
        "starts_local": f"{day}T{starts}" if day and starts else "",
        "ends_local": f"{day}T{ends}" if day and ends else "",
        "lesson": lesson,
    }
    given = {name: value for name, value in typed.items() if value}
    return given or ({"starts_local": f"{day}{starts}{ends}"} if day or starts or ends else {})


def wrong_dates(request: Any, error: RuleBroken | ValidationError, form: Mapping[str, Any]) -> dict[str, Any]:
    """`errors` under the names of the form's fields."""
    found = wrong(request, error)["errors"]
    return {"errors": {_form_name(name, form): reason for name, reason in found.items()}}


def _form_name(name: str, form: Mapping[str, Any]) -> str:
    prefix, _, last = name.rpartition(".")
    prefix = f"{prefix}." if prefix else ""
    if last == "starts_local":
        return prefix + ("day" if not form.get(f"{prefix}day") or form.get(f"{prefix}starts") else "starts")
    if last == "ends_local":
        return prefix + "ends"
    return f"{prefix}day" if last == "zone" else name
