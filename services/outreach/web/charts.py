"""The report's tables: rows with their labels and the lengths of their bars."""

from dataclasses import dataclass

from services.outreach.domain.reports import Totals
from shared import region

BAR = 120


@dataclass(frozen=True)
class Line:
    """One row: `bar` is the length of its bar of pupils, in the drawing's units (at most BAR)."""

    label: str
    figures: dict[str, int]
    bar: int


def parts(totals: Totals, language: str) -> dict[str, list[Line]]:
    """The rows by district, school type and field; those that have most pupils set the scale."""
    districts = {district.ags: district.name for district in region.districts()}
    labels = {
        "district": districts,
        "school_type": dict(region.school_types(_known(language))),
        "field": dict(region.career_fields(_known(language))),
    }
    figures = {"district": totals.by_district, "school_type": totals.by_school_type, "field": totals.by_field}
    return {kind: _lines(figures[kind], labels[kind]) for kind in figures}


def _lines(figures: dict[str, dict[str, int]], labels: dict[str, str]) -> list[Line]:
    most = max((_pupils(values) for values in figures.values()), default=0)
    lines = [
        Line(labels.get(code, code), values, round(BAR * _pupils(values) / most) if most else 0)
        for code, values in figures.items()
    ]
    return sorted(lines, key=lambda line: line.label)


def _pupils(figures: dict[str, int]) -> int:
    return figures["pupils"] + figures["pupils_reached"] + figures["self_found_places"]


def _known(language: str) -> region.Language:
    return "en" if language == "en" else "de"
