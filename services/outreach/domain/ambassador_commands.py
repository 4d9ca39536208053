"""What people ask for about ambassadors: the commands of ambassadors.py."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import EmailStr, Field, model_validator

from services.outreach.domain.common import Command, Line, OptionalLine, PostalCode
from shared.bounds import Day
from shared.errors import Invalid

Weekday = Annotated[int, Field(ge=0, le=6, description="0 is Monday")]


class NothingToBlock(Invalid, ValueError):
    """Please give at least one day or one weekday."""

    field = "days"


class Limits(Command):
    """How many visits an ambassador wants at most."""

    per_week: int = Field(1, ge=1, le=7)
    per_campaign: int = Field(10, ge=1, le=200)


class EnterAmbassador(Command):
    """A new ambassador of a company, with the person when that is not known yet."""

    name: Line
    email: EmailStr
    language: Literal["de", "en"] = "de"
    company_id: str = Field(max_length=64)
    limits: Limits = Limits()
    fields: list[str] = Field([], max_length=16)
    home_postal_code: PostalCode | None = None


class ChangeAmbassador(Command):
    """An ambassador's own settings as they shall be."""

    limits: Limits
    fields: list[str] = Field(max_length=16)
    home_postal_code: PostalCode | None = None


class BlockDays(Command):
    """Single days, or weekdays (of a vocational school), on which no visit is possible."""

    days: list[Day] = Field([], max_length=100)
    weekdays: list[Weekday] = Field([], max_length=7)
    reason: OptionalLine = ""

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.days and not self.weekdays:
            raise NothingToBlock
        return self


class UnblockDays(Command):
    """Days and weekdays that are free again; those that are not blocked are passed over."""

    days: list[date] = Field([], max_length=400)
    weekdays: list[Weekday] = Field([], max_length=7)
