"""What people and programs send: checked for shape here, for sense in the domain."""

from datetime import datetime, time
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field

from services.events.domain.errors import ConfirmAgainUnclear
from services.events.domain.facts import Approval, ConfirmAgain, Side, WaitingList
from shared.bounds import Day, as_wall_time, in_bounds
from shared.errors import Invalid
from shared.schemas.events import GroupFacts
from shared.schemas.outreach import Contact
from shared.texts import one_line, readable


class NotWallTime(Invalid):
    """This must be a local time without an offset, for example 2026-12-01T09:00."""


def _wall_time(moment: datetime) -> datetime:
    if moment.tzinfo is not None:
        raise ValueError(NotWallTime())
    return moment


def _wall_hour(hour: time) -> time:
    if hour.tzinfo is not None:
        raise ValueError(NotWallTime())
    return hour


Id = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=160), one_line]
Line = Annotated[str, Field(max_length=160), one_line]
Text = Annotated[str, Field(max_length=4000), readable]
Reason = Annotated[str, Field(max_length=500), readable]
WallTime = Annotated[datetime, AfterValidator(_wall_time), in_bounds, as_wall_time]
WallHour = Annotated[time, AfterValidator(_wall_hour)]
Grade = Annotated[int, Field(ge=1, le=14)]
Places = Annotated[int, Field(ge=1, le=10_000)]
Pupils = Annotated[int, Field(ge=1, le=500)]
Adults = Annotated[int, Field(ge=0, le=100)]
Zone = Annotated[str, Field(max_length=64)]


class Input(BaseModel):
    """Unknown fields are refused, so that a typing error is seen."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ContactInput(Input):
    name: Name
    email: EmailStr
    phone: Annotated[str, Field(max_length=40), one_line] = ""
    language: Literal["de", "en"] = "de"

    def facts(self) -> Contact:
        """The contact in the words of the messages."""
        return Contact(name=self.name, email=str(self.email), phone=self.phone, language=self.language)


class PlaceInput(Input):
    name: Name
    street: Name
    postal_code: Annotated[str, Field(pattern=r"^\d{5}$")]
    town: Name
    directions: Annotated[str, Field(max_length=1000)] = ""


class ConfirmAgainInput(Input):
    """So many school days before the date schools are `asked` whether their groups still come, and they can answer
    `until` so many before it. Neither: they are not asked."""

    asked: Annotated[int, Field(ge=2, le=20)] | None = None
    until: Annotated[int, Field(ge=1, le=19)] | None = None

    @classmethod
    def of(cls, rule: ConfirmAgain | None) -> Self:
        """What somebody would have sent for this rule."""
        return cls(asked=rule.asked, until=rule.until) if rule else cls()

    def rule(self) -> ConfirmAgain | None:
        """The rule of the offer, if any. ConfirmAgainUnclear."""
        if self.asked is None and self.until is None:
            return None
        if self.asked is None or self.until is None or self.asked <= self.until:
            raise ConfirmAgainUnclear
        return ConfirmAgain(self.asked, self.until)


class OpenOffer(Input):
    """An offer as it shall be. `reminders` says in words or short texts (`14d, 2d@17:30, 1h`) when to remind; empty as
    the campaign says. `reminder_days` is the older way to say it, at 8:00."""

    campaign_id: Id
    company_id: Id
    title: Name
    description: Text = ""
    field: Annotated[str, Field(max_length=16)]
    place: PlaceInput
    requirements: Annotated[list[Name], Field(max_length=20)] = []
    contact: ContactInput
    grades: Annotated[list[Grade], Field(min_length=1, max_length=14)]
    approval: Approval = "automatic"
    waiting_list: WaitingList = "strict_order"
    offer_school_days: Annotated[int, Field(ge=1, le=20)] = 2
    groups_per_school: Annotated[int, Field(ge=1, le=100)] | None = None
    confirm_again: ConfirmAgainInput = ConfirmAgainInput()
    reminders: Annotated[str, Field(max_length=200)] = ""
    reminder_days: Annotated[list[Annotated[int, Field(ge=1, le=60)]], Field(max_length=5)] | None = None


class EditOffer(Input):
    """An offer's facts as they shall be; `reminders` and `confirm_again` stay when they are not given. `version`
    is the one that was looked at, `note` goes to registered groups."""

    title: Name
    description: Text = ""
    place: PlaceInput
    requirements: Annotated[list[Name], Field(max_length=20)] = []
    contact: ContactInput
    grades: Annotated[list[Grade], Field(min_length=1, max_length=14)]
    reminders: Annotated[str, Field(max_length=200)] | None = None
    confirm_again: ConfirmAgainInput | None = None
    version: int
    note: Annotated[str, Field(max_length=500)] = ""


class RepeatOffer(Input):
    """An earlier offer in another campaign; `slots` are those of its dates that shall come again."""

    campaign_id: Id
    contact: ContactInput
    slots: Annotated[list[Id], Field(max_length=200)] = []


class SeriesInput(Input):
    weekdays: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1, max_length=7)]
    first_day: Day
    last_day: Day
    starts: WallHour
    ends: WallHour
    skip_days_off: bool = True
    only: Annotated[list[Day], Field(max_length=200)] | None = None


class OpenSlots(Input):
    """One slot (`starts_local`, `ends_local`) or a weekly series of them."""

    starts_local: WallTime | None = None
    ends_local: WallTime | None = None
    series: SeriesInput | None = None
    zone: Zone | None = None
    places: Places
    groups: Places
    grades: Annotated[list[Grade], Field(max_length=14)] | None = None
    allow_days_off: bool = False


class MoveSlot(Input):
    starts_local: WallTime
    ends_local: WallTime
    zone: Zone | None = None
    reason: Reason = ""
    allow_days_off: bool = False


class ResizeSlot(Input):
    places: Places
    groups: Places


class WithReason(Input):
    reason: Reason = ""


class GroupInput(Input):
    name: Annotated[str, Field(min_length=1, max_length=60), one_line]
    grade: Grade
    pupils: Pupils
    adults: Adults = 1
    needs: Annotated[str, Field(max_length=500)] = ""

    def facts(self) -> GroupFacts:
        """The group in the words of the messages."""
        return GroupFacts(name=self.name, grade=self.grade, pupils=self.pupils, adults=self.adults, needs=self.needs)


class RegisterGroup(Input):
    school_id: Id
    group: GroupInput
    contact: ContactInput
    acknowledged: bool = False
    requirements: Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=50)] | None = None
    waitlist: bool = True


class CancelRegistration(Input):
    reason: Reason = ""
    by: Side | None = None


class ResizeRegistration(Input):
    pupils: Pupils
    adults: Adults | None = None


class RecordAttendance(Input):
    came: bool
    pupils: Annotated[int, Field(ge=0, le=1000)] = 0
    version: int | None = None


class SelfFoundGroup(Input):
    name: Annotated[str, Field(min_length=1, max_length=60), one_line]
    grade: Grade
    pupils: Pupils
    adults: Adults = 0


class RecordSelfFoundPlace(Input):
    campaign_id: Id
    school_id: Id
    group: SelfFoundGroup
    company_name: Name
    field: Annotated[str, Field(max_length=16)]
    day: Day


class SlotFilter(Input):
    """What a search for slots can ask. Days are wall dates of the region, both included."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, populate_by_name=True)

    campaign_id: Id | None = None
    company_id: Id | None = None
    offer_id: Id | None = None
    district: Annotated[str, Field(max_length=8)] | None = None
    municipality: Annotated[str, Field(max_length=8)] | None = None
    field: Annotated[str, Field(max_length=16)] | None = None
    grade: Grade | None = None
    free_places: Annotated[int, Field(ge=0, le=10_000)] | None = None
    from_: Day | None = Field(None, alias="from")
    to: Day | None = None
    near_school: Id | None = None
    max_km: Annotated[float, Field(gt=0, le=500)] | None = None
    state: Literal["bookable", "open", "cancelled", "all"] = "open"
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(max_length=200)] | None = None


class RegistrationFilter(Input):
    """What a list of registrations can ask."""

    school_id: Id | None = None
    company_id: Id | None = None
    slot_id: Id | None = None
    campaign_id: Id | None = None
    state: Annotated[str, Field(max_length=16)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    after: Annotated[str, Field(max_length=200)] | None = None


class OfferFilter(Input):
    """What a list of offers can ask."""

    campaign_id: Id | None = None
    company_id: Id | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(max_length=200)] | None = None


class SelfFoundFilter(Input):
    """What a list of self-found places can ask."""

    campaign_id: Id | None = None
    school_id: Id | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(max_length=200)] | None = None
