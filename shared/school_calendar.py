"""School days in Nordrhein-Westfalen, weekly series, and wall time to UTC.

Public and school holidays come from the package `holidays`; a school's own movable days are passed in.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count, takewhile
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holidays import Germany

Kind = Literal["weekend", "public_holiday", "school_holiday", "movable_day"]

KNOWN_FROM = date(2000, 1, 1)
_ONE_DAY = timedelta(days=1)
_NO_DAYS: frozenset[date] = frozenset()
_USUAL_NAMES = {
    "Oster-/Frühjahrsferien": "Osterferien",
    "Himmelfahrts-/Pfingstferien": "Pfingstferien",
    "Easter/Spring Break": "Easter Break",
    "Ascension/Whit Break": "Whit Break",
}


class CalendarUnknown(Exception):
    """The school holidays of this date are not published yet, so nobody can say whether it is a school day."""

    def __init__(self, day: date) -> None:
        last = known_until()
        self.day, self.known_until = day, last
        known_de = f"{KNOWN_FROM:%d.%m.%Y} bis {last:%d.%m.%Y}"
        self.reason_de = f"Für den {day:%d.%m.%Y} sind keine Schulferien bekannt (bekannt: {known_de})."
        self.reason_en = f"No school holidays are known for {day} (known: {KNOWN_FROM} to {last})."
        super().__init__(self.reason_en)


class WallTimeDoesNotExist(Exception):
    """The clock skips this time of day: in that night it is put forward."""

    def __init__(self, local: datetime, zone: str) -> None:
        self.local, self.zone = local, zone
        self.reason_de = f"{local:%d.%m.%Y %H:%M} Uhr gibt es nicht: In dieser Nacht wird die Uhr vorgestellt ({zone})."
        self.reason_en = f"{local:%Y-%m-%d %H:%M} does not exist: the clock is put forward that night ({zone})."
        super().__init__(self.reason_en)


class ZoneUnknown(Exception):
    """This is not the name of a time zone; Europe/Berlin is one."""


@dataclass(frozen=True, slots=True)
class DayOff:
    """Why there is no school on a day, with the name that a person knows it by."""

    kind: Kind
    name_de: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A date that a weekly series leaves out, and why."""

    day: date
    reason: DayOff


@dataclass(frozen=True, slots=True)
class Series:
    """The dates of a weekly series and those left out, both ascending."""

    dates: tuple[date, ...]
    skipped: tuple[Skipped, ...]


_WEEKEND = (
    DayOff("weekend", "Samstag", "Saturday"),
    DayOff("weekend", "Sonntag", "Sunday"),
)
_MOVABLE_DAY = DayOff("movable_day", "Beweglicher Ferientag", "Movable school holiday")


def series(
    weekdays: Collection[int],
    start_date: date,
    end_date: date,
    skip: Callable[[date], DayOff | None] | None = None,
) -> Series:
    """Every given weekday (Monday is 0) from start_date to end_date, both included.

    `skip` answers why a date is left out, or None to keep it. Without it `day_off` decides, so days off and public
    holidays are left out; pass `lambda day: day_off(day, movable)` for one school's movable days too.

    Raises ValueError for a weekday outside 0–6 and an end before the start, and CalendarUnknown as `day_off` does.
    """
    if not set(weekdays) <= set(range(7)):
        raise ValueError(f"weekdays are 0 (Monday) to 6 (Sunday), not {sorted(weekdays)}")
    if end_date < start_date:
        raise ValueError(f"the series ends ({end_date}) before it starts ({start_date})")
    decide = skip or day_off
    days = (start_date + timedelta(days=n) for n in range((end_date - start_date).days + 1))
    reasons = {day: decide(day) for day in days if day.weekday() in weekdays}
    return Series(
        dates=tuple(day for day, reason in reasons.items() if reason is None),
        skipped=tuple(Skipped(day, reason) for day, reason in reasons.items() if reason is not None),
    )


def add_school_days(start: date, n: int, movable: frozenset[date] = _NO_DAYS) -> date:
    """The n-th school day after start, for n ≥ 1; start itself, school day or not, for 0.

    Raises ValueError for a negative n and CalendarUnknown when the way leads beyond the known calendar.
    """
    return _walk(start, n, _ONE_DAY, movable)


def school_days_later(start: date, n: int, movable: frozenset[date] = _NO_DAYS) -> date:
    """As `add_school_days`; where the school holidays are not known yet, Mondays to Fridays count."""
    try:
        return add_school_days(start, n, movable)
    except CalendarUnknown:
        day = start
        while n:
            day += _ONE_DAY
            n -= day.weekday() < 5
        return day


def school_days_before(day: date, n: int, movable: frozenset[date] = _NO_DAYS) -> date:
    """The n-th school day before day, for n ≥ 1; day itself for 0. Raises as `add_school_days` does."""
    return _walk(day, n, -_ONE_DAY, movable)


def school_days_earlier(day: date, n: int, movable: frozenset[date] = _NO_DAYS) -> date:
    """As `school_days_before`; where the school holidays are not known, Mondays to Fridays count."""
    try:
        return school_days_before(day, n, movable)
    except CalendarUnknown:
        while n:
            day -= _ONE_DAY
            n -= day.weekday() < 5
        return day


def is_school_day(day: date, movable: frozenset[date] = _NO_DAYS) -> bool:
    """Whether there is school on this day. Raises CalendarUnknown as `day_off` does."""
    return day_off(day, movable) is None


def day_off(day: date, movable: frozenset[date] = _NO_DAYS) -> DayOff | None:
    """Why there is no school on this day, or None on a school day.

    Of several reasons the most telling is given: public holiday, school holiday, weekend, then movable day.

    Raises CalendarUnknown for every day before KNOWN_FROM or after `known_until()`, weekends included.
    """
    if not KNOWN_FROM <= day <= known_until():
        raise CalendarUnknown(day)
    return _holidays(day.year).get(day) or _weekend(day) or (_MOVABLE_DAY if day in movable else None)


@cache
def known_until() -> date:
    """The last day whose school holidays are known: the last school holiday that the package `holidays` has."""
    known_years = takewhile(bool, (_names(year, "school", "de") for year in count(2026)))
    return max(max(days) for days in known_years)


def local_to_utc(local: datetime, zone: str) -> datetime:
    """The moment (aware, UTC) at which clocks in the IANA zone show this naive wall time.

    In the autumn hour that happens twice the first occurrence (summer time) is meant, whatever `local.fold` says.

    Raises WallTimeDoesNotExist in the spring gap and where the calendar ends (years 1 and 9999), ZoneUnknown, and
    ValueError for an aware time.
    """
    if local.tzinfo is not None:
        raise ValueError(f"a naive wall time is wanted, not {local!r}")
    tz = _zone(zone)
    try:
        moment = local.replace(tzinfo=tz, fold=0).astimezone(UTC)
        shown = moment.astimezone(tz)
    except OverflowError as error:
        raise WallTimeDoesNotExist(local, zone) from error
    if shown.replace(tzinfo=None, fold=0) != local.replace(fold=0):
        raise WallTimeDoesNotExist(local, zone)
    return moment


def _walk(day: date, n: int, step: timedelta, movable: frozenset[date]) -> date:
    if n < 0:
        raise ValueError(f"a number of school days is not negative: {n}")
    while n:
        day += step
        n -= is_school_day(day, movable)
    return day


def _weekend(day: date) -> DayOff | None:
    return _WEEKEND[day.weekday() - 5] if day.weekday() >= 5 else None


@cache
def _holidays(year: int) -> dict[date, DayOff]:
    return _of_kind("school_holiday", year) | _of_kind("public_holiday", year)


def _of_kind(kind: Literal["school_holiday", "public_holiday"], year: int) -> dict[date, DayOff]:
    category = "school" if kind == "school_holiday" else "public"
    english = _names(year, category, "en_US")
    return {day: DayOff(kind, name, english[day]) for day, name in _names(year, category, "de").items()}


def _names(year: int, category: str, language: str) -> dict[date, str]:
    found = Germany(subdiv="NW", categories=category, language=language, years=year)
    return {day: _USUAL_NAMES.get(name, name) for day, name in found.items()}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ZoneUnknown(name) from error
