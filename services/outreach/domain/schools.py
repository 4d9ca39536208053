"""Schools: the register's facts, and the movable days off that each school sets itself."""

from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Self

from pydantic import Field

from services.outreach.domain.common import Aggregate, Command
from services.outreach.school_register import OperatingStatus
from services.outreach.school_register import School as RegisterSchool
from shared.bounds import Day
from shared.errors import Invalid, NotFound
from shared.schemas.outreach import SchoolChanged

MOST_MOVABLE_DAYS = 20
_REGISTER_FIELDS = tuple(field.name for field in fields(RegisterSchool))


class SchoolNotFound(NotFound):
    """There is no school with this number."""


class TooManyMovableDays(Invalid):
    """A school has at most {most} movable days."""

    field = "days"


class SetMovableDays(Command):
    """The school's movable days off, all of them; they replace those known so far."""

    days: list[Day] = Field(max_length=100)


class School(Aggregate):
    """A school as the register knows it (see school_register.School), with its own movable days.

    `open` is false from the day after `closes_on`.
    """

    name: str
    short_name: str
    school_type: str
    street: str
    postal_code: str
    town: str
    municipality_ags: str
    district_ags: str
    lat: float
    lon: float
    operating_status: OperatingStatus
    running_since: date | None = None
    closes_on: date | None = None
    legal_form: str | None = None
    authority: str | None = None
    website: str | None = None
    email: str | None = None
    phone: str | None = None
    pupils: int | None = None
    open: bool = True
    movable_days: tuple[date, ...] = ()

    @classmethod
    def entered(cls, entry: RegisterSchool, request_id: str, today: date) -> Self:
        """A new school as it stands in the register."""
        return cls(**asdict(entry), open=is_open(entry.closes_on, today), last_request_id=request_id)

    def register_entry(self) -> RegisterSchool:
        """What the register says of this school, without what was added here."""
        return RegisterSchool(**{name: getattr(self, name) for name in _REGISTER_FIELDS})

    def with_entry(self, entry: RegisterSchool, request_id: str, today: date) -> Self:
        """The next version, with the register's newer facts."""
        return self.changed(request_id, **asdict(entry), open=is_open(entry.closes_on, today))

    def with_movable_days(self, days: list[date], request_id: str) -> Self:
        """The next version with exactly these movable days; TooManyMovableDays."""
        distinct = tuple(sorted(set(days)))
        if len(distinct) > MOST_MOVABLE_DAYS:
            raise TooManyMovableDays(most=MOST_MOVABLE_DAYS)
        return self.changed(request_id, movable_days=distinct)

    def closed(self) -> Self:
        """The next version, no longer open."""
        return self.changed("closing", open=False)

    @property
    def search(self) -> str:
        """The text in which a search looks."""
        return f"{self.id} {self.name} {self.short_name} {self.postal_code} {self.town}".casefold()

    def message(self, now: datetime, correlation_id: str) -> SchoolChanged:
        """What the other services are told."""
        told = set(SchoolChanged.model_fields) & set(type(self).model_fields) - {"id"}
        facts = self.model_dump(include=told)
        return SchoolChanged.about(
            f"school:{self.id}", self.version, now=now, correlation_id=correlation_id, school_id=self.id, **facts
        )


def is_open(closes_on: date | None, today: date) -> bool:
    """Whether a school that closes on `closes_on` (its last day) still runs `today`."""
    return closes_on is None or today <= closes_on
