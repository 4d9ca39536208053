"""What happened to a registration, in the order in which it happened; without any personal data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.events.domain.facts import Registration, Side, Slot
from shared.schemas.base import Message
from shared.schemas.events import RegistrationMessage

WHAT = {
    "requested": "RegistrationRequested", "waitlisted": "RegistrationWaitlisted", "offered": "PlacesOffered",
    "confirmed": "RegistrationConfirmed", "declined": "RegistrationDeclined", "expired": "OfferedPlacesExpired",
    "cancelled": "RegistrationCancelled", "attended": "RegistrationAttended", "no_show": "RegistrationMissed",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One step: `what` is the name of the message that said it, or `SlotMoved` with the wall time before."""

    at: datetime
    what: str
    pupils: int = 0
    previous_pupils: int | None = None
    by: Side | None = None
    moved_from: datetime | None = None
    cause: str = ""


def steps_in(messages: Sequence[Message]) -> dict[str, list[Happened]]:
    """The steps that `messages` tell, by registration."""
    found: dict[str, list[Happened]] = {}
    for message in messages:
        if isinstance(message, RegistrationMessage):
            found.setdefault(message.registration.registration_id, []).append(_step(message))
    return found


def history(registration: Registration, kept: Sequence[Happened], slot: Slot) -> list[Happened]:
    """All steps, the first one first: those kept, and the slot's moves since then. Of a registration from before
    anything was kept, its beginning and its state are known."""
    moves = [Happened(at=m.at, what="SlotMoved", moved_from=m.starts_local) for m in slot.moves]
    known = kept or _known_of(registration)
    return sorted([*known, *(m for m in moves if m.at >= registration.created_at)], key=lambda step: step.at)


def _step(message: RegistrationMessage) -> Happened:
    facts = message.registration
    came = facts.pupils_attended
    return Happened(
        at=message.occurred_at, what=type(message).__name__, pupils=facts.group.pupils if came is None else came,
        previous_pupils=facts.previous_pupils, by=facts.cancelled_by, cause=facts.cause,
    )  # fmt: skip


def _known_of(registration: Registration) -> list[Happened]:
    pupils = registration.group.pupils
    begun = Happened(at=registration.created_at, what="Registered", pupils=pupils)
    came = registration.pupils_attended
    now = Happened(
        at=registration.changed_at, what=WHAT[registration.state], pupils=pupils if came is None else came,
        by=registration.cancelled_by, cause=registration.cause,
    )  # fmt: skip
    return [now] if registration.version == 1 else [begun, now]
