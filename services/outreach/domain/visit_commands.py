"""What people ask for about school visits: the commands of visits.py."""

from pydantic import Field

from services.outreach.domain.common import Command, Line, OptionalLine, Paragraph
from services.outreach.domain.companies import ContactGiven
from services.outreach.domain.visit_dates import DateGiven

MOST_PUPILS = 500


class GroupGiven(Command):
    """The class that asks."""

    name: Line
    pupils: int = Field(ge=1, le=MOST_PUPILS)


class RequestVisit(Command):
    """A school asks for a visit on one of two or three dates."""

    campaign_id: str = Field(max_length=64)
    school_id: str = Field(max_length=64)
    field: str = Field(max_length=10, description="KAoA code of the field of work")
    grade: int = Field(ge=1, le=13)
    group: GroupGiven
    contact: ContactGiven
    alternatives: list[DateGiven] = Field(min_length=2, max_length=3)
    room: OptionalLine = Field("", description="Where the team is awaited: a room, an entrance")


class RequestDates(Command):
    """Other dates for a visit that is not confirmed yet; a team that has been asked is free again."""

    alternatives: list[DateGiven] = Field(min_length=2, max_length=3)
    reason: Paragraph = ""


class ProposeVisit(Command):
    """A team for one of the alternatives, which are numbered from 0."""

    alternative: int = Field(ge=0, le=2)
    ambassador_ids: list[str] = Field(max_length=10)
    material: Paragraph = Field("", description="What the team brings along")
    preparation: Paragraph = Field("", description="What the school gets ready: a projector, tables")


class WithdrawProposal(Command):
    """Take a proposal back before it is confirmed, and why."""

    reason: Paragraph = ""


class AcceptVisit(Command):
    """An ambassador's yes; without an id it is the answer of the person who asks."""

    ambassador_id: str | None = Field(None, max_length=64)


class DeclineVisit(Command):
    """An ambassador's no, and why; without an id it is the answer of the person who asks."""

    ambassador_id: str | None = Field(None, max_length=64)
    reason: Paragraph = ""


class LeaveTeam(Command):
    """A member of a confirmed team cannot come after all, and why; without an id it is the person who asks."""

    ambassador_id: str | None = Field(None, max_length=64)
    reason: Paragraph = ""


class MoveVisit(DateGiven):
    """Another date for a proposed or confirmed visit."""

    reason: Paragraph = ""


class CancelVisit(Command):
    """Call a visit off, and why."""

    reason: Paragraph = ""


class CompleteVisit(Command):
    """A visit took place."""

    pupils_reached: int = Field(ge=0, le=MOST_PUPILS)
    went_well: Paragraph = Field("", description="Without names")
    notes: Paragraph = Field("", description="What others should know, without names")
