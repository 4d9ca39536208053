"""Addresses that are not written to any more: why, since when, and who lifted it. Pure."""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from services.notify import domain
from services.notify.domain import Delivery, Known, Recipient
from shared.errors import Conflict, Invalid, NotFound

SUPPRESSED_FOR = timedelta(days=365)
LIFTED_KEPT = timedelta(days=90)
HASH_DIGITS = 40  # hex, 160 bits; the SHA-256 of earlier versions has 64
TRIED_AGAIN_AFTER = timedelta(days=1)
ASKED_FOR = ("sign_in", "pupil_confirmation")  # mails that somebody at this address has just asked for


class SuppressionUnknown(NotFound):
    """There is no suppressed address here (any more)."""


class AlreadyLifted(Conflict):
    """This suppression has been lifted already."""


class AlreadySuppressed(Conflict):
    """This address is suppressed already."""

    field = "email"


class AddressIsSuppressed(Conflict):
    """This address is suppressed, so nothing is sent to it. Lift the suppression first, or give another address."""


class NotAnAddress(Invalid):
    """This is not a mail address. It looks like name@school.example."""

    field = "email"


class NoteMissing(Invalid):
    """Say in a few words why."""

    field = "note"


@dataclass(frozen=True)
class Suppression:
    """One address, known by its hash; `masked` is what a person may read of it. Who and when are kept for the record
    until `erase_after`."""

    id: str
    masked: str
    reason: Literal["refused", "bounced", "complained", "by_hand"]
    since: datetime
    erase_after: datetime
    answer: str = ""
    note: str = ""
    by: str = ""
    delivery: str = ""
    active: bool = True
    lifted_at: datetime | None = None
    lifted_by: str = ""
    last_request_id: str = ""


def address_hash(email: str, secret_key: str) -> str:
    """By what an address is found without being kept: nobody can try out addresses without the secret key."""
    return keyed_hash(hashlib.sha256(f"address:{email.strip().lower()}".encode()).hexdigest(), secret_key)


def keyed_hash(plain: str, secret_key: str) -> str:
    """The same, from the SHA-256 by which earlier versions found an address."""
    return hmac.new(secret_key.encode(), f"address:{plain}".encode(), hashlib.sha256).hexdigest()[:HASH_DIGITS]


def masked(email: str) -> str:
    """What may be read of an address where it need not be known: `te…@schule.example`."""
    local, at, host = email.strip().lower().rpartition("@")
    return f"{local[:2] if len(local) > 3 else local[:1]}…{at}{host}" if at else ""


def after_refusal(delivery: Delivery, id: str, answer: str, now: datetime) -> Suppression:
    """The server said that this address, with the hash `id`, takes no mail."""
    email = delivery.to.email
    return Suppression(id, masked(email), "refused", now, now + SUPPRESSED_FOR, answer, delivery=delivery.key)


def after_bounce(
    delivery: Delivery, id: str, reason: Literal["bounced", "complained"], answer: str, now: datetime
) -> Suppression:
    """A notification said that this address takes no mail, or that its owner wants none."""
    return replace(after_refusal(delivery, id, answer, now), reason=reason)


def by_hand(email: str, id: str, note: str, name: str, now: datetime, request_id: str) -> Suppression:
    """Somebody asks that this address be left alone."""
    return Suppression(
        id, masked(email), "by_hand", now, now + SUPPRESSED_FOR, note=note, by=name,
        last_request_id=request_id,
    )  # fmt: skip


def lifted(before: Suppression, name: str, now: datetime, request_id: str) -> Suppression:
    """The address may be written to again. AlreadyLifted."""
    if not before.active:
        raise AlreadyLifted
    return replace(
        before, active=False, lifted_at=now, lifted_by=name, erase_after=now + LIFTED_KEPT, last_request_id=request_id
    )


def is_lifted_by(kind: str, suppression: Suppression, now: datetime) -> bool:
    """Whether a mail that somebody asks for is a new trial of an address that did not work: once a day at most, and
    never when its owner or a colleague wanted the suppression."""
    failed = suppression.reason in ("refused", "bounced")
    return failed and kind in ASKED_FOR and now - suppression.since >= TRIED_AGAIN_AFTER


def still_useful(delivery: Delivery, known: Known | None, now: datetime) -> bool:
    """Whether a mail that was held back is worth sending now: true, and before what it is about begins."""
    starts = starts_at(delivery.facts or {})
    if starts is not None and now >= starts:
        return False
    if domain.reason_not_to_send(replace(delivery, planned_at=datetime.min.replace(tzinfo=now.tzinfo)), known, now):
        return False
    return delivery.kind not in domain.WITH_TOKEN and bool(delivery.to.email)


def starts_at(facts: dict[str, Any]) -> datetime | None:
    """When what a mail is about begins; None when that is not known."""
    date_ = (facts.get("registration") or {}).get("slot") or (facts.get("visit") or {}).get("chosen")
    return domain.instant(datetime.fromisoformat(date_["starts_local"]), date_["zone"]) if date_ else None


def address_suppressed_key(day: date, to: Recipient) -> str:
    """The key of the mail that tells of addresses that refuse mails: one a day."""
    return f"address_suppressed:{day.isoformat()}:{to.tag}"
