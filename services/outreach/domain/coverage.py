"""Who was reached by a campaign: schools, and the share of them in each municipality."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Literal, get_args

Reach = Literal["reached", "asked", "nothing"]
WITHOUT_TOURS = frozenset({"02", "83"})  # primary schools and schools in hospitals: asked for only when chosen
STEPS = 4


@dataclass(frozen=True)
class SchoolReach:
    """A school, and whether it was reached, has asked and waits, or has nothing; how it can be written to, if known."""

    id: str
    name: str
    school_type: str
    municipality_ags: str
    district_ags: str
    pupils: int | None
    reach: Reach
    email: str = ""


@dataclass(frozen=True)
class Share:
    """A municipality's schools, how many of them were reached, and how many have asked and wait."""

    ags: str
    schools: int
    reached: int
    asked: int

    @property
    def left_out(self) -> int:
        """Schools that got nothing so far."""
        return self.schools - self.reached

    @property
    def step(self) -> int:
        """0 for none reached, STEPS for all, and what lies between in equal parts."""
        if self.reached == 0:
            return 0
        if self.reached == self.schools:
            return STEPS
        return 1 + (self.reached * (STEPS - 1)) // self.schools


def reach_of(school_id: str, reached: Set[str], asked: Set[str]) -> Reach:
    """How far the campaign came to this school."""
    if school_id in reached:
        return "reached"
    return "asked" if school_id in asked else "nothing"


def shares(schools: Iterable[tuple[str, Reach]]) -> Mapping[str, Share]:
    """The share of each municipality that has schools, by its key; `schools`: each one's municipality and reach."""
    counts = Counter(schools)
    return {
        ags: Share(
            ags, sum(counts[ags, each] for each in get_args(Reach)), counts[ags, "reached"], counts[ags, "asked"]
        )
        for ags in dict.fromkeys(ags for ags, _ in counts)
    }
