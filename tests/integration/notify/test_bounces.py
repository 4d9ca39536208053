"""What comes back after the relay took a mail: matched to its delivery, shown, and acted upon; nothing else is."""

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from services.notify.bounces import read_bounce
from services.notify.suppression import address_hash
from services.notify.usecases.bouncing import hear_bounce
from shared.schemas import events
from tests.support.bounced_mails import complaint, holiday, in_words, notification
from tests.support.notify_builders import coordinator, registration, said, sign_in_requested
from tests.support.notify_world import SECRET, World

KEY = "registration_waitlisted:reg1:1:teacher"
TESSA = address_hash("tessa@schule.example", SECRET)
NOBODYS = "<0000000000000000000000000000000000000000@perspektive.example>"


def waitlisted(id: str = "reg1") -> Any:
    return said(events.RegistrationWaitlisted, registration("waitlisted", id=id))


async def sent(world: World) -> str:
    """Tessa's mail is taken by the relay; its Message-ID."""
    await world.hear(waitlisted())
    await world.send_all()
    row = await world.delivery(KEY)
    assert row["state"] == "sent"
    return row["message_id"]


async def hear(world: World, mail: bytes) -> str:
    return await hear_bounce(world.context, mail, now=world.clock.now())


async def suppressions(world: World) -> list[tuple[str, str]]:
    rows = await world.db.suppressions.find({"active": True}).to_list(None)
    return [(row["_id"], row["reason"]) for row in rows]


async def test_a_mail_that_came_back_for_good_is_shown_suppresses_and_is_told(world: World) -> None:
    await world.hear(coordinator(1))
    message_id = await sent(world)
    world.clock.forward(timedelta(minutes=3))
    assert await hear(world, notification(message_id, "smtp; 550 <tessa@schule.example>: unknown")) == "noted"
    row = await world.delivery(KEY)
    assert (row["state"], row["reason"], row["suppression"]) == ("refused", "refused", TESSA)
    last = row["attempts"][-1]
    assert (last["outcome"], last["answer"], last["at"]) == (
        "bounced", "550 5.1.1 <<address>>: unknown", world.clock.now(),
    )  # fmt: skip
    assert await suppressions(world) == [(TESSA, "bounced")]
    assert [entry["wire"]["data"]["delivery_id"] async for entry in world.db.outbox.find()] == [KEY]
    await world.send_all()
    assert world.server.subjects[-1].startswith("Eine Adresse nimmt keine Mails an")
    await world.hear(waitlisted("reg2"))
    await world.send_all()
    assert (await world.deliveries(about="registration:reg2"))[0]["state"] == "suppressed"


@pytest.mark.parametrize("given", ["envelope id", "Message-ID", "words"])
async def test_a_bounce_is_matched_by_what_it_names(world: World, given: str) -> None:
    message_id = await sent(world)
    envelope_id = message_id.strip("<>").partition("@")[0]
    by = {
        "envelope id": notification("", envelope_id=envelope_id), "Message-ID": notification(message_id),
        "words": in_words(message_id),
    }  # fmt: skip
    assert await hear(world, by[given]) == "noted"
    assert await suppressions(world) == [(TESSA, "bounced")]


@pytest.mark.parametrize(
    "forged",
    [
        notification(NOBODYS), notification(""), notification("<x@elsewhere.example>", envelope_id="tessa"),
        complaint(NOBODYS), in_words(NOBODYS),
    ],
)  # fmt: skip
async def test_what_names_no_mail_of_ours_changes_nothing(world: World, forged: bytes) -> None:
    await sent(world)
    assert await hear(world, forged) == "not_ours"
    assert await suppressions(world) == [] and (await world.delivery(KEY))["state"] == "sent"


async def test_a_text_about_another_address_changes_nothing(world: World) -> None:
    message_id = await sent(world)
    assert await hear(world, in_words(message_id, "somebody@else.example")) == "not_ours"
    assert await suppressions(world) == []


async def test_the_same_notification_is_noted_once(world: World) -> None:
    message_id = await sent(world)
    assert [await hear(world, notification(message_id)) for _ in range(3)] == ["noted", "known", "known"]
    row = await world.delivery(KEY)
    assert [attempt["outcome"] for attempt in row["attempts"]] == ["sent", "bounced"]
    assert await world.db.outbox.count_documents({}) == 1


@pytest.mark.parametrize(
    "mail",
    [
        ("smtp; 552 5.2.2 Mailbox full", "5.2.2"),
        ("smtp; 554 5.7.1 Spam", "5.7.1"),
        ("smtp; 550 5.7.26 DMARC", "5.0.0"),
    ],
)
async def test_what_is_not_the_address_s_fault_is_shown_and_suppresses_nothing(
    world: World, mail: tuple[str, str]
) -> None:
    message_id = await sent(world)
    assert await hear(world, notification(message_id, *mail)) == "noted"
    assert (await world.delivery(KEY))["state"] == "refused"
    assert await suppressions(world) == []


async def test_a_delay_is_recorded_and_nothing_else(world: World) -> None:
    message_id = await sent(world)
    waiting = notification(message_id, "smtp; 451 4.4.1 no answer from host", "4.4.1", "delayed")
    assert await hear(world, waiting) == "noted"
    row = await world.delivery(KEY)
    assert (row["state"], row["attempts"][-1]["outcome"]) == ("sent", "delayed")
    assert await suppressions(world) == [] and await world.db.outbox.count_documents({}) == 0


async def test_somebody_s_holiday_is_no_bounce(world: World) -> None:
    message_id = await sent(world)
    assert await hear(world, holiday(message_id)) == "no_bounce"
    assert await hear(world, b"\xff\x00 not a mail at all") == "no_bounce"
    assert len((await world.delivery(KEY))["attempts"]) == 1


async def test_a_complaint_suppresses_and_that_it_was_no_spam_does_not(world: World) -> None:
    message_id = await sent(world)
    assert await hear(world, complaint(message_id, "not-spam")) == "no_bounce"
    assert await hear(world, complaint(message_id)) == "noted"
    row = await world.delivery(KEY)
    assert (row["state"], row["attempts"][-1]["outcome"]) == ("sent", "complained")
    assert await suppressions(world) == [(TESSA, "complained")]


async def test_after_erasure_a_bounce_finds_nobody_any_more(world: World) -> None:
    message_id = await sent(world)
    await world.context.store.deliveries.erase({})
    assert await hear(world, notification(message_id)) == "not_ours"


async def test_whoever_asks_for_a_sign_in_mail_the_next_day_lifts_what_a_bounce_suppressed(world: World) -> None:
    await hear(world, notification(await sent(world)))
    before = len(world.server.mails)
    await world.hear(sign_in_requested())
    await world.send_all()
    assert len(world.server.mails) == before, "the same day it is not tried again"
    world.clock.forward(timedelta(days=1))
    await world.hear(sign_in_requested(now=world.clock.now(), number=2))
    await world.send_all()
    assert len(world.server.mails) == before + 1 and await suppressions(world) == []
    (row,) = await world.db.suppressions.find().to_list(None)
    assert (row["lifted_by"], row["lifted_at"]) == ("", world.clock.now())


async def test_asking_for_a_mail_does_not_lift_what_a_complaint_suppressed(world: World) -> None:
    await hear(world, complaint(await sent(world)))
    world.clock.forward(timedelta(days=2))
    await world.hear(sign_in_requested(now=world.clock.now()))
    await world.send_all()
    assert await suppressions(world) == [(TESSA, "complained")]


@pytest.mark.parametrize(
    ("diagnosis", "status", "answer"),
    [
        ("smtp; 550 5.1.1 No such user", "5.1.1", "550 5.1.1 No such user"),
        ("smtp; 550 No such user", "5.0.0", "550 No such user"),
        ('X-Postfix; unknown user: "tessa"', "5.1.1", '550 5.1.1 unknown user: "tessa"'),
        ("smtp; 550-5.2.1 The account\n is inactive", "5.2.1", "550 5.2.1 The account is inactive"),
        ("", "5.4.4 (host unknown)", "550 5.4.4"),
    ],
)
def test_the_answer_of_a_notification_reads_like_that_of_a_server(diagnosis: str, status: str, answer: str) -> None:
    bounce = read_bounce(notification("<a@b>", diagnosis, status))
    assert bounce and bounce.answer == answer
    assert bounce.is_about_the_address


async def test_a_mail_server_can_pipe_a_bounce_into_the_program(world: World, mongodb_url: str) -> None:
    message_id = await sent(world)
    prefix = world.db.name.removesuffix("_notify")
    environment = {
        **os.environ, "MONGODB_URL": mongodb_url, "NATS_URL": "nats://127.0.0.1:1", "DATABASE_PREFIX": prefix,
        "SECRET_KEY": SECRET, "SMTP_URL": "smtp://127.0.0.1:1",
    }  # fmt: skip
    for mail, heard in ((notification(message_id), b"noted\n"), (holiday(message_id), b"no_bounce\n")):
        ended = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "services.notify", "bounce"], input=mail, env=environment,
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stdout) == (0, heard), ended.stderr
    assert await suppressions(world) == [(TESSA, "bounced")]
