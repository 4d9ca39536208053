"""Webhooks as coordinators find them: called, paused by somebody or by failures, and their logs."""

from dataclasses import replace
from datetime import timedelta

from services.notify.store.core import Store
from services.notify.webhooks.payload import test_call as call_of_a_test
from services.notify.webhooks.rules import Attempt, Call, CallState, Seed, Webhook
from tests.support.estate import Estate
from tests.support.front_door import NOW, SECRET
from tests.support.states.common import database_of

LATER = NOW + timedelta(days=3)
NO_ANSWER = Attempt(NOW, None, "", "no_connection", 2)
BROKEN = Attempt(NOW, 500, "Internal Server Error", "", 120)
TAKEN = Attempt(NOW, 204, "", "", 35)
ATTEMPTS: dict[CallState, tuple[Attempt, ...]] = {
    "planned": (), "sending": (), "deferred": (BROKEN,), "arrived": (NO_ANSWER, TAKEN), "failed": (NO_ANSWER, BROKEN),
}  # fmt: skip


async def webhooks_in_every_state(estate: Estate) -> dict[str, str]:
    """Ids of webhooks and calls by state. Nobody calls them: what waits is held by nobody's lease."""
    async with database_of(estate, "notify") as db:
        store = Store(db, retention_days=90, secret_key=SECRET).webhooks
        found: dict[str, str] = {}
        for name, webhook in _webhooks().items():
            await store.put(webhook)
            found[f"webhook_{name}"] = webhook.id
        for name, call in _calls(found["webhook_active"], found["webhook_failing"]).items():
            await store.plan([call])
            found[f"call_{name}"] = call.id
        await db.webhook_calls.update_many({"_id": {"$in": list(found.values())}}, {"$unset": {"waiting": ""}})
    return found


def _webhooks() -> dict[str, Webhook]:
    old = Seed("old", "0f", NOW + timedelta(hours=20))
    active = Webhook(
        "hook-active", "Bildungsportal des Kreises", "https://portal.example/hooks",
        ("visit.member_left", "slot.cancelled"), (Seed("new", "f0"), old), NOW,
    )  # fmt: skip
    paused = replace(active, state="paused", paused_at=NOW, seeds=(Seed("s", "f"),))
    return {
        "active": active,
        "by_hand": replace(paused, id="hook-by-hand", name="Lager", reason="by_hand"),
        "failing": replace(paused, id="hook-failing", name="Statistik", reason="failing", failing_since=NOW),
        "gone": replace(paused, id="hook-gone", name="Altes Portal", reason="gone"),
    }


def _calls(active: str, failing: str) -> dict[str, Call]:
    made = {str(state): _call(active, str(state), state) for state in ATTEMPTS}
    again = replace(_call(active, "again", "planned"), attempts=ATTEMPTS["failed"], attempt_count=2)
    lost = {f"lost{n}": _call(failing, f"lost{n}", "failed") for n in range(2)}
    return {**made, "again": again, "waits": _call(failing, "waits", "planned"), **lost}


def _call(webhook_id: str, name: str, state: CallState) -> Call:
    webhook = replace(_webhooks()["active"], id=webhook_id)
    attempts = ATTEMPTS[state]
    over = NOW if state in ("arrived", "failed") else None
    return replace(
        call_of_a_test(webhook, NOW, name), type="visit.member_left", state=state, due_at=LATER, attempts=attempts,
        attempt_count=len(attempts), tries=len(attempts), ended_at=over,
    )  # fmt: skip
