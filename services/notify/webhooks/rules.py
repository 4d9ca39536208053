"""Webhooks: which programs are told of what, when a call is tried again, and when it is of no use. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from services.notify.domain import Recipient
from shared.errors import Conflict, Invalid, NotFound

TEST = "webhook.test"
TYPES = {
    "registration.requested": "A class asks for places",
    "registration.confirmed": "A class has its places for certain",
    "registration.declined": "The company cannot take the class",
    "registration.waitlisted": "A class stands on the waiting list",
    "registration.offered": "Places came free and are held for a class",
    "registration.expired": "Nobody took the offered places in time",
    "registration.resized": "A class became larger or smaller",
    "registration.cancelled": "A registration was called off",
    "registration.confirmation_asked": "A class was asked to confirm again",
    "registration.confirmed_again": "A class confirmed again that it comes",
    "registration.attended": "A class came",
    "registration.missed": "A class did not come",
    "slot.opened": "A date can be booked",
    "slot.moved": "A date was moved",
    "slot.resized": "A date has more or fewer places",
    "slot.cancelled": "A date was called off",
    "visit.requested": "A school asks for a visit",
    "visit.proposed": "Ambassadors are asked for a visit",
    "visit.declined": "Ambassadors cannot come to a visit",
    "visit.withdrawn": "A proposed visit was withdrawn",
    "visit.expired": "Not everybody answered a proposed visit in time",
    "visit.confirmed": "A visit is certain",
    "visit.moved": "A visit has another date",
    "visit.member_left": "One of a team does not come, the others do",
    "visit.cancelled": "A visit was called off",
    "visit.completed": "A visit took place",
    "delivery.refused": "A mail did not arrive",
    "delivery.suppressed": "A mail was held back, because its address is suppressed",
}
MOST_WEBHOOKS = 20
AT_ONCE = 2  # calls of one webhook in flight per process; together with the above it bounds all of them
OVERLAP = timedelta(hours=24)
CALLS_KEPT = timedelta(days=30)
FAILING_FOR = timedelta(days=3)
LONGEST_WAIT = timedelta(hours=24)
JITTER = 0.2
# Seconds between attempts, as Standard Webhooks recommends: ten attempts within about three days.
PAUSES = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
GONE = 410
HONOURED = (429, 503)  # with these Retry-After is heeded

State = Literal["active", "paused"]
CallState = Literal["planned", "sending", "deferred", "arrived", "failed"]
STATES: tuple[CallState, ...] = ("planned", "sending", "deferred", "arrived", "failed")
# Why an attempt brought no answer: no such name, an address that is not called, no connection, TLS, too slow, cut off.
Trouble = Literal["", "name_unknown", "not_public", "no_connection", "not_safe", "too_slow", "cut_off", "secret_lost"]


class WebhookUnknown(NotFound):
    """There is no webhook here (any more)."""


class CallUnknown(NotFound):
    """There is no such call here (any more)."""


class WebhookChangedMeanwhile(Conflict):
    """Somebody has changed this webhook meanwhile. Please look at it again."""


class TooManyWebhooks(Conflict):
    """There are {most} webhooks already. Delete one that is no longer needed."""


class AlreadyPaused(Conflict):
    """This webhook is paused already."""


class NotPaused(Conflict):
    """This webhook is not paused."""


class CallUnderWay(Conflict):
    """This call is about to be made already."""


class NameMissing(Invalid):
    """Say which program this is for."""

    field = "name"


class TypesMissing(Invalid):
    """Choose at least one message."""

    field = "types"


class MomentUnclear(Invalid):
    """This must be a date and time that is past, for example 2026-12-01T09:00."""

    field = "since"


@dataclass(frozen=True)
class Seed:
    """What a secret follows from, with SECRET_KEY; the secret itself is nowhere. `until`: signed with until then."""

    value: str
    fingerprint: str
    until: datetime | None = None


@dataclass(frozen=True)
class Webhook:
    """A program's address, and what it is told. `failing_since`: nothing has arrived since then."""

    id: str
    name: str
    address: str
    types: tuple[str, ...]
    seeds: tuple[Seed, ...]
    created_at: datetime
    state: State = "active"
    reason: Literal["", "by_hand", "gone", "failing"] = ""
    paused_at: datetime | None = None
    failing_since: datetime | None = None
    version: int = 1
    last_request_id: str = ""

    def changed(self, request_id: str, **changes: Any) -> "Webhook":
        """The next version."""
        return replace(self, version=self.version + 1, last_request_id=request_id, **changes)

    def paused(self, request_id: str, now: datetime) -> "Webhook":
        """Called no more until somebody resumes it; what happens meanwhile waits. AlreadyPaused."""
        if self.state == "paused":
            raise AlreadyPaused
        return self.changed(request_id, state="paused", reason="by_hand", paused_at=now)

    def resumed(self, request_id: str) -> "Webhook":
        """Called again, also with what has waited. NotPaused."""
        if self.state == "active":
            raise NotPaused
        return self.changed(request_id, state="active", reason="", paused_at=None, failing_since=None)

    def with_new_secret(self, seed: Seed, request_id: str, now: datetime) -> "Webhook":
        """Signed with both for a day, so that the program can change over when it suits."""
        before = replace(self.seeds[0], until=now + OVERLAP)
        others = [each for each in self.seeds[1:2] if each.until and each.until > now]
        return self.changed(request_id, seeds=(seed, before, *others))

    def seeds_at(self, now: datetime) -> list[Seed]:
        """Those to sign with, the newest first."""
        return [each for each in self.seeds if each.until is None or each.until > now]


@dataclass(frozen=True)
class Answer:
    """What came of one attempt: a status with the first bytes of the answer, or the trouble. Retry-After in seconds."""

    status: int | None = None
    text: str = ""
    trouble: Trouble = ""
    retry_after: float = 0
    took_ms: int = 0

    @property
    def arrived(self) -> bool:
        """Whether the program took it."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Attempt:
    """One attempt, as the log keeps it."""

    at: datetime
    status: int | None
    text: str
    trouble: Trouble
    took_ms: int


@dataclass(frozen=True)
class Call:
    """One message for one webhook. `id` is the webhook-id that every repeat carries; `payload` the bytes as they are
    signed; `tries` the attempts since it was planned or replayed."""

    id: str
    webhook_id: str
    type: str
    payload: str
    about: str
    planned_at: datetime
    due_at: datetime
    erase_after: datetime
    state: CallState = "planned"
    cause: str = ""
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()
    attempt_count: int = 0
    ended_at: datetime | None = None
    version: int = 1
    lease_token: str = ""


def after_attempt(call: Call, answer: Answer, now: datetime, luck: float) -> tuple[CallState, datetime | None]:
    """The state after an attempt, and when the next one is due. `luck` (0 to 1) spreads them, so that a program that
    comes back is not called by everything at once. A test is tried once. 410 waits for whoever resumes the webhook."""
    if answer.arrived:
        return "arrived", None
    if answer.status == GONE and call.type != TEST:
        return "deferred", now
    if call.type == TEST or call.tries >= len(PAUSES):
        return "failed", None
    pause = timedelta(seconds=PAUSES[call.tries] * (1 + JITTER * luck))
    asked = timedelta(seconds=answer.retry_after) if answer.status in HONOURED else timedelta()
    return "deferred", now + max(pause, min(asked, LONGEST_WAIT))


def troubles_after(webhook: Webhook, call: Call, answer: Answer, state: CallState, now: datetime) -> Mapping[str, Any]:
    """What an attempt changes of the webhook: it is paused when its address is gone, or when a call is given up and
    nothing has arrived for days."""
    if call.type == TEST:
        return {}
    if answer.arrived:
        return {"failing_since": None} if webhook.failing_since else {}
    since = webhook.failing_since or now
    changes: dict[str, Any] = {} if webhook.failing_since else {"failing_since": now}
    if answer.status == GONE:
        return {**changes, "state": "paused", "reason": "gone", "paused_at": now}
    if state == "failed" and now - since >= FAILING_FOR:
        return {**changes, "state": "paused", "reason": "failing", "paused_at": now}
    return changes


def paused_key(webhook_id: str, version: int, to: Recipient) -> str:
    """The key of the mail about the pause that made a webhook's `version`."""
    return f"webhook_paused:{webhook_id}:{version}:{to.tag}"
