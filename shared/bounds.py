"""Bounds of what can be typed as a date, so that reckoning with time zones never leaves the calendar."""

from datetime import date, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, NaiveDatetime, WithJsonSchema

from shared.errors import Invalid

Moment = TypeVar("Moment", date, datetime)
FIRST_YEAR, LAST_YEAR = 2000, 2100


class YearOutOfBounds(Invalid, ValueError):
    """The year must lie between 2000 and 2100."""


def _in_bounds(moment: Moment) -> Moment:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise YearOutOfBounds
    return moment


in_bounds = AfterValidator(_in_bounds)
Day = Annotated[date, in_bounds]
Instant = Annotated[AwareDatetime, in_bounds]
as_wall_time = WithJsonSchema({"type": "string", "format": "date-time-local", "examples": ["2026-12-01T09:00"]})
WallClock = Annotated[datetime, as_wall_time]  # in answers: not checked again
WallMoment = Annotated[NaiveDatetime, in_bounds, as_wall_time]
