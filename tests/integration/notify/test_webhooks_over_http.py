"""Webhooks as programs and coordinators handle them: made, tried, replayed, given a new secret, deleted."""

from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from services.notify.usecases import webhooks
from services.notify.usecases.webhooks import WebhookIn
from services.notify.webhooks.addresses import AddressNotSafe
from services.notify.webhooks.rules import (
    MOST_WEBHOOKS,
    AlreadyPaused,
    CallUnderWay,
    MomentUnclear,
    NameMissing,
    NotPaused,
    TooManyWebhooks,
    TypesMissing,
    WebhookChangedMeanwhile,
    WebhookUnknown,
)
from shared.errors import NotAllowed
from shared.ids import random_id
from tests.integration.notify.test_notify_api_and_pages import Running, service, unique, waitlisted
from tests.integration.notify.test_suppression import OPERATOR, OUTSIDERS
from tests.support.waiting import until
from tests.support.webhooks import KORA, Hooks

__all__ = ["service"]
ONE = ["registration.waitlisted"]


async def api(running: Running, path: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
    headers = {"Idempotency-Key": key or unique()}
    return await running.http.post(f"/notify/api/v1/webhooks{path}", json=body, headers=headers)


async def test_a_program_manages_webhooks_and_sees_a_secret_once(service: Running) -> None:
    body = {"name": "Schulportal", "address": "https://1.1.1.1/hooks", "types": ["slot.moved", *ONE]}
    refused = await api(service, "", {**body, "address": "https://10.0.0.1/"})
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "address"
    paused = {"state": "paused", "reason": "by_hand"}
    made, again = await api(service, "", body, "k1"), await api(service, "", body, "k1")
    hook, secret = made.json()["id"], made.json()["secret"]
    await api(service, f"/{hook}/pause")  # so that no test calls an address outside
    assert (made.status_code, again.json()["secret"]) == (201, secret) and secret.startswith("whsec_")
    assert made.json()["types"] == [*ONE, "slot.moved"]
    kept = [str(row) async for row in service.db.webhooks.find()] + [
        str(r) async for r in service.db.idempotency.find()
    ]
    assert not any(secret in each for each in kept)
    shown = (await service.http.get(f"/notify/api/v1/webhooks/{hook}")).json()
    assert shown.items() >= paused.items() and "secret" not in shown
    assert (await api(service, f"/{hook}/pause")).status_code == 409
    rotated = await api(service, f"/{hook}/rotate-secret")
    assert rotated.json()["secret"] not in (secret, "")
    await service.say(waitlisted(unique()))
    await until(lambda: service.db.webhook_calls.count_documents({"type": ONE[0]}), 60)
    page = (await service.http.get(f"/notify/api/v1/webhooks/{hook}/calls?state=planned")).json()
    assert [each["type"] for each in page["items"]] == ONE and page["next"] is None
    call = page["items"][0]["id"]
    assert (await api(service, f"/{hook}/calls/{call}/replay")).status_code == 409
    assert (await api(service, f"/{hook}/replay", {"since": "2020-01-01T00:00:00Z"})).json() == {"count": 0}
    types = (await service.http.get("/notify/api/v1/webhook-types")).json()["items"]
    assert {"type": "slot.moved", "meaning": "A date was moved"} in types
    assert (await api(service, f"/{hook}/delete")).status_code == 204
    assert (await service.http.get(f"/notify/api/v1/webhooks/{hook}")).status_code == 404


async def test_after_a_new_secret_both_count_and_what_is_replayed_keeps_its_id(hooks: Hooks) -> None:
    issued, context, now = await hooks.add(types=ONE), hooks.world.context, hooks.world.clock.now()
    id = issued.webhook.id
    fresh = await webhooks.rotate_secret(context, KORA, id, now=now, request_id="rotate")
    again = await webhooks.rotate_secret(context, KORA, id, now=now, request_id="rotate")
    assert again.secret == fresh.secret != issued.secret
    await hooks.happens()
    await hooks.send_all()
    call = (await hooks.log(id))[0]
    await webhooks.replay_call(context, KORA, id, call.id, now=now, request_id=random_id())
    with pytest.raises(CallUnderWay):
        await webhooks.replay_call(context, KORA, id, call.id, now=now, request_id=random_id())
    await hooks.send_all()
    assert hooks.receiver.ids == {call.id: 2}
    for heard in hooks.receiver.heard:
        assert len(heard.headers["webhook-signature"].split()) == 2
        for secret in (issued.secret, fresh.secret):
            assert Verifier(secret).verify(heard.body, heard.headers)
    await hooks.later(hours=24)
    await hooks.happens()
    await hooks.send_all()
    assert len(hooks.receiver.heard[-1].headers["webhook-signature"].split()) == 1


async def test_everything_given_up_since_a_moment_is_told_again_and_nothing_else(hooks: Hooks) -> None:
    issued, context = await hooks.add(types=ONE), hooks.world.context
    await hooks.happens(4)
    rows = await hooks.rows()
    early = {"state": "failed", "planned_at": datetime(2026, 1, 1, tzinfo=UTC)}
    await hooks.world.db.webhook_calls.update_one({"_id": rows[0]["_id"]}, {"$set": early, "$unset": {"waiting": ""}})
    failed = {"$set": {"state": "failed"}, "$unset": {"waiting": ""}}
    await hooks.world.db.webhook_calls.update_many({"_id": {"$in": [row["_id"] for row in rows[1:3]]}}, failed)
    await hooks.send_all()
    now, since = hooks.world.clock.now(), rows[1]["planned_at"]
    for request in ("one", "two"):
        count = await webhooks.replay_failed(context, KORA, issued.webhook.id, since, now=now, request_id=request)
        assert count == (2 if request == "one" else 0)
    await hooks.send_all()
    assert hooks.receiver.ids == {row["_id"]: 1 for row in rows[1:]}
    with pytest.raises(MomentUnclear):
        await webhooks.replay_failed(context, KORA, issued.webhook.id, None, now=now, request_id="three")


async def test_a_test_is_one_attempt_also_of_a_paused_webhook_and_changes_nothing_of_it(hooks: Hooks) -> None:
    issued, context, now = await hooks.add(types=ONE), hooks.world.context, hooks.world.clock.now()
    id = issued.webhook.id
    await webhooks.pause_webhook(context, KORA, id, now=now, request_id="pause")
    before = await hooks.webhook(id)
    hooks.receiver.script = ["410 Gone"]
    await hooks.happens()
    for _ in range(2):
        await webhooks.send_test(context, KORA, id, now=now, request_id="test")
    await hooks.send_all()
    assert sorted(await hooks.states()) == ["failed", "planned"] and await hooks.webhook(id) == before
    assert Verifier(issued.secret).verify(hooks.receiver.heard[0].body, hooks.receiver.heard[0].headers)


async def test_without_the_key_that_a_secret_was_made_with_nothing_is_sent(hooks: Hooks) -> None:
    issued = await hooks.add(types=ONE)
    await hooks.world.db.webhooks.update_one({"_id": issued.webhook.id}, {"$set": {"seeds.0.fingerprint": "another"}})
    await hooks.happens()
    await hooks.send_all()
    assert hooks.receiver.heard == [] and (await hooks.rows())[0]["attempts"][0]["trouble"] == "secret_lost"


async def test_only_coordinators_and_what_cannot_be_is_refused(hooks: Hooks) -> None:
    issued, context, now = await hooks.add(), hooks.world.context, hooks.world.clock.now()
    for other in (OPERATOR, *OUTSIDERS):
        with pytest.raises(NotAllowed):
            await webhooks.show_webhook(context, other, issued.webhook.id)
        with pytest.raises(NotAllowed):
            await webhooks.add_webhook(context, hooks.guard, other, WebhookIn(), now=now, request_id="x")
    url = hooks.receiver.url
    for command, error in (
        (WebhookIn(address=url, types=ONE), NameMissing), (WebhookIn(name="A", address=url), TypesMissing),
        (WebhookIn(name="A", address=url, types=["person.born"]), TypesMissing),
        (WebhookIn(name="A", address="http://program.example/", types=ONE), AddressNotSafe),
    ):  # fmt: skip
        with pytest.raises(error):
            await webhooks.add_webhook(context, hooks.guard, KORA, command, now=now, request_id=random_id())
    with pytest.raises(NotPaused):
        await webhooks.resume_webhook(context, KORA, issued.webhook.id, request_id="resume")
    paused = await webhooks.pause_webhook(context, KORA, issued.webhook.id, now=now, request_id="pause")
    assert await webhooks.pause_webhook(context, KORA, issued.webhook.id, now=now, request_id="pause") == paused
    with pytest.raises(AlreadyPaused):
        await webhooks.pause_webhook(context, KORA, issued.webhook.id, now=now, request_id="other")
    for number in range(MOST_WEBHOOKS - 1):
        await hooks.add(f"Programm {number}")
    with pytest.raises(TooManyWebhooks):
        await hooks.add("one more")
    await webhooks.delete_webhook(context, KORA, issued.webhook.id)
    with pytest.raises(WebhookUnknown):
        await webhooks.show_webhook(context, KORA, issued.webhook.id)
    with pytest.raises(WebhookChangedMeanwhile):
        await webhooks._put(context, paused)
