"""What can be asked of a slot. Each command carries who asked (the request's id) and when."""

from dataclasses import dataclass
from datetime import datetime

from services.events.domain.facts import Side
from shared.schemas.events import GroupFacts
from shared.schemas.outreach import Contact


@dataclass(frozen=True, slots=True)
class Seen:
    """The version of a registration, and the revision of its date, that somebody was told of."""

    version: int
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Asked at `now` by the request `request_id`; the same id again finds what was done."""

    now: datetime
    request_id: str
    correlation_id: str = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(Command):
    """A new group wants places; `registration_id` derives from the request. `requirements` are those that were shown
    when they were `acknowledged`; none when that is not known."""

    registration_id: str
    school_id: str
    group: GroupFacts
    contact: Contact
    acknowledged: bool
    requirements: tuple[str, ...] | None = None
    waitlist: bool = True
    registered_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRegistration(Command):
    """A command about one registration of the slot."""

    registration_id: str


class Approve(OfRegistration):
    """The company agrees to a requested registration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline(OfRegistration):
    """The company does not agree to a requested registration."""

    reason: str = ""


class Accept(OfRegistration):
    """The school takes the places offered to a waiting group."""


class Expire(OfRegistration):
    """The time for accepting may be over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(OfRegistration):
    """The group does not come, or is not wanted. `seen`, when given, is the registration as a mail told of it: of one
    that has changed since then nothing becomes."""

    by: Side
    reason: str = ""
    seen: Seen | None = None


class AskAgain(OfRegistration):
    """The time for asking the school whether its group still comes may be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SayStillComing(OfRegistration):
    """The school answers that its group still comes. `seen` as in `Cancel`."""

    seen: Seen | None = None


class Release(OfRegistration):
    """The time for that answer may be over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize(OfRegistration):
    """The group is larger or smaller than before."""

    pupils: int
    adults: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attend(OfRegistration):
    """The group came with `pupils` pupils, or did not come. `version`, when given, is that of the registration as it
    was when somebody looked: an entry that was made since then is not overwritten unseen."""

    came: bool
    pupils: int = 0
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveSlot(Command):
    """Another date or time; the new times were checked against the calendar."""

    starts_local: datetime
    ends_local: datetime
    zone: str
    starts_utc: datetime
    ends_utc: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeSlot(Command):
    """More or fewer places or groups."""

    places: int
    groups: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSlot(Command):
    """The company calls the date off; with `only_if_empty` it takes back one that nobody holds or waits for."""

    reason: str = ""
    only_if_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCancelledSlot(Command):
    """Cancel the next active registrations of a slot that was called off."""
