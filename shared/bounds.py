"""Bounds of what can be typed as a date, so that reckoning with time zones never leaves the calendar."""

from datetime import date, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, NaiveDatetime

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
WallMoment = Annotated[NaiveDatetime, in_bounds]
