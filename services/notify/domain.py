"""Rules of deliveries: keys, states, times, and what a mail may still claim. Pure: no await, no I/O."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from services.notify.urgency import BULK, LONGEST_PAUSE, REMINDERS, TRANSITION
from shared.errors import Conflict, NotFound
from shared.offsets import Offset
from shared.schemas.outreach import VisitFacts

State = Literal["planned", "sending", "sent", "deferred", "refused", "suppressed", "cancelled"]
Role = Literal["teacher", "company", "ambassador", "coordinator", "person", "pupil", "parent"]
Method = Literal["REQUEST", "CANCEL"]
HIDDEN_ROLES = ("pupil", "parent")  # nobody who reads the log learns or finds their addresses
STATES: tuple[State, ...] = ("planned", "sending", "sent", "deferred", "refused", "suppressed", "cancelled")
WITH_TOKEN = ("sign_in", "invitation")  # kinds whose mail opens something: its link is not kept or shown
TRANSITION_HORIZON = timedelta(days=3)
LATE = timedelta(minutes=10)
ATTEMPTS_KEPT = 20
FIRST_PAUSE = timedelta(seconds=2)

# The states of a registration or visit in which a mail of this kind still says what is true. Kinds that are not
# named here tell of something that stays true, for example that a registration was cancelled.
_LIVE = frozenset({"requested", "waitlisted", "offered", "confirmed"})
TRUE_WHILE: Mapping[str, frozenset[str]] = {
    "registration_requested": frozenset({"requested"}),
    "registration_waitlisted": frozenset({"waitlisted"}),
    "places_offered": frozenset({"offered"}),
    "registration_confirmed": frozenset({"confirmed"}),
    "registration_resized": _LIVE,
    "slot_moved": _LIVE,
    "offer_changed": _LIVE,
    "slot_reminder": frozenset({"confirmed"}),
    "confirmation_asked": frozenset({"confirmed"}),
    "visit_requested": frozenset({"requested"}),
    "visit_proposed": frozenset({"proposed"}),
    "visit_date_proposed": frozenset({"proposed"}),
    "visit_confirmed": frozenset({"confirmed"}),
    "visit_moved": frozenset({"confirmed"}),
    "visit_team_smaller": frozenset({"confirmed"}),
    "visit_reminder": frozenset({"confirmed"}),
    "parent_question": frozenset({"parent_asked"}),
    "pupil_confirmation": frozenset({"pupil_asked"}),
    "pupil_welcome": frozenset({"confirmed"}),
    "pupil_reminder": frozenset({"confirmed"}),
}
NAMES_A_DATE = frozenset(
    {"registration_confirmed", "slot_moved", "slot_reminder", "offer_changed", "pupil_reminder", "confirmation_asked"}
) | frozenset({"visit_confirmed", "visit_moved", "visit_team_smaller", "visit_reminder"})
FOR_PUPILS = frozenset({"parent_question", "pupil_confirmation", "pupil_welcome", "pupil_reminder"})
WRITTEN_LATE = REMINDERS | FOR_PUPILS  # their facts are read at the moment of sending
ASKS_ABOUT_A_VERSION = frozenset({"confirmation_asked"})  # whatever becomes of the registration ends the question
CHECKED = WRITTEN_LATE | ASKS_ABOUT_A_VERSION  # always looked at once more before they are sent


class DeliveryUnknown(NotFound):
    """There is no mail with this id."""


class AlreadyOnItsWay(Conflict):
    """This mail is on its way already."""


class AlreadySent(Conflict):
    """This mail was sent. Say that it is to be sent once more when that is what you want."""


class NoLongerTrue(Conflict):
    """This mail was cancelled because it is no longer true; it cannot be sent."""


class TooLateToSend(Conflict):
    """It is too late to send this mail."""


class ContentErased(Conflict):
    """The content of this mail has been erased; it cannot be sent again."""


class ChangedMeanwhile(Conflict):
    """Somebody else changed this mail at the same time. Please look at it again."""


@dataclass(frozen=True)
class Recipient:
    """Who gets a mail. `id` tells several recipients of one role apart."""

    role: Role
    name: str
    email: str
    language: Literal["de", "en"]
    id: str = ""

    @property
    def tag(self) -> str:
        """The role, with the id where there are several: `teacher`, `ambassador:17`."""
        return f"{self.role}:{self.id}" if self.id else self.role


@dataclass(frozen=True)
class Letter:
    """What a mail function asks for: one mail of `kind` to `to`, with a calendar part when `method` is given."""

    kind: str
    to: Recipient
    method: Method | None = None


@dataclass(frozen=True)
class CalendarPart:
    """What makes a calendar entry appear, move or disappear."""

    method: Method
    uid: str
    sequence: int


@dataclass(frozen=True)
class Attempt:
    """One try to send, or what came back of it later: when, what, and the server's answer without the address."""

    at: datetime
    outcome: Literal["sent", "deferred", "refused", "bounced", "delayed", "complained"]
    answer: str


@dataclass(frozen=True)
class Delivery:
    """One mail to one address. Instants are the application clock's; only leases use the machine's time.

    `cause` is the message that made it (`RegistrationConfirmed.v1 <id>`), `suppression` what held it back, `settled_…`
    who saw to a stuck one in another way, `wording` the version of the coordinator's words that it was written with
    (0: the standard ones). Reminders of one `day` to one address go out together, and `together` names the one whose
    Message-ID their mail has.
    """

    key: str
    kind: str
    to: Recipient
    about: str
    priority: int
    due_at: datetime
    gives_up_at: datetime
    erase_after: datetime
    planned_at: datetime
    message_id: str
    based_on: int = 0
    revision: int = 0
    facts: dict[str, Any] | None = None
    subject: str = ""
    calendar: CalendarPart | None = None
    state: State = "planned"
    reason: str = ""
    attempts: tuple[Attempt, ...] = ()
    attempt_count: int = 0
    sent_at: datetime | None = None
    version: int = 1
    generation: int = 1
    lease_token: str = ""
    last_request_id: str = ""
    cause: str = ""
    suppression: str = ""
    settled_at: datetime | None = None
    settled_by: str = ""
    day: str = ""
    together: str = ""
    wording: int = 0


@dataclass(frozen=True)
class Failure:
    """What a failed attempt leads to: another try at `again_at`, or the end (None) for the `reason`."""

    again_at: datetime | None
    reason: str


@dataclass(frozen=True)
class CalendarEntry:
    """The entry in one recipient's calendar as last told: its SEQUENCE, and whether it is still there."""

    sequence: int
    live: bool


CalendarEntries = Mapping[str, CalendarEntry]


@dataclass(frozen=True)
class Known:
    """The own copy behind a mail, as far as it decides whether the mail is still true.

    `revision` is that of the date: a slot's revision, or the visit's version that last set the date.
    """

    state: str
    version: int
    revision: int


def sign_in_key(message_id: str) -> str:
    """The key of a sign-in mail: one per request."""
    return f"sign_in:{message_id}"


def invitation_key(invitation_id: str) -> str:
    """The key of an invitation's mail: one per invitation."""
    return f"invitation:{invitation_id}"


def registration_key(kind: str, registration_id: str, version: int, to: Recipient) -> str:
    """The key of the mail about a registration's transition to `version`."""
    return f"{kind}:{registration_id}:{version}:{to.tag}"


def slot_moved_key(registration_id: str, revision: int, to: Recipient) -> str:
    """The key of the mail that tells a registration of its slot's `revision`."""
    return f"slot_moved:{registration_id}:{revision}:{to.tag}"


def offer_changed_key(registration_id: str, version: int, to: Recipient) -> str:
    """The key of the mail that tells a registration of its offer's `version`."""
    return f"offer_changed:{registration_id}:{version}:{to.tag}"


def contact_changed_key(registration_id: str, sequence: int, letter: Letter) -> str:
    """The key of the mail by which the calendar entry, at this SEQUENCE, leaves or reaches a company's contact."""
    return f"contact_changed:{registration_id}:{sequence}:{letter.method}:{letter.to.tag}"


def offer_key(kind: str, offer_id: str, version: int, to: Recipient) -> str:
    """The key of the mail about an offer's transition to `version`."""
    return f"{kind}:{offer_id}:{version}:{to.tag}"


def slot_reminder_key(registration_id: str, revision: int, offset: Offset, to: Recipient) -> str:
    """The key of the reminder `offset` before the slot as `revision` dates it."""
    return f"slot_reminder:{registration_id}:{revision}:{offset}:{to.tag}"


def visit_key(kind: str, visit_id: str, version: int, to: Recipient) -> str:
    """The key of the mail about a visit's transition to `version`."""
    return f"{kind}:{visit_id}:{version}:{to.tag}"


def visit_reminder_key(visit_id: str, revision: int, offset: Offset, to: Recipient) -> str:
    """The key of the reminder `offset` before the visit as its version `revision` dates it."""
    return f"visit_reminder:{visit_id}:{revision}:{offset}:{to.tag}"


def wording_test_key(request_id: str) -> str:
    """The key of a mail by which a coordinator tries words out: one per request."""
    return f"wording_test:{request_id}"


def message_id(key: str, domain: str, generation: int = 1) -> str:
    """The Message-ID, the same for every attempt; a mail sent once more on purpose is another generation."""
    text = key if generation == 1 else f"{key}#{generation}"
    return f"<{hashlib.sha256(text.encode()).hexdigest()[:40]}@{domain}>"


def calendar_uid(about: str, to: Recipient, domain: str) -> str:
    """The UID of a recipient's calendar entry: `registration-17-teacher@domain`, for ever the same."""
    return f"{about}-{to.tag}".replace(":", "-") + f"@{domain}"


def instant(local: datetime, zone: str) -> datetime:
    """The moment (UTC) of a naive wall time in the IANA `zone`."""
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def pause_after(attempts: int, priority: int, jitter: float) -> timedelta:
    """How long to wait after the `attempts`-th failure: doubling from 2 s to a cap, ±25 % by `jitter` in [0, 1]."""
    grown = FIRST_PAUSE * 2 ** min(attempts - 1, 20)
    return min(grown, LONGEST_PAUSE[priority]) * (0.75 + jitter / 2)


def after_deferral(delivery: Delivery, now: datetime, jitter: float) -> Failure:
    """What follows an attempt that failed for now."""
    again_at = now + pause_after(delivery.attempt_count + 1, delivery.priority, jitter)
    if again_at >= delivery.gives_up_at:
        return Failure(None, "gave_up")
    return Failure(again_at, "")


def reason_not_to_send(delivery: Delivery, known: Known | None, now: datetime) -> str:
    """Why a mail must not go out although it is due: `superseded`; empty when it may.

    A reminder, a question, and a mail to a pupil or parent is checked every time. A mail about a transition is sent in
    its turn even when the next transition already waits behind it, so that everybody can follow what happened; more
    than ten minutes late, or after an attempt, it must still be true: what came after it may have been told before.
    """
    if known is None or not must_be_checked(delivery, now):
        return "superseded" if delivery.kind in CHECKED else ""
    answered = delivery.kind in ASKS_ABOUT_A_VERSION and known.version != delivery.based_on
    untrue = known.state not in TRUE_WHILE.get(delivery.kind, (known.state,))
    moved = delivery.kind in NAMES_A_DATE and known.revision != delivery.revision
    return "superseded" if answered or untrue or moved else ""


def must_be_checked(delivery: Delivery, now: datetime) -> bool:
    """Whether a mail is looked at once more before it is sent; every other one goes out whatever is known by now."""
    return is_late(delivery, now) or delivery.kind in CHECKED


def is_late(delivery: Delivery, now: datetime) -> bool:
    """Whether a mail no longer goes out in its turn: it waited, or was in a sender's hands before."""
    return delivery.attempt_count > 0 or delivery.version > 1 or now - delivery.planned_at > LATE


def is_outdated(delivery: Delivery, known: Known | None, now: datetime) -> bool:
    """Whether a mail that is still true shall be written from the present copy: it is late, and that has changed."""
    changed = known is not None and (known.version, known.revision) != (delivery.based_on, delivery.revision)
    return changed and delivery.kind in TRUE_WHILE and is_late(delivery, now)


def with_calendar(
    letters: Sequence[Letter], entries: CalendarEntries, about: str, domain: str
) -> tuple[list[CalendarPart | None], dict[str, CalendarEntry]]:
    """The calendar part of each letter, and the entries afterwards: every part raises its entry's SEQUENCE.

    A CANCEL goes only to whom an entry was sent.
    """
    after = dict(entries)
    parts: list[CalendarPart | None] = []
    for letter in letters:
        entry = after.get(letter.to.tag)
        if letter.method is None or (letter.method == "CANCEL" and not (entry and entry.live)):
            parts.append(None)
            continue
        sequence = entry.sequence + 1 if entry else 0
        after[letter.to.tag] = CalendarEntry(sequence, letter.method == "REQUEST")
        parts.append(CalendarPart(letter.method, calendar_uid(about, letter.to, domain), sequence))
    return parts, after


def without_token(delivery: Delivery) -> dict[str, Any] | None:
    """The facts to keep of a mail that was sent or refused: nobody needs a used link's token."""
    if delivery.kind == "sign_in":
        return None
    return {**delivery.facts, "token": ""} if delivery.facts and delivery.kind in WITH_TOKEN else delivery.facts


def resent(delivery: Delivery, now: datetime, domain: str, request_id: str, even_if_sent: bool) -> Delivery:
    """The delivery, planned again by hand. Raises the rule that speaks against it."""
    if delivery.state in ("planned", "sending"):
        raise AlreadyOnItsWay
    if delivery.state == "cancelled":
        raise NoLongerTrue
    if delivery.state == "sent" and not even_if_sent:
        raise AlreadySent
    if delivery.kind in WITH_TOKEN and (now >= delivery.gives_up_at or not (delivery.facts or {}).get("token")):
        raise TooLateToSend
    if not delivery.to.email or (delivery.facts is None and delivery.kind not in WRITTEN_LATE):
        raise ContentErased
    return _planned_again(delivery, now, domain, request_id)


def _planned_again(delivery: Delivery, now: datetime, domain: str, request_id: str) -> Delivery:
    gives_up_at = delivery.gives_up_at
    if delivery.priority in (TRANSITION, BULK) and delivery.kind not in FOR_PUPILS:  # theirs end with the links in them
        gives_up_at = max(gives_up_at, now + TRANSITION_HORIZON)
    elif now >= gives_up_at:
        raise TooLateToSend
    generation = delivery.generation + (delivery.sent_at is not None)
    alone = replace(delivery, day="", together="")
    again = replace(alone, state="planned", reason="", suppression="", settled_at=None, settled_by="")
    return replace(
        again, due_at=now, gives_up_at=gives_up_at, generation=generation, version=delivery.version + 1,
        message_id=message_id(delivery.key, domain, generation), last_request_id=request_id,
    )  # fmt: skip


def clean(text: str) -> str:
    """`text` as it may stand in a header: one line, no control characters, no surrounding space."""
    return re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+", " ", text).strip()


def masked(delivery: Delivery) -> Delivery:
    """The delivery as the mail log may show it: of a pupil's or parent's address only the first letters."""
    if delivery.to.role not in HIDDEN_ROLES or not delivery.to.email:
        return delivery
    local, _, domain = delivery.to.email.rpartition("@")
    return replace(delivery, to=replace(delivery.to, name="", email=f"{local[:1]}…@{domain[:1]}…"))


@dataclass(frozen=True)
class VisitCopy:
    """What is kept of a visit. `revision` is the version that last set the date."""

    facts: VisitFacts
    revision: int
    calendar: CalendarEntries = field(default_factory=dict)
