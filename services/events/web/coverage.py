"""The coordinator's picture of need and supply, and its tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from services.events.api.parts import TheStore
from services.events.domain.coverage import ELSEWHERE, Need
from services.events.usecases import coverage
from services.events.web.parts import ThePages
from shared.region import career_fields, districts
from shared.ui.language import short_day, translate
from shared.web.callers import Person
from shared.web.pages import language_of

router = APIRouter()
ALL = "all"


@dataclass(frozen=True)
class Line:
    """A row of table and picture; the lengths are per cent of the longest."""

    label: str
    need: Need
    offered: float
    taken: float
    requested: float
    waiting: float


@router.get("/coverage")
async def show(request: Request, pages: ThePages, store: TheStore, person: Person, campaign_id: str = "") -> Response:
    """Places offered against places needed, per district, field and week."""
    campaigns = await coverage.list_campaigns(store, person)
    chosen = campaign_id or (campaigns[0].id if campaigns else ALL)
    sums = await coverage.compare_need_and_supply(store, person, None if chosen == ALL else chosen)
    language = language_of(request)
    places = {each.ags: each.name for each in districts()} | {ELSEWHERE: translate("Outside the region", language)}
    names = career_fields(language)
    parts = [
        ("district", "By district", lines((places.get(ags, ags), need) for ags, need in _by(sums.by_district, places))),
        ("field", "By field of work", lines((names.get(code, code), need) for code, need in _by(sums.by_field, names))),
        ("week", "By week", lines((_week(day, language), need) for day, need in sorted(sums.by_week.items()))),
    ]
    parts = [(kind, translate(title, language), rows) for kind, title, rows in parts]
    choices = [*((each.id, each.name) for each in campaigns), (ALL, translate("All campaigns", language))]
    return pages.show(request, "coverage.html", total=sums.total, parts=parts, campaigns=choices, chosen=chosen)


def lines(sums: Iterable[tuple[str, Need]]) -> list[Line]:
    """The rows with the lengths of their bars."""
    shown = list(sums)
    most = max((max(need.offered, need.needed) for _, need in shown), default=0) or 1

    def share(count: int) -> float:
        return round(100 * count / most, 2)

    return [
        Line(label, need, share(need.offered), share(need.taken), share(need.requested), share(need.waiting))
        for label, need in shown
    ]


def _by(sums: Mapping[str, Need], names: Mapping[str, str]) -> list[tuple[str, Any]]:
    return sorted(sums.items(), key=lambda item: (item[0] == ELSEWHERE, names.get(item[0], item[0])))


def _week(monday: date, language: Any) -> str:
    number = monday.isocalendar().week
    return translate("Week {number}, from {day}", language, number=number, day=short_day(monday, language))
