"""What webhooks are told, and what becomes of it with programs of every kind: slow, broken, gone, greedy, elsewhere."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from services.notify.usecases import webhooks
from services.notify.usecases.erasure import erase_due
from services.notify.webhooks.caller import BYTES_READ
from services.notify.webhooks.rules import AT_ONCE, JITTER, PAUSES
from shared.broker import TryAgain
from shared.ids import random_id
from shared.schemas import events, outreach
from shared.workers import running
from tests.support.http_receiver import HUGE, Heard, Receiver
from tests.support.notify_builders import NOW, coordinator, registration, said, slot, slot_moved, visit, visit_said
from tests.support.webhooks import KORA, Hooks

ONE = ["registration.waitlisted"]


def verified(secret: str, call: Heard) -> dict[str, object]:
    """The payload, when the signature holds for a library that knows nothing of ours."""
    return Verifier(secret).verify(call.body, call.headers)  # type: ignore[no-any-return]


async def test_a_message_is_told_once_signed_as_an_independent_library_checks_it(hooks: Hooks) -> None:
    issued = await hooks.add()
    message = said(events.RegistrationConfirmed, registration(version=3))
    await hooks.world.hear(message, message)
    await hooks.send_all()
    assert [call.path for call in hooks.receiver.heard] == ["/hooks"]
    assert verified(issued.secret, hooks.receiver.heard[0]) == {
        "type": "registration.confirmed",
        "timestamp": message.occurred_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "data": {
            "registration_id": "reg1", "school_id": registration().school_id, "slot_id": slot().slot_id,
            "offer_id": slot().offer.offer_id, "company_id": slot().offer.company_id,
            "campaign_id": slot().offer.campaign_id, "state": "confirmed", "version": 3,
            "url": "https://perspektive.example/events/api/v1/registrations/reg1",
        },
    }  # fmt: skip
    assert await hooks.states() == ["arrived"]


async def test_only_what_was_chosen_is_told_and_to_everyone_who_chose_it(hooks: Hooks) -> None:
    await hooks.add("A", f"{hooks.receiver.url}/a", ["slot.moved", "visit.confirmed"])
    await hooks.add("B", f"{hooks.receiver.url}/b", ["visit.confirmed"])
    await hooks.world.hear(
        said(events.RegistrationConfirmed, registration()), slot_moved(slot(2)),
        visit_said(outreach.VisitConfirmed, visit()),
    )  # fmt: skip
    await hooks.send_all()
    told = [(call.path, json.loads(call.body)["type"]) for call in hooks.receiver.heard]
    assert sorted(told) == [
        ("/hooks/a", "slot.moved"), ("/hooks/a", "visit.confirmed"), ("/hooks/b", "visit.confirmed"),
    ]  # fmt: skip


async def test_a_mail_that_is_refused_and_one_that_is_held_back_are_told(hooks: Hooks) -> None:
    await hooks.add(types=["delivery.refused", "delivery.suppressed"])
    hooks.world.server.script = ["550 5.1.1 <tessa@schule.example> No such user"]
    await hooks.happens()
    await hooks.world.send_all()
    await hooks.happens()
    await hooks.world.send_all()
    await hooks.send_all()
    told = [json.loads(call.body) for call in hooks.receiver.heard]
    assert sorted(each["type"] for each in told) == ["delivery.refused", "delivery.suppressed"]
    assert all("tessa" not in call.body.decode() for call in hooks.receiver.heard)


async def test_what_is_planned_stands_or_falls_with_the_handling_of_the_message(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hooks.add(types=ONE)

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the store is in a bad mood")

    message = said(events.RegistrationWaitlisted, registration("waitlisted"))
    with monkeypatch.context() as patched:
        patched.setattr(hooks.world.context.store.webhooks, "plan", broken)
        with pytest.raises(TryAgain):
            await hooks.world.hear(message)
        assert (await hooks.rows(), await hooks.world.deliveries()) == ([], [])
    await hooks.world.hear(message)
    assert len(await hooks.rows()) == 1 and len(await hooks.world.deliveries()) == 1


@pytest.mark.parametrize(
    ("step", "status", "trouble"),
    [
        ("500 Sorry", 500, ""), ("404 Not Found", 404, ""), ("drop", None, "cut_off"), ("half", None, "cut_off"),
        ("hold", None, "too_slow"), ("302 Found\nLocation: http://127.0.0.1:1/elsewhere", 302, ""),
    ],
)  # fmt: skip
async def test_what_fails_is_tried_again_with_the_same_id_and_payload(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch, step: str, status: int | None, trouble: str
) -> None:
    issued = await hooks.add(types=ONE)
    monkeypatch.setattr(hooks.caller, "_seconds", 0.5 if step == "hold" else 15)
    hooks.receiver.script = [step]
    await hooks.happens()
    await hooks.send_all()
    row = (await hooks.rows())[0]
    assert row["state"] == "deferred" and "lease" not in row
    assert [(each["status"], each["trouble"]) for each in row["attempts"]] == [(status, trouble)]
    await hooks.later(seconds=PAUSES[0] * (1 + JITTER))
    assert await hooks.states() == ["arrived"]
    first, second = hooks.receiver.heard
    assert (first.id, first.body) == (second.id, second.body) and verified(issued.secret, second)


async def test_attempts_come_further_and_further_apart_and_end_after_about_three_days(hooks: Hooks) -> None:
    issued = await hooks.add(types=ONE)
    hooks.receiver.script = ["503 Busy"] * 20
    await hooks.happens()
    await hooks.send_all()
    for _ in PAUSES:
        row = (await hooks.rows())[0]
        hooks.world.clock.set(row["due_at"] - timedelta(seconds=1))
        await hooks.send_all()
        await hooks.later(seconds=1)
    row = (await hooks.rows())[0]
    moments = [each["at"] for each in row["attempts"]]
    assert (row["state"], len(moments)) == ("failed", len(PAUSES) + 1)
    for (before, after), pause in zip(pairwise(moments), PAUSES, strict=True):
        assert pause <= (after - before).total_seconds() <= pause * (1 + JITTER) + 1
    assert timedelta(days=3) < moments[-1] - moments[0] < timedelta(days=4)
    found = await hooks.webhook(issued.webhook.id)
    assert (found["state"], found["reason"]) == ("paused", "failing")


async def test_one_that_gets_through_now_and_then_is_not_paused(hooks: Hooks) -> None:
    issued = await hooks.add(types=ONE)
    hooks.receiver.script = ["500 No"] * len(PAUSES) + ["200 OK", "500 No"]
    await hooks.happens()
    await hooks.send_all()
    for pause in PAUSES[:-1]:
        await hooks.later(seconds=pause * (1 + JITTER))
    await hooks.happens()
    await hooks.send_all()
    assert (await hooks.webhook(issued.webhook.id))["failing_since"] is None
    await hooks.later(seconds=PAUSES[-1] * (1 + JITTER))
    assert await hooks.states() == ["failed", "arrived"]
    assert (await hooks.webhook(issued.webhook.id))["state"] == "active"


@pytest.mark.parametrize("status", ["429 Slow down", "503 Later"])
async def test_a_program_says_when_it_wants_to_be_called_again(hooks: Hooks, status: str) -> None:
    await hooks.add(types=ONE)
    hooks.receiver.script = [f"{status}\nRetry-After: 3600"]
    await hooks.happens()
    await hooks.send_all()
    await hooks.later(seconds=3599)
    assert len(hooks.receiver.heard) == 1
    await hooks.later(seconds=1)
    assert await hooks.states() == ["arrived"]


async def test_it_cannot_say_never_and_a_date_is_as_good_as_seconds(hooks: Hooks) -> None:
    await hooks.add(types=ONE)
    in_an_hour = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    hooks.receiver.script = ["429 Never\nRetry-After: 999999999", f"429 No\nRetry-After: {in_an_hour}"]
    await hooks.happens(2)
    await hooks.send_all()
    waits = sorted((row["due_at"] - hooks.world.clock.now()).total_seconds() for row in await hooks.rows())
    assert 3500 < waits[0] <= 3600 and waits[1] == 86_400


async def test_every_coordinator_gets_a_mail_about_each_pause_that_nobody_asked_for(hooks: Hooks) -> None:
    world = hooks.world
    await world.hear(coordinator(1), coordinator(2))
    issued = await hooks.add("Schulportal", types=ONE)
    hooks.receiver.script = ["410 Gone"] * 3
    await hooks.happens(2)
    await hooks.send_all()  # two calls in flight, one pause
    assert await _told(hooks) == [(f"webhook_paused:{issued.webhook.id}:2:coordinator:coordinator{n}") for n in (1, 2)]
    await world.send_all()
    assert {"kora1@agentur.example", "kora2@agentur.example"} <= set(world.server.recipients)
    assert world.server.subjects.count("Ein Programm wird nicht mehr benachrichtigt: Schulportal") == 2
    await webhooks.resume_webhook(world.context, KORA, issued.webhook.id, request_id=random_id())
    await hooks.send_all()
    assert len(await _told(hooks)) == 4


async def test_whoever_pauses_by_hand_needs_no_mail_about_it(hooks: Hooks) -> None:
    await hooks.world.hear(coordinator(1))
    issued = await hooks.add(types=ONE)
    await webhooks.pause_webhook(hooks.world.context, KORA, issued.webhook.id, now=NOW, request_id=random_id())
    assert await _told(hooks) == []


async def _told(hooks: Hooks) -> list[str]:
    return [row["_id"] for row in await hooks.world.deliveries(kind="webhook_paused")]


async def test_gone_pauses_the_webhook_and_what_waits_goes_out_when_it_is_resumed(hooks: Hooks) -> None:
    issued = await hooks.add(types=ONE)
    hooks.receiver.script = ["410 Gone"]
    await hooks.happens()
    await hooks.send_all()
    found = await hooks.webhook(issued.webhook.id)
    assert (found["state"], found["reason"], found["version"]) == ("paused", "gone", 2)
    await hooks.happens()
    await hooks.later(days=1)
    assert len(hooks.receiver.heard) == 1
    await webhooks.resume_webhook(hooks.world.context, KORA, issued.webhook.id, request_id=random_id())
    await hooks.send_all()
    assert await hooks.states() == ["arrived", "arrived"]


async def test_no_more_of_an_answer_is_read_than_is_shown_and_the_status_counts(hooks: Hooks) -> None:
    await hooks.add(types=ONE)
    hooks.receiver.script = ["huge"]
    await hooks.happens()
    await hooks.send_all()
    row = (await hooks.rows())[0]
    assert row["state"] == "arrived" and len(row["attempts"][0]["text"]) <= BYTES_READ
    assert hooks.receiver.bytes_sent < HUGE


async def test_a_slow_program_holds_up_neither_others_nor_the_mails(hooks: Hooks) -> None:
    slow = await Receiver(script=["hold"] * 50).start()
    await hooks.add("slow", slow.url, ONE)
    await hooks.add("quick", hooks.receiver.url, ONE)
    await hooks.happens(10)
    async with running({"webhooks": hooks.sender.run}):
        await slow.until_heard(AT_ONCE)
        await hooks.receiver.until_heard(10)
        await hooks.world.send_all()
        assert (len(slow.heard), slow.most_at_once, len(hooks.world.server.mails)) == (AT_ONCE, AT_ONCE, 10)
        slow.release.set()
        await slow.until_heard(10)
    assert slow.most_at_once == AT_ONCE
    await slow.stop()


async def test_a_call_whose_sender_died_is_made_again_with_the_same_id_when_its_lease_ends(hooks: Hooks) -> None:
    await hooks.add(types=ONE)
    await hooks.happens()
    store = hooks.world.context.store.webhooks
    id = (await store.all())[0].id
    lost = await store.claim({id: 1}, frozenset(), hooks.world.clock.now())
    await hooks.send_all()
    assert await store.free_abandoned() == 0 and hooks.receiver.heard == []
    await hooks.world.db.webhook_calls.update_many({}, {"$set": {"lease.until": datetime(2020, 1, 1, tzinfo=UTC)}})
    assert await store.free_abandoned() == 1
    await hooks.send_all()
    assert [call.id for call in hooks.receiver.heard] == [lost[0].id]


async def test_the_log_goes_by_itself_after_a_month(hooks: Hooks) -> None:
    await hooks.add(types=ONE)
    await hooks.happens()
    await hooks.send_all()
    now = hooks.world.clock.now()
    assert (await erase_due(hooks.world.context, now=now + timedelta(days=29)))["webhook_calls"] == 0
    assert (await erase_due(hooks.world.context, now=now + timedelta(days=30)))["webhook_calls"] == 1
    assert await hooks.rows() == []
