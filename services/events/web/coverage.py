"""The coordinator's picture of need and supply, and its tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from services.events.api.parts import TheStore
from services.events.domain.coverage import Need
from services.events.usecases import coverage
from services.events.usecases.tables import need
from services.events.web.parts import ThePages
from shared.ui.language import translate
from shared.web.callers import Person
from shared.web.pages import language_of

router = APIRouter()
ALL = "all"
TITLES = {"district": "By district", "field": "By field of work", "week": "By week"}


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
    found = need.parts(sums, language)
    parts = [(kind, translate(TITLES[kind], language), lines(rows)) for kind, rows in found.items()]
    choices = [*((each.id, each.name) for each in campaigns), (ALL, translate("All campaigns", language))]
    return pages.show(request, "coverage.html", total=sums.total, parts=parts, campaigns=choices, chosen=chosen)


def lines(shown: Sequence[need.Line]) -> list[Line]:
    """The rows with the lengths of their bars."""
    most = max((max(each.offered, each.needed) for _, _, each in shown), default=0) or 1

    def share(count: int) -> float:
        return round(100 * count / most, 2)

    return [
        Line(name, each, share(each.offered), share(each.taken), share(each.requested), share(each.waiting))
        for _, name, each in shown
    ]
