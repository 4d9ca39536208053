"""Mails in every state, and suppressed addresses."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from services.notify.domain import Attempt, Delivery, Recipient, message_id
from services.notify.samples import sample_deliveries
from services.notify.store.core import Store
from services.notify.usecases.tokens import Tokens
from shared import mongo
from tests.support.estate import NOBODY, Estate
from tests.support.estate_traces import send
from tests.support.front_door import NOW, SECRET
from tests.support.states.common import database_of

UNKNOWN = Attempt(NOW, "refused", "550 5.1.1 No such user here")
LATER = Attempt(NOW, "deferred", "451 4.7.1 Greylisted, please try again later")
DOMAIN = "perspektive.example"
TAKEN = Attempt(NOW, "sent", "250 2.0.0 Ok: queued as 4Rk")


async def mails_in_every_state(estate: Estate) -> dict[str, str]:
    """Keys of mails and ids of suppressions by their states."""
    found = {"suppression": await _suppressed(estate, "weg@schule.example")}
    found["suppression_lifted"] = await _suppressed(estate, "wieder@schule.example")
    await send(estate, "coordinator", f"/notify/suppressions/{found['suppression_lifted']}/lift", {})
    made = dict(_deliveries(found["suppression"]))

    async with database_of(estate, "notify") as db:
        store = Store(db, retention_days=90, secret_key=SECRET)

        async def work(session: AsyncClientSession) -> None:
            await store.deliveries.add(list(made.values()), session)

        await mongo.transaction(db, work)
    return found | {name: delivery.key for name, delivery in made.items()} | await _unsubscribing(estate)


async def _unsubscribing(estate: Estate) -> dict[str, str]:
    """The tokens in the headers of reminders: to a teacher, to one who wants no more of them, and to a pupil."""
    sent = {
        "unsubscribe": _reminder("slot_reminder", "erinnert@schule.example"),
        "unsubscribe_stopped": _reminder("slot_reminder", "genug@schule.example"),
        "unsubscribe_pupil": _reminder("pupil_reminder", "lena@post.example"),
    }
    async with database_of(estate, "notify") as db:
        store = Store(db, retention_days=90, secret_key=SECRET)

        async def work(session: AsyncClientSession) -> None:
            await store.deliveries.add(list(sent.values()), session)

        await mongo.transaction(db, work)
    links = {name: Tokens(SECRET, estate.door.url).unsubscribe_link(each.message_id) for name, each in sent.items()}
    tokens = {name: link.rpartition("/")[2] for name, link in links.items()}
    path = f"/notify/unsubscribe/{tokens['unsubscribe_stopped']}"
    await send(estate, NOBODY, path, {"reminders": "stop"})
    return tokens


def _reminder(kind: str, email: str) -> Delivery:
    plain, key = _sample(kind), f"reminder:{email}"
    to, id = replace(plain.to, email=email), message_id(key, DOMAIN)
    return replace(plain, key=key, to=to, state="sent", sent_at=NOW, message_id=id)


async def _suppressed(estate: Estate, email: str) -> str:
    form = {"email": email, "note": "Die Schule hat angerufen."}
    return (await send(estate, "coordinator", "/notify/suppressions", form)).headers["location"].rsplit("/", 1)[-1]


def _deliveries(suppression: str) -> Iterator[tuple[str, Delivery]]:
    """One of each state. What still waits is due in days, so that it waits as long as anybody looks."""
    plain = _sample("registration_confirmed")
    later, gone = NOW + timedelta(days=3), {"facts": None, "subject": ""}
    nobody = Recipient("teacher", "", "", "de")
    states: dict[str, dict[str, Any]] = {
        "mail_planned": {"due_at": later},
        "mail_sending": {"state": "sending"},
        "mail_sent": {"state": "sent", "sent_at": NOW, "attempts": (LATER, TAKEN), "attempt_count": 25},
        "mail_deferred": {"state": "deferred", "due_at": later, "attempts": (LATER,) * 3, "attempt_count": 3},
        "mail_refused": {"state": "refused", "reason": "refused", "attempts": (UNKNOWN,), "attempt_count": 1},
        "mail_gave_up": {"state": "refused", "reason": "gave_up", "attempts": (LATER,), "attempt_count": 9},
        "mail_settled": {
            "state": "refused", "reason": "refused", "attempts": (UNKNOWN,), "attempt_count": 1, "settled_at": NOW,
            "settled_by": "Kim Koordination",
        },
        "mail_suppressed": {"state": "suppressed", "reason": "suppressed", "suppression": suppression},
        "mail_cancelled": {"state": "cancelled", "reason": "superseded"},
        "mail_erased": {"state": "sent", "sent_at": NOW, "attempts": (), "to": nobody, **gone},
    }  # fmt: skip
    for name, changes in states.items():
        yield name, replace(plain, **{"key": f"{name}:1:1:teacher", "subject": "Bestätigt: 9a", **changes})
    for kind in ("sign_in", "pupil_reminder", "parent_question"):
        changes = {"key": f"mail_{kind}:1", "subject": "Erinnerung", "state": "sent", "sent_at": NOW}
        yield f"mail_{kind}", replace(_sample(kind), **changes)


def _sample(kind: str) -> Delivery:
    starts = datetime(2026, 12, 1, 9, 0)
    return next(each for each in sample_deliveries("de", starts, NOW) if each.kind == kind)
