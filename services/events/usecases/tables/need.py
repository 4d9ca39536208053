"""Need against supply in lines, as the page shows them and as a file; it can be exported only."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import date

from services.events.domain.coverage import ELSEWHERE, Coverage, Need
from services.events.store.store import Store
from services.events.usecases.coverage import compare_need_and_supply
from services.events.usecases.tables.words import fields
from shared.auth import Identity
from shared.region import districts
from shared.tables.columns import Column, Row, Table, labelled
from shared.ui.language import Language, short_day, translate

Line = tuple[str, str, Need]
COUNTS = ("offered", "taken", "requested", "waiting", "needed", "missing")
NAMES = {
    "offered": "Offered", "taken": "Firm", "requested": "Requested", "waiting": "Waiting", "needed": "Needed in all",
    "missing": "Missing",
}  # fmt: skip
TABLE = Table(
    "need-and-supply",
    "Need and supply",
    (
        Column(
            "part", "Part", "choice", width=18,
            options=labelled(whole="Total", district="District", field="Field of work", week="Week"),
        ),
        Column("code", "Key", width=12),
        Column("name", "Name", width=34),
        *(Column(key, NAMES[key], "whole", width=12) for key in COUNTS),
    ),
)  # fmt: skip


def parts(sums: Coverage, language: Language) -> dict[str, list[Line]]:
    """By `district`, `field` and `week`: (key, name, need) of each line, by name, the weeks by date."""
    places = {each.ags: each.name for each in districts()} | {ELSEWHERE: translate("Outside the region", language)}
    return {
        "district": list(_named(sums.by_district, places)),
        "field": list(_named(sums.by_field, fields(language))),
        "week": [(day.isoformat(), _week(day, language), need) for day, need in sorted(sums.by_week.items())],
    }


def _named(sums: Mapping[str, Need], names: Mapping[str, str]) -> Iterator[Line]:
    for key in sorted(sums, key=lambda key: (key == ELSEWHERE, names.get(key, key))):
        yield key, names.get(key, key), sums[key]


def _week(monday: date, language: Language) -> str:
    number = monday.isocalendar().week
    return translate("Week {number}, from {day}", language, number=number, day=short_day(monday, language))


async def export_need_and_supply(
    store: Store, identity: Identity, campaign_id: str | None, language: Language
) -> AsyncIterator[Sequence[Row]]:
    """The sums of one campaign or of all: the whole, and by district, field and week. CampaignUnknown."""
    sums = await compare_need_and_supply(store, identity, campaign_id)
    yield [_row("whole", "", translate("Total", language), sums.total)] + [
        _row(part, *line) for part, lines in parts(sums, language).items() for line in lines
    ]


def _row(part: str, key: str, name: str, need: Need) -> Row:
    return {"part": part, "code": key, "name": name, **{count: getattr(need, count) for count in COUNTS}}
