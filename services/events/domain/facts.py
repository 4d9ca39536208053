"""What the rules are about: campaigns, schools, offers, slots and registrations, as values that never change."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from shared.schemas.events import GroupFacts, OfferFacts, RegistrationState
from shared.schemas.outreach import Contact

Approval = Literal["automatic", "company"]
WaitingList = Literal["none", "strict_order", "next_that_fits"]
Side = Literal["school", "company", "coordinator"]
Check = Literal["", "waiting", "sent_back"]
Cause = Literal["", "not_confirmed_again"]
OfferState = Literal["published", "paused", "withdrawn", "submitted", "sent_back"]
UNPUBLISHED: frozenset[OfferState] = frozenset({"submitted", "sent_back"})

TAKING: frozenset[RegistrationState] = frozenset({"requested", "offered", "confirmed", "attended", "no_show"})
ACTIVE: frozenset[RegistrationState] = frozenset({"requested", "waitlisted", "offered", "confirmed"})
MOVES_KEPT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """This service's copy of a campaign. Instants are aware; days are the region's wall dates."""

    id: str
    name: str
    starts_on: date
    ends_on: date
    districts: tuple[str, ...]
    offers_from: datetime
    booking_from: datetime
    closes_at: datetime
    check_offers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """This service's copy of a school, as far as the rules need it."""

    id: str
    name: str
    school_type: str
    district_ags: str
    open: bool = True
    movable_days: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class ConfirmAgain:
    """That an offer's groups have to confirm again: so many school days before the date their schools are `asked`, and
    they can answer `until` so many before it."""

    asked: int
    until: int


@dataclass(frozen=True, slots=True)
class Question:
    """That a school was asked whether its group still comes, on the date as `revision` has it, and could answer `until`
    a moment; `confirmed_at` is when it said yes."""

    asked_at: datetime
    until: datetime
    revision: int
    confirmed_at: datetime | None = None


CHECKED = ("title", "description", "requirements", "place")


def what_is_checked(facts: OfferFacts) -> dict[str, Any]:
    """What the coordinator reads before an offer is published."""
    return facts.model_dump(include=set(CHECKED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a company offers: the facts that travel, and how its slots are booked.

    `check` says whether the coordinator still has to look at it before anybody else sees it; `check_reason` why it was
    sent back. Until it is published its facts say `paused`, so that nothing can be booked. `checked` is what it said
    when the coordinator looked at it last, by the names of CHECKED; None when nobody checks it."""

    facts: OfferFacts
    grades: tuple[int, ...]
    approval: Approval
    waiting_list: WaitingList
    offer_school_days: int = 2
    groups_per_school: int | None = None
    confirm_again: ConfirmAgain | None = None
    created_at: datetime
    version: int = 1
    last_request_id: str = ""
    check: Check = ""
    check_reason: str = ""
    checked: dict[str, Any] | None = None

    @property
    def changed_since_check(self) -> list[str]:
        """What the company changed of a public offer since the coordinator looked at it."""
        if self.checked is None or self.check or self.facts.state == "withdrawn":
            return []
        now = what_is_checked(self.facts)
        return [name for name in CHECKED if now[name] != self.checked[name]]

    @property
    def id(self) -> str:
        """The offer's id."""
        return self.facts.offer_id

    @property
    def state(self) -> OfferState:
        """The state as people know it."""
        return "withdrawn" if self.facts.state == "withdrawn" else self.seen_as

    @property
    def seen_as(self) -> OfferState:
        """The state by which others find it: what was never published stays hidden, also once it is withdrawn."""
        if self.check:
            return "submitted" if self.check == "waiting" else "sent_back"
        return self.facts.state


@dataclass(frozen=True, slots=True)
class Moved:
    """That a slot was moved `at` a moment, and the wall times that it had before."""

    at: datetime
    starts_local: datetime
    ends_local: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One dated place to go: its facts and its counters. Places are pupils; accompanying adults take none."""

    id: str
    offer_id: str
    campaign_id: str
    company_id: str
    starts_local: datetime
    ends_local: datetime
    zone: str
    starts_utc: datetime
    ends_utc: datetime
    places: int
    groups: int
    grades: tuple[int, ...]
    approval: Approval = "automatic"
    waiting_list: WaitingList = "strict_order"
    offer_school_days: int = 2
    groups_per_school: int | None = None
    state: Literal["open", "cancelled"] = "open"
    reason: str = ""
    taken: int = 0
    groups_taken: int = 0
    waiting: int = 0
    next_position: int = 1
    version: int = 1
    revision: int = 1
    last_request_id: str = ""
    moves: tuple[Moved, ...] = ()

    @property
    def free(self) -> int:
        """Places nobody holds."""
        return self.places - self.taken

    @property
    def free_groups(self) -> int:
        """How many more groups there is room for."""
        return self.groups - self.groups_taken

    def fits(self, pupils: int) -> bool:
        """Whether one more group of `pupils` gets places, all or nothing."""
        return pupils <= self.free and self.free_groups >= 1

    def moved(self, at: datetime) -> tuple[Moved, ...]:
        """Its latest moves, when it is moved once more at this moment."""
        return (*self.moves, Moved(at, self.starts_local, self.ends_local))[-MOVES_KEPT:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One group on one slot. `position` orders the waiting list and is kept afterwards. `registered_by` is the id of
    the person or program that registered it; `noted_at` is when the school last noted what the company changed.
    `said_at` is when the school last said by itself that it comes; without it, when it registered. `cause` says why it
    was cancelled by nobody."""

    id: str
    slot_id: str
    offer_id: str
    campaign_id: str
    company_id: str
    school_id: str
    school_name: str
    school_type: str
    school_district_ags: str
    group: GroupFacts
    contact: Contact
    state: RegistrationState
    created_at: datetime
    changed_at: datetime
    version: int = 1
    position: int | None = None
    offer_expires_at: datetime | None = None
    cancelled_by: Side | None = None
    reason: str = ""
    pupils_attended: int | None = None
    acknowledged: bool = False
    last_request_id: str = ""
    registered_by: str = ""
    said_at: datetime | None = None
    question: Question | None = None
    cause: Cause = ""
    noted_at: datetime | None = field(default=None, compare=False)
    mail_trouble: dict[str, object] | None = field(default=None, compare=False)

    @property
    def active(self) -> bool:
        """Whether something is still to come of it."""
        return self.state in ACTIVE

    @property
    def held(self) -> int:
        """The places it holds."""
        return self.group.pupils if self.state in TAKING else 0

    def offer_is_over(self, now: datetime) -> bool:
        """Whether its offered places were not accepted in time."""
        return self.state == "offered" and self.offer_expires_at is not None and now >= self.offer_expires_at

    def awaits_answer(self, revision: int) -> bool:
        """Whether its school was asked about the date as `revision` has it, and has not answered."""
        asked = self.question
        unanswered = asked is not None and asked.confirmed_at is None and asked.revision == revision
        return unanswered and self.state == "confirmed"

    @property
    def key(self) -> str:
        """What must be unique among the active registrations of a slot."""
        return group_key(self.school_id, self.group.name)


def group_key(school_id: str, group_name: str) -> str:
    """The same for every spelling of a group's name: `9a` and `9 A`."""
    return f"{school_id}|{''.join(group_name.split()).casefold()}"
