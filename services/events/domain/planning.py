"""When a slot may take place: within its campaign, on a school day, and not too long for the youngest."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.events.domain import errors
from services.events.domain.booking import listed
from services.events.domain.facts import Campaign
from shared.school_calendar import (
    CalendarUnknown,
    DayOff,
    WallTimeDoesNotExist,
    ZoneUnknown,
    day_off,
    local_to_utc,
    series,
)

LONGEST_UNDER_15 = timedelta(hours=7)
OLDEST_GRADE_UNDER_15 = 8
MOST_IN_SERIES = 200


@dataclass(frozen=True, slots=True)
class Times:
    """A slot's wall times with their moments."""

    starts_local: datetime
    ends_local: datetime
    zone: str
    starts_utc: datetime
    ends_utc: datetime


@dataclass(frozen=True, slots=True)
class Left:
    """A day that a series leaves out, and its name in both languages."""

    day: date
    name_de: str
    name_en: str


def plan_times(
    campaign: Campaign, grades: Collection[int], starts_local: datetime, ends_local: datetime, zone: str,
    *, allow_days_off: bool, now: datetime,
) -> Times:  # fmt: skip
    """The times when the rules allow them; raises the broken rule."""
    if ends_local <= starts_local or ends_local.date() != starts_local.date():
        raise errors.SlotEndsBeforeItStarts
    times = Times(starts_local, ends_local, zone, _moment(starts_local, zone), _moment(ends_local, zone))
    if times.starts_utc <= now:
        raise errors.SlotInThePast
    if not campaign.starts_on <= starts_local.date() <= campaign.ends_on:
        raise errors.SlotOutsideCampaign(starts_on=campaign.starts_on, ends_on=campaign.ends_on)
    _not_too_long(times, min(grades))
    if not allow_days_off:
        _on_school_day(starts_local.date())
    return times


def plan_series(
    weekdays: Collection[int], first_day: date, last_day: date, starts: time, ends: time, *, skip_days_off: bool
) -> tuple[list[tuple[datetime, datetime]], list[Left]]:
    """Start and end (wall time) of each date of a weekly series, and the days it leaves out."""
    try:
        found = series(weekdays, first_day, last_day, None if skip_days_off else lambda day: None)
    except CalendarUnknown as error:
        raise errors.CalendarNotKnown(day=error.day, known_until=error.known_until) from error
    if not found.dates:
        raise errors.SeriesIsEmpty
    if len(found.dates) > MOST_IN_SERIES:
        raise errors.SeriesTooLong(most=MOST_IN_SERIES, count=len(found.dates))
    times = [(datetime.combine(day, starts), datetime.combine(day, ends)) for day in found.dates]
    return times, [Left(each.day, each.reason.name_de, each.reason.name_en) for each in found.skipped]


def offered_grades(wanted: Collection[int] | None, offered: tuple[int, ...]) -> tuple[int, ...]:
    """The grades of a slot: those wanted, which must be among the offer's, or all of the offer's."""
    if not wanted:
        return offered
    if not set(wanted) <= set(offered):
        raise errors.GradesNotOffered(grades=listed(offered))
    return tuple(sorted(set(wanted)))


def may_offer(campaign: Campaign, now: datetime, local_now: datetime, offers_from_local: datetime) -> None:
    """Raises unless companies can enter offers for the campaign at `now`."""
    if now < campaign.offers_from:
        raise errors.OffersNotOpenYet(offers_from=offers_from_local)
    if local_now.date() > campaign.ends_on:
        raise errors.CampaignIsOver(ended=campaign.ends_on)


def _moment(local: datetime, zone: str) -> datetime:
    try:
        return local_to_utc(local, zone)
    except WallTimeDoesNotExist as error:
        raise errors.WallTimeUnknown(day=local.date()) from error
    except ZoneUnknown as error:
        raise errors.ZoneNotKnown from error


def _not_too_long(times: Times, youngest: int) -> None:
    length = times.ends_utc - times.starts_utc
    if youngest <= OLDEST_GRADE_UNDER_15 and length > LONGEST_UNDER_15:
        raise errors.TooLongForUnder15(hours=round(length.total_seconds() / 3600, 2), grade=youngest)


def _on_school_day(day: date) -> None:
    try:
        reason: DayOff | None = day_off(day)
    except CalendarUnknown as error:
        raise errors.CalendarNotKnown(day=day, known_until=error.known_until) from error
    if reason:
        raise errors.SlotOnDayOff(day=day, name_de=reason.name_de, name_en=reason.name_en)
