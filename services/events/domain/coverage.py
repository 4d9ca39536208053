"""Need against supply: places offered, and the pupils for whom places were asked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

ELSEWHERE = ""


@dataclass
class Need:
    """Places offered; pupils with a firm place, with one that is asked for or held, and on waiting lists."""

    offered: int = 0
    taken: int = 0
    requested: int = 0
    waiting: int = 0

    @property
    def needed(self) -> int:
        """All for whom places were asked."""
        return self.taken + self.requested + self.waiting

    @property
    def missing(self) -> int:
        """Places that were asked for beyond those offered; below zero when places are left."""
        return self.needed - self.offered

    def add(self, other: "Need") -> None:
        """Count `other` in."""
        self.offered += other.offered
        self.taken += other.taken
        self.requested += other.requested
        self.waiting += other.waiting


@dataclass(frozen=True)
class SlotNeed:
    """One slot's places and what was asked of it."""

    district: str | None
    field: str
    day: date
    need: Need


@dataclass(frozen=True)
class Coverage:
    """The sums. A district's places lie in it, and its pupils go to its schools; a week is its Monday."""

    total: Need = field(default_factory=Need)
    by_district: dict[str, Need] = field(default_factory=lambda: defaultdict(Need))
    by_field: dict[str, Need] = field(default_factory=lambda: defaultdict(Need))
    by_week: dict[date, Need] = field(default_factory=lambda: defaultdict(Need))


def add_up(slots: Iterable[SlotNeed], asked_from: Mapping[str, Need], districts: Iterable[str] = ()) -> Coverage:
    """The sums of `slots`; `asked_from` is what the schools of each district asked; `districts` are there anyway."""
    sums = Coverage()
    for ags in districts:
        sums.by_district[ags].add(Need())
    for slot in slots:
        sums.total.add(slot.need)
        sums.by_district[slot.district or ELSEWHERE].add(Need(offered=slot.need.offered))
        sums.by_field[slot.field].add(slot.need)
        sums.by_week[slot.day - timedelta(days=slot.day.weekday())].add(slot.need)
    for ags, need in asked_from.items():
        sums.by_district[ags].add(need)
    return sums
