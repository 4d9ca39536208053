"""Several reminders as one mail. Pure: no await, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from services.notify.domain import Delivery
from services.notify.urgency import REMINDERS

KIND = "reminder_digest"


@dataclass(frozen=True)
class Digest(Delivery):
    """A mail in the sender's hands that says what all of `parts` have to say. It is not stored: what becomes of it is
    written to each part."""

    parts: tuple[Delivery, ...] = ()


def one_mail(parts: Sequence[Delivery]) -> Delivery:
    """What to hand over for one or several reminders with their facts, the next date first."""
    if len(parts) == 1:
        return parts[0]
    ordered = sorted(parts, key=lambda part: part.gives_up_at)
    values = {each.name: getattr(ordered[0], each.name) for each in fields(Delivery)}
    facts = {"reminders": [part.facts for part in ordered]}
    latest = ordered[-1].gives_up_at  # those whose own date is over are taken out before each attempt
    return Digest(**{**values, "kind": KIND, "facts": facts, "gives_up_at": latest}, parts=tuple(ordered))


def is_reminder(delivery: Delivery) -> bool:
    """Whether this mail reminds, of one date or of several."""
    return delivery.kind in REMINDERS or delivery.kind == KIND


def parts_of(delivery: Delivery) -> tuple[Delivery, ...]:
    """The deliveries that a mail stands for: itself, or the parts of a digest."""
    return delivery.parts if isinstance(delivery, Digest) else (delivery,)
