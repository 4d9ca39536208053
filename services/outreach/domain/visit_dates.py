"""Dates of school visits: wall times at the school, and on which of them a visit is possible."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, NaiveDatetime, PlainSerializer

from services.outreach.domain.campaigns import Campaign
from services.outreach.domain.common import Command
from services.outreach.domain.schools import School
from shared.bounds import WallMoment
from shared.errors import Invalid
from shared.schemas.base import Facts
from shared.schemas.outreach import VisitDate
from shared.school_calendar import (
    CalendarUnknown,
    WallTimeDoesNotExist,
    ZoneUnknown,
    day_off,
    local_to_utc,
    school_days_later,
)

WallTime = Annotated[NaiveDatetime, PlainSerializer(lambda value: value.isoformat(timespec="minutes"))]
EVENING = time(18)


class VisitEndsBeforeItStarts(Invalid):
    """The end must be after the start, on the same day."""

    field = "ends_local"


class VisitInThePast(Invalid):
    """{date} has passed already. Please choose a date in the future."""

    field = "starts_local"


class VisitOutsideCampaign(Invalid):
    """{day} lies outside the campaign, which runs from {starts_on} to {ends_on}."""

    field = "starts_local"


class VisitOnDayOff(Invalid):
    """There is no school on {day}: {name_en}. Please choose another day."""

    field = "starts_local"


class VisitCalendarUnknown(Invalid):
    """The school holidays around {day} are not known yet, only until {known_until}. Please choose an earlier day."""

    field = "starts_local"


class VisitTimeDoesNotExist(Invalid):
    """On {day} the clock is put forward and this time does not exist."""

    field = "starts_local"


class VisitZoneUnknown(Invalid):
    """This is not the name of a time zone; Europe/Berlin is one."""

    field = "zone"


class AlternativesTheSame(Invalid):
    """{date} is there twice. Please give dates that differ."""

    field = "starts_local"


class DateGiven(Command):
    """A date as a person gives it: wall time of `zone` (of the region, when none is given)."""

    starts_local: WallMoment
    ends_local: WallMoment
    zone: str | None = Field(None, max_length=64)
    lesson: int | None = Field(None, ge=0, le=15, description="The school's own numbering of its lessons")


class PlannedDate(Facts):
    """A date of a visit that has been checked; `lesson` is the school's own numbering when it gave one."""

    starts_local: WallTime
    ends_local: WallTime
    zone: str
    lesson: int | None = None

    @property
    def starts_utc(self) -> datetime:
        """The moment at which it starts."""
        return local_to_utc(self.starts_local, self.zone)

    @property
    def ends_utc(self) -> datetime:
        """The moment at which it ends."""
        return local_to_utc(self.ends_local, self.zone)

    @property
    def day(self) -> date:
        """The wall date."""
        return self.starts_local.date()

    def same_time(self, other: "PlannedDate") -> bool:
        """Whether both start and end at the same moments."""
        return (self.starts_utc, self.ends_utc) == (other.starts_utc, other.ends_utc)

    def facts(self) -> VisitDate:
        """As messages tell it."""
        return VisitDate(**{name: getattr(self, name) for name in type(self).model_fields})


@dataclass(frozen=True)
class Bounds:
    """Within which a date must lie: the campaign, the school's days off, and the present moment."""

    campaign: Campaign
    school: School
    zone: str
    now: datetime
    answer_school_days: int = 3

    def deadline(self, planned: PlannedDate) -> datetime:
        """Until when a proposal made now is held: 18:00 some school days later, but not beyond its start."""
        today, movable = self.wall(self.now).date(), frozenset(self.school.movable_days)
        last = school_days_later(today, self.answer_school_days, movable)
        return min(local_to_utc(datetime.combine(last, EVENING), self.zone), planned.starts_utc)

    def check(self, given: DateGiven) -> PlannedDate:
        """The date, when a visit is possible then; one of the errors above when not."""
        planned = PlannedDate(
            starts_local=given.starts_local.replace(second=0, microsecond=0),
            ends_local=given.ends_local.replace(second=0, microsecond=0),
            zone=given.zone or self.zone,
            lesson=given.lesson,
        )
        must_exist(planned)
        self.must_be_possible(planned)
        return planned

    def must_be_possible(self, planned: PlannedDate) -> None:
        """An error when the date is over, outside the campaign, or on a day without school."""
        campaign, day = self.campaign, planned.day
        if not campaign.starts_on <= day <= campaign.ends_on:
            raise VisitOutsideCampaign(day=day, starts_on=campaign.starts_on, ends_on=campaign.ends_on)
        if planned.starts_utc <= self.now:
            raise VisitInThePast(date=planned.starts_local)
        try:
            off = day_off(day, frozenset(self.school.movable_days))
        except CalendarUnknown as error:
            raise VisitCalendarUnknown(day=day, known_until=error.known_until) from error
        if off:
            raise VisitOnDayOff(day=day, name_de=off.name_de, name_en=off.name_en)

    def wall(self, moment: datetime) -> datetime:
        """What clocks of the region show at `moment`."""
        return moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)

    def check_all(self, alternatives: list[DateGiven]) -> tuple[PlannedDate, ...]:
        """All alternatives, each possible and no two the same; the error names the one it belongs to."""
        checked: list[PlannedDate] = []
        for number, given in enumerate(alternatives):
            try:
                planned = self.check(given)
                if any(planned.same_time(other) for other in checked):
                    raise AlternativesTheSame(date=planned.starts_local)
            except Invalid as error:
                error.field = f"alternatives.{number}.{error.field}"
                raise
            checked.append(planned)
        return tuple(checked)


def must_exist(planned: PlannedDate) -> None:
    """An error when zone or wall times are none, or the end is not after the start on the same day."""
    try:
        starts, ends = planned.starts_utc, planned.ends_utc
    except ZoneUnknown as error:
        raise VisitZoneUnknown from error
    except WallTimeDoesNotExist as error:
        raise VisitTimeDoesNotExist(day=planned.day) from error
    if ends <= starts or planned.ends_local.date() != planned.day:
        raise VisitEndsBeforeItStarts


def week_of(day: date) -> str:
    """The ISO week of a day, for example 2026-W49."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"
