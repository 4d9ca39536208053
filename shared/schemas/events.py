"""What the service `events` says: offers, slots, registrations and self-found places."""

from datetime import date, datetime
from typing import ClassVar, Literal

from pydantic import Field

from shared.schemas.base import Facts, Message
from shared.schemas.outreach import Contact

RegistrationState = Literal[
    "requested", "waitlisted", "offered", "confirmed", "declined", "expired", "cancelled", "attended", "no_show"
]


class EventsMessage(Message):
    SOURCE: ClassVar[str] = "events"


class Place(Facts):
    name: str
    street: str
    postal_code: str
    town: str
    district_ags: str | None = None
    lat: float | None = None
    lon: float | None = None
    directions: str = ""


class OfferFacts(Facts):
    offer_id: str
    campaign_id: str
    company_id: str
    company_name: str
    title: str
    description: str
    field: str
    place: Place
    requirements: list[str]
    contact: Contact
    reminder_days: list[int]
    state: Literal["published", "paused", "withdrawn"]
    reminders: list[str] | None = Field(
        None, description="When to remind, as in shared/offsets.py; without: as the campaign says, or reminder_days"
    )


class OfferPublished(EventsMessage):
    """A company's tour can be found. `checked`: the coordinator looked at it before."""

    offer: OfferFacts
    checked: bool = False


class OfferSentBack(EventsMessage):
    """The coordinator did not publish an offer; `reason` says what the company should change."""

    offer: OfferFacts
    reason: str


class OfferChanged(EventsMessage):
    """An offer's facts changed, or it was paused, resumed or withdrawn.

    `changed` names what matters to the groups that are registered (`place`, `requirements`) and is told to them, with
    the company's `note`.
    """

    offer: OfferFacts
    changed: list[str] = []
    note: str = ""


class SlotFacts(Facts):
    """One dated place to go. `revision` rises when its date, place or state changes; `version` at every decision."""

    slot_id: str
    offer: OfferFacts
    starts_local: datetime
    ends_local: datetime
    zone: str
    places: int
    groups: int
    grades: list[int]
    state: Literal["open", "cancelled"]
    revision: int


class SlotOpened(EventsMessage):
    """A slot can be booked."""

    slot: SlotFacts


class SlotMoved(EventsMessage):
    """A slot has another date or time (`previous_…` is the former one); its registrations stay."""

    slot: SlotFacts
    previous_starts_local: datetime
    previous_ends_local: datetime
    reason: str = ""


class SlotResized(EventsMessage):
    """A slot has more or fewer places or groups."""

    slot: SlotFacts


class SlotCancelled(EventsMessage):
    """A slot was called off. A RegistrationCancelled with `cancelled_by` = company follows for each registration."""

    slot: SlotFacts
    reason: str = ""


class GroupFacts(Facts):
    name: str
    grade: int
    pupils: int
    adults: int
    needs: str = ""


class RegistrationFacts(Facts):
    """One group on one slot, with the slot as it was at this moment."""

    registration_id: str
    slot: SlotFacts
    school_id: str
    school_name: str
    school_type: str
    school_district_ags: str
    group: GroupFacts
    contact: Contact
    state: RegistrationState
    version: int
    offer_expires_at: datetime | None = None
    cancelled_by: Literal["school", "company", "coordinator"] | None = None
    reason: str = ""
    previous_pupils: int | None = None
    pupils_attended: int | None = None
    answer_until: datetime | None = Field(
        None, description="Until when the school can answer whether its group still comes; only while it is asked"
    )
    cause: str = Field("", description="Why nobody cancelled it and it is cancelled all the same: not_confirmed_again")


class RegistrationMessage(EventsMessage):
    registration: RegistrationFacts


class RegistrationRequested(RegistrationMessage):
    """A group asks for places; they are held until the company approves or declines."""


class RegistrationConfirmed(RegistrationMessage):
    """A group has its places: at once, by approval, or by accepting offered places."""


class RegistrationDeclined(RegistrationMessage):
    """The company declined a requested registration."""


class RegistrationWaitlisted(RegistrationMessage):
    """The slot is full; the group stands on the waiting list."""


class PlacesOffered(RegistrationMessage):
    """Places came free and are held for this group until `offer_expires_at`."""


class OfferedPlacesExpired(RegistrationMessage):
    """The group did not accept in time; the places go to the next."""


class RegistrationCancelled(RegistrationMessage):
    """A registration was called off by `cancelled_by`, or by nobody, for the `cause` that it names."""


class ConfirmationAsked(RegistrationMessage):
    """The school is asked whether its group still comes; without an answer the places are released after
    `answer_until`."""


class RegistrationConfirmedAgain(RegistrationMessage):
    """The school was asked, and its group still comes."""


class RegistrationResized(RegistrationMessage):
    """A group is larger or smaller than before (`previous_pupils`)."""


class RegistrationAttended(RegistrationMessage):
    """The group came, with `pupils_attended` pupils."""


class RegistrationMissed(RegistrationMessage):
    """The group did not come."""


class SelfFoundPlaceRecorded(EventsMessage):
    """A school found places outside the system; they count in every report."""

    record_id: str
    campaign_id: str
    school_id: str
    school_type: str
    school_district_ags: str
    group: GroupFacts
    company_name: str
    field: str
    day: date
    withdrawn: bool = False
