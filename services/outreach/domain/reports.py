"""A campaign's figures: rows counted by the store, added up for the whole and by district, school type and field."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

COUNTED = (
    "groups", "pupils", "visits", "slots", "places_offered", "places_taken", "places_attended", "self_found_places",
    "pupils_reached",
)  # fmt: skip
DISTINCT = ("schools", "companies")
PARTS = ("district", "school_type", "field")
FIGURES = ("schools", "groups", "pupils", "companies", "visits", *COUNTED[3:])

HELD = ("confirmed", "attended", "no_show")
MET = ("confirmed", "attended")
ASKED = ("requested", "waitlisted", "offered")


@dataclass(frozen=True)
class Row:
    """Some counts, and to what they belong; None where that has no meaning (a company has no school type).

    school and company are ids, counted once however many rows name them.
    """

    district: str | None = None
    school_type: str | None = None
    field: str | None = None
    school: str | None = None
    company: str | None = None
    counts: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclass
class Figures:
    """Sums and distinct members, while rows are added."""

    sums: dict[str, int] = dataclasses.field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    members: dict[str, set[str]] = dataclasses.field(default_factory=lambda: {name: set() for name in DISTINCT})

    def add(self, row: Row) -> None:
        """Count `row` in."""
        for name, count in row.counts.items():
            self.sums[name] += count
        if row.school:
            self.members["schools"].add(row.school)
        if row.company:
            self.members["companies"].add(row.company)

    def values(self) -> dict[str, int]:
        """Every figure by its name."""
        distinct = {name: len(found) for name, found in self.members.items()}
        return {name: {**self.sums, **distinct}[name] for name in FIGURES}


@dataclass(frozen=True)
class Totals:
    """The finished figures: for the whole, and per code of each kind."""

    totals: dict[str, int]
    by_district: dict[str, dict[str, int]]
    by_school_type: dict[str, dict[str, int]]
    by_field: dict[str, dict[str, int]]


def add_up(rows: Iterable[Row], districts: Iterable[str] = ()) -> Totals:
    """The figures of `rows`; each of `districts` is there, be it with zeros."""
    whole = Figures()
    parts: dict[str, dict[str, Figures]] = {
        "district": defaultdict(Figures, {ags: Figures() for ags in districts}),
        "school_type": defaultdict(Figures),
        "field": defaultdict(Figures),
    }
    for row in rows:
        whole.add(row)
        for kind, figures in parts.items():
            if code := getattr(row, kind):
                figures[code].add(row)
    done = {kind: {code: figures[code].values() for code in sorted(figures)} for kind, figures in parts.items()}
    return Totals(whole.values(), done["district"], done["school_type"], done["field"])
