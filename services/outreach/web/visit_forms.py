"""Forms of visits: day and times are typed in fields of their own, and commands want moments in wall time."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from services.outreach.edge import wrong
from shared.errors import RuleBroken
from shared.ui.language import translate
from shared.web.pages import language_of, nested

ALTERNATIVES = 3
PARTS = {"starts_local": "day", "ends_local": "ends", "zone": "day"}
INCOMPLETE = "Please give the day and the lessons, or both times, for example 08:00 and 09:30."
LESSONS = {"1": ("08:00", "09:30"), "3": ("09:50", "11:20"), "5": ("11:40", "13:10"), "8": ("14:00", "15:30")}


def with_lessons(form: Mapping[str, Any]) -> dict[str, Any]:
    """The form with the usual times of a double lesson, where lessons were chosen and no times were typed."""
    filled = dict(form)
    for prefix in (f"alternatives.{n}." for n in range(ALTERNATIVES)):
        usual = LESSONS.get(str(form.get(f"{prefix}lesson", "")))
        if usual and not form.get(f"{prefix}starts") and not form.get(f"{prefix}ends"):
            filled |= {f"{prefix}starts": usual[0], f"{prefix}ends": usual[1]}
    return filled


def dates_fields(form: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of RequestDates; the third date may be left out."""
    return {"alternatives": _alternatives(form), "reason": str(form.get("reason", ""))}


def _alternatives(form: Mapping[str, Any]) -> list[dict[str, Any]]:
    typed = [date_fields(form, f"alternatives.{n}.") for n in range(ALTERNATIVES)]
    return [date for n, date in enumerate(typed) if date or n < 2]


def request_fields(form: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of RequestVisit; the third date may be left out."""
    fields = nested({name: value for name, value in form.items() if not name.startswith("alternatives.")})
    return {**fields, "alternatives": _alternatives(form)}


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


def wrong_dates(
    request: Request, error: RuleBroken | ValidationError, form: Mapping[str, Any]
) -> dict[str, dict[str, str]]:
    """`errors` under the names of the form's fields."""
    language = language_of(request)
    found: dict[str, str] = {}
    for name, reason in wrong(request, error)["errors"].items():
        prefix, dot, last = name.rpartition(".")
        if last not in PARTS:
            found[name] = reason
            continue
        empty = next((part for part in ("day", "starts", "ends") if not form.get(f"{prefix}{dot}{part}")), None)
        if prefix and empty == "starts" and not form.get(f"{prefix}{dot}ends"):
            empty = "lesson"
        if isinstance(error, ValidationError):
            reason = translate(INCOMPLETE, language)
        found.setdefault(f"{prefix}{dot}{empty or PARTS[last]}", reason)
    return {"errors": found}
