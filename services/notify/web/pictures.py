"""Columns of a picture, drawn by the server: one per day, stacked by state or kind. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.notify.store.mail_log import Tally

STEP, WIDE, HIGH = 40, 30, 140


@dataclass(frozen=True)
class Part:
    """One piece of a column, in the drawing's units."""

    what: str
    y: float
    height: float


@dataclass(frozen=True)
class Column:
    """One day: its pieces from bottom to top, and the numbers for the table."""

    day: date
    x: int
    parts: tuple[Part, ...]
    counts: dict[str, int]
    total: int


@dataclass(frozen=True)
class Picture:
    """All days. `names` are those of the pieces that occur, in their order."""

    columns: tuple[Column, ...]
    names: tuple[str, ...]
    highest: int
    width: int
    height: int = HIGH


def stacked(days: Sequence[date], tallies: Sequence[Tally], order: Sequence[str]) -> Picture:
    """The picture of `tallies`; the highest day sets the scale."""
    counts: dict[date, dict[str, int]] = {day: {} for day in days}
    for tally in tallies:
        counts.setdefault(date.fromisoformat(tally.day), {})[tally.what] = tally.count
    present = {tally.what for tally in tallies}
    names = tuple(name for name in order if name in present) + tuple(sorted(present - set(order)))
    highest = max((sum(of_day.values()) for of_day in counts.values()), default=0)
    columns = [_column(number, day, counts[day], names, highest) for number, day in enumerate(days)]
    return Picture(tuple(columns), names, highest, STEP * len(days))


def _column(number: int, day: date, counts: dict[str, int], names: Sequence[str], highest: int) -> Column:
    parts, top = [], float(HIGH)
    for name in names:
        if count := counts.get(name, 0):
            height = round(HIGH * count / highest, 1)
            top = round(top - height, 1)
            parts.append(Part(name, top, height))
    return Column(day, number * STEP + (STEP - WIDE) // 2, tuple(parts), counts, sum(counts.values()))
