"""Rules of class links, participants and their consents. Pure: no await, no I/O.

A participant gets mails only after every consent that is needed: under 16 a parent's first, then always the own one.
Whoever says no, withdraws or is taken off the list is forgotten at once.
"""

import math
import re
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.errors import Conflict, Invalid, NotFound, TooManyRequests
from shared.offsets import DaysBefore

State = Literal["parent_asked", "pupil_asked", "confirmed"]
Who = Literal["parent", "pupil", "teacher"]
Answer = Literal["yes", "no", "withdrawn"]
OFFSETS = (DaysBefore(2), DaysBefore(1))
QUESTION_VALID = timedelta(days=7)
CALLED_OFF_KEPT = timedelta(days=3)  # so long the pages say that the visit does not take place
MOST_MAILS_ASKED_FOR = 3
SAME_CLICK = timedelta(minutes=1)
ROOM_PER_PUPIL = 1.5
FIRST_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '’-]){0,39}")  # it stands in a mail to the parent: no links, no text

# Whoever changes one of these texts, or its translation, gives WORDING a new value: consents are kept with it.
WORDING = "2026-11"
PARENT_QUESTION = (
    "May {first_name} be reminded by mail of the class visit to {company} on {day}? For this we keep the first name, "
    "that your child is under 16, and both mail addresses. The company learns nothing of it. A few mails are sent, "
    "without advertising. You can take your consent back at any time; all of it is erased after the visit."
)
PUPIL_STATEMENT = (
    "Please remind me by mail of the class visit to {company} on {day}. My first name and my mail address may be kept "
    "for this until shortly after the visit. I can take this back at any time."
)


class ClassLinkUnknown(NotFound):
    """This link is not valid, or no longer. Please ask your teacher for the present one."""


class VisitIsOver(Conflict):
    """This visit is over or was called off; there is nothing to be reminded of."""


class NoRoomLeft(Conflict):
    """More people than the class has have asked already. Please tell your teacher."""


class TooManyAsked(TooManyRequests):
    """Too many people asked just now. Please try again in {minutes} minutes."""


class FirstNameNotPlain(Invalid):
    """Please enter only your first name, in letters."""

    field = "first_name"


class ParentAddressNeeded(Invalid):
    """Under 16 we need the mail address of a parent, to ask them first."""

    field = "parent_email"


class ParentAddressIsOwn(Invalid):
    """This must be your parent’s own mail address, not yours."""

    field = "parent_email"


class LinkIsOver(NotFound):
    """This link is no longer valid: it has expired, or what it belonged to has been erased."""


class ParentNotAskedAnyMore(Conflict):
    """This question has been answered already."""


class NotConfirmedYet(Conflict):
    """Please confirm first, with the link in your mail."""


class RegistrationUnknown(NotFound):
    """There is no registration at this address."""


class RegistrationNotConfirmed(Conflict):
    """There is a class link only for a confirmed registration whose date is still to come."""


class ParticipantUnknown(NotFound):
    """This entry is no longer there."""


@dataclass(frozen=True)
class ClassLink:
    """The link by which the pupils of one registration ask for reminders. `taken` of its places are in use."""

    registration_id: str
    secret: str
    open: bool
    taken: int = 0
    version: int = 1


@dataclass(frozen=True)
class Participant:
    """A pupil who asked to be reminded. `nonce` makes the links in mails worthless when it changes; `rounds` counts how
    often the consents were asked for from the beginning. At most one of `cannot_come` and `coming` holds: what the
    pupil has said, if anything."""

    id: str
    registration_id: str
    first_name: str
    email: str
    language: Literal["de", "en"]
    under_16: bool
    parent_email: str
    state: State
    nonce: str
    asked_at: datetime
    question_ends_at: datetime
    erase_after: datetime
    times_asked: int = 1
    parent_consented_at: datetime | None = None
    confirmed_at: datetime | None = None
    cannot_come: bool = False
    coming: bool = False
    rounds: int = 1
    version: int = 1

    @property
    def complete(self) -> bool:
        """Whether every consent that is needed has been given."""
        return self.confirmed_at is not None and (not self.under_16 or self.parent_consented_at is not None)

    @property
    def is_reminded(self) -> bool:
        """Whether reminders may go out."""
        return self.state == "confirmed" and self.complete and not self.cannot_come

    @property
    def standing(self) -> str:
        """What decides whether a mail still says what is true: the state, or that there is nothing to say."""
        if self.state != "confirmed":
            return self.state
        return ("cannot_come" if self.cannot_come else "confirmed") if self.complete else "incomplete"


@dataclass(frozen=True)
class Asking:
    """What somebody typed on the class link's page."""

    first_name: str
    email: str
    under_16: bool
    parent_email: str
    language: Literal["de", "en"]

    def check(self) -> None:
        """FirstNameNotPlain, ParentAddressNeeded, ParentAddressIsOwn."""
        if not FIRST_NAME.fullmatch(self.first_name):
            raise FirstNameNotPlain
        if self.under_16 and not self.parent_email:
            raise ParentAddressNeeded
        if self.under_16 and self.parent_email.casefold() == self.email.casefold():
            raise ParentAddressIsOwn


def room(pupils: int) -> int:
    """How many may ask on one class link."""
    return math.ceil(pupils * ROOM_PER_PUPIL)


def retention_ends(ends_local: datetime, zone: str, days: int) -> datetime:
    """When pupils' data goes: at the start of the day after `days` whole days past the visit's day."""
    day = ends_local.date() + timedelta(days=days + 1)
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))


def new_participant(
    asking: Asking, *, id: str, registration_id: str, nonce: str, now: datetime, starts: datetime, erase_after: datetime
) -> Participant:
    """Somebody who has asked, and has consented to nothing yet."""
    asking.check()
    return Participant(
        id=id,
        registration_id=registration_id,
        first_name=asking.first_name,
        email=asking.email,
        language=asking.language,
        under_16=asking.under_16,
        parent_email=asking.parent_email if asking.under_16 else "",
        state="parent_asked" if asking.under_16 else "pupil_asked",
        nonce=nonce,
        asked_at=now,
        question_ends_at=min(now + QUESTION_VALID, starts),
        erase_after=erase_after,
    )


def asked_again(there: Participant, asking: Asking, *, nonce: str, now: datetime, starts: datetime) -> Participant:
    """The same address asked once more: a fresh question, at most three times, and not for a form that came twice.

    A parent's address may be corrected while the parent has not answered; then the former one's link is worthless.
    Who asked as under 16 stays under 16, and who says so later begins anew with the parent, however often they asked.
    """
    asking.check()
    same = (asking.under_16, asking.parent_email) == (there.under_16, there.parent_email)
    if asking.under_16 and not there.under_16:
        return _now_under_16(there, asking, nonce, now, starts)
    if there.times_asked >= MOST_MAILS_ASKED_FOR or (same and now - there.asked_at < SAME_CLICK):
        return there
    again = replace(there, times_asked=there.times_asked + 1, asked_at=now, version=there.version + 1)
    if there.state == "confirmed":
        return again
    again = replace(again, question_ends_at=min(now + QUESTION_VALID, starts))
    if there.state == "parent_asked" and asking.under_16 and asking.parent_email != there.parent_email:
        again = replace(again, parent_email=asking.parent_email, nonce=nonce)
    return again


def _now_under_16(there: Participant, asking: Asking, nonce: str, now: datetime, starts: datetime) -> Participant:
    """The own consent is worth nothing without the parent's; both are asked for, and all former links are worthless."""
    return replace(
        there, under_16=True, parent_email=asking.parent_email, state="parent_asked", confirmed_at=None, nonce=nonce,
        rounds=there.rounds + 1, times_asked=min(there.times_asked + 1, MOST_MAILS_ASKED_FOR), asked_at=now,
        question_ends_at=min(now + QUESTION_VALID, starts), version=there.version + 1,
    )  # fmt: skip


def parent_says_yes(participant: Participant, now: datetime, starts: datetime) -> Participant:
    """The parent consents; now the pupil is asked. LinkIsOver, ParentNotAskedAnyMore."""
    _still_open(participant, now)
    if participant.state != "parent_asked":
        raise ParentNotAskedAnyMore
    return replace(
        participant,
        state="pupil_asked",
        parent_consented_at=now,
        question_ends_at=min(now + QUESTION_VALID, starts),
        version=participant.version + 1,
    )


def pupil_confirms(participant: Participant, now: datetime) -> Participant:
    """The pupil confirms. LinkIsOver when it is too late, or when a parent must be asked first."""
    _still_open(participant, now)
    if participant.state == "parent_asked":
        raise LinkIsOver
    if participant.state == "confirmed":
        return participant
    return replace(participant, state="confirmed", confirmed_at=now, version=participant.version + 1)


def comes(participant: Participant, coming: bool | None) -> Participant:
    """The pupil comes, cannot come, or takes back what was said (None). NotConfirmedYet."""
    if participant.state != "confirmed":
        raise NotConfirmedYet
    said = {"coming": coming is True, "cannot_come": coming is False}
    if said == {"coming": participant.coming, "cannot_come": participant.cannot_come}:
        return participant
    return replace(participant, version=participant.version + 1, **said)


def _still_open(participant: Participant, now: datetime) -> None:
    if participant.state != "confirmed" and now >= participant.question_ends_at:
        raise LinkIsOver
