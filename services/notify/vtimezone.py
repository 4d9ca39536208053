"""A VTIMEZONE from the machine's zone data: the zone's rules around one year, as RFC 5545 wants them written."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

_DAY = timedelta(days=1)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class Onset:
    """A change of the clocks: its wall time as the clocks showed just before, and the offsets before and after."""

    local: datetime
    before: timedelta
    after: timedelta
    name: str
    daylight: bool

    @property
    def week(self) -> int:
        """Which of the month's weekdays of this name it is; -1 for the last."""
        last = (self.local + timedelta(days=7)).month != self.local.month
        return -1 if last else (self.local.day - 1) // 7 + 1


@lru_cache(maxsize=64)
def vtimezone(zone: str, year: int) -> Timezone:
    """The zone's component, right for `year` and, where its changes follow a yearly rule, for every later year."""
    component = Timezone()
    component.add("tzid", zone)
    onsets = _onsets(ZoneInfo(zone), year)
    if not onsets:
        component.add_component(_observance(_unchanging(ZoneInfo(zone), year)))
    by_kind: dict[tuple[object, ...], list[Onset]] = defaultdict(list)
    for onset in onsets:
        by_kind[(onset.before, onset.after, onset.name, onset.local.month)].append(onset)
    for same in by_kind.values():
        for observance in _observances(same):
            component.add_component(observance)
    return component


def _onsets(zone: ZoneInfo, year: int) -> list[Onset]:
    """The changes from the year before `year` to the year after it."""
    found = []
    moment, end = datetime(year - 1, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    while moment < end:
        if _offset(moment, zone) != _offset(moment + _DAY, zone):
            found.append(_onset(_change_within_a_day(moment, zone), zone))
        moment += _DAY
    return found


def _change_within_a_day(low: datetime, zone: ZoneInfo) -> datetime:
    high, before = low + _DAY, _offset(low, zone)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high.replace(microsecond=0)


def _onset(change: datetime, zone: ZoneInfo) -> Onset:
    before, now = _offset(change - timedelta(seconds=1), zone), change.astimezone(zone)
    local = change.replace(tzinfo=None) + before
    return Onset(local, before, _offset(change, zone), now.tzname() or zone.key, bool(now.dst()))


def _unchanging(zone: ZoneInfo, year: int) -> Onset:
    moment = datetime(year, 1, 1, tzinfo=UTC)
    offset = _offset(moment, zone)
    return Onset(datetime(1970, 1, 1), offset, offset, moment.astimezone(zone).tzname() or zone.key, False)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _observances(same: Sequence[Onset]) -> list[TimezoneStandard | TimezoneDaylight]:
    """One observance with a yearly rule when the three years agree on one, else each change by itself."""
    rules = {(onset.week, onset.local.weekday(), onset.local.time()) for onset in same}
    years = [onset.local.year for onset in same]
    if len(rules) == 1 and years == list(range(years[0], years[0] + 3)):
        week, weekday = same[0].week, _WEEKDAYS[same[0].local.weekday()]
        rule = {"FREQ": "YEARLY", "BYMONTH": same[0].local.month, "BYDAY": f"{week}{weekday}"}
        return [_observance(same[0], rule)]
    return [_observance(onset) for onset in same]


def _observance(onset: Onset, rule: dict[str, object] | None = None) -> TimezoneStandard | TimezoneDaylight:
    observance = TimezoneDaylight() if onset.daylight else TimezoneStandard()
    observance.add("dtstart", onset.local)
    observance.add("tzoffsetfrom", onset.before)
    observance.add("tzoffsetto", onset.after)
    observance.add("tzname", onset.name)
    if rule:
        observance.add("rrule", rule)
    return observance
