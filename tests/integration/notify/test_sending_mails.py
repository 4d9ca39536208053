"""From due to sent, deferred or refused, against a real SMTP server that follows a script."""

import asyncio
from datetime import UTC, datetime, timedelta
from unittest.mock import AsyncMock

import pytest

from services.notify.sender import POLL_SECONDS, Sender
from services.notify.smtp.mailer import Mailer
from services.notify.smtp.relays import relay_of
from services.notify.usecases.erasure import erase_due, forget_person_who_left
from services.notify.usecases.sending import send_delivery
from shared.mongo import StoreUnavailable
from shared.schemas import events
from shared.schemas.outreach import Contact
from tests.support.notify_builders import (
    NOW,
    STARTS,
    TEACHER,
    coordinator,
    registration,
    said,
    sign_in_requested,
    slot,
    slot_moved,
)
from tests.support.notify_world import ScriptedServer, World, build_world, part
from tests.support.waiting import until

TEACHER_KEY = "registration_confirmed:reg1:1:teacher"
FIRST_REMINDER = datetime(2026, 11, 17, 7, 0, tzinfo=UTC)


def confirmed(**changes: object) -> events.RegistrationConfirmed:
    return said(events.RegistrationConfirmed, registration("confirmed", 1, **changes))


def waitlisted(number: int = 1, email: str = "tessa@schule.example") -> events.RegistrationWaitlisted:
    contact = TEACHER.model_copy(update={"email": email})
    return said(events.RegistrationWaitlisted, registration("waitlisted", id=f"reg{number}", contact=contact))


async def live_through(world: World, *moments: float) -> None:
    """Let the world's process give a sign of life at each of `moments`, in seconds."""
    deliveries = world.context.store.deliveries
    for moment in moments:
        deliveries.ticks = lambda moment=moment: moment
        await deliveries.say_alive()


async def test_an_accepted_mail_is_sent_and_the_answer_is_kept(world: World) -> None:
    world.server.script = ["250 2.0.0 Kept as 7"]
    await world.hear(waitlisted())
    await world.send_all()
    row = await world.delivery("registration_waitlisted:reg1:1:teacher")
    assert (row["state"], row["sent_at"], row["attempt_count"]) == ("sent", NOW, 1)
    assert row["attempts"] == [{"at": NOW, "outcome": "sent", "answer": "250 2.0.0 Kept as 7"}]
    assert "lease" not in row and "waiting" not in row
    mail = world.server.mails[0]
    assert mail["Message-ID"] == row["message_id"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["To"] == "Tessa Muster <tessa@schule.example>"


async def test_what_was_sent_is_not_sent_again(world: World) -> None:
    await world.hear(waitlisted())
    await world.send_all()
    await world.hear(waitlisted())
    await world.send_all()
    assert len(world.server.mails) == 1


async def test_a_temporary_refusal_is_tried_again_later_with_the_same_message_id(world: World) -> None:
    world.server.script = ["451 4.7.1 greylisted", "250 OK"]
    await world.hear(waitlisted())
    await world.send_all()
    row = await world.delivery("registration_waitlisted:reg1:1:teacher")
    assert row["state"] == "deferred"
    assert timedelta(seconds=1.5) <= row["due_at"] - NOW <= timedelta(seconds=2.5)
    world.clock.forward(timedelta(seconds=3))
    await world.send_all()
    row = await world.delivery("registration_waitlisted:reg1:1:teacher")
    assert [attempt["outcome"] for attempt in row["attempts"]] == ["deferred", "sent"]
    assert row["attempts"][0]["answer"] == "451 4.7.1 greylisted"
    assert [mail["Message-ID"] for mail in world.server.mails] == [row["message_id"]]


async def test_a_final_refusal_is_recorded_and_said(world: World) -> None:
    world.server.script = ["550 5.1.1 <Tessa@schule.example> is unknown"]
    await world.hear(waitlisted())
    await world.send_all()
    row = await world.delivery("registration_waitlisted:reg1:1:teacher")
    assert (row["state"], row["reason"]) == ("refused", "refused")
    said_rows = await world.db.outbox.find().to_list(None)
    assert [entry["wire"]["type"] for entry in said_rows] == ["DeliveryFailed.v1"]
    data = said_rows[0]["wire"]["data"]
    assert data["delivery_id"] == "registration_waitlisted:reg1:1:teacher"
    assert data["concerns"] == "registration:reg1"
    assert data["answer"] == "550 5.1.1 <<address>> is unknown"


async def test_a_dead_relay_defers_and_everything_arrives_when_it_is_back(world: World) -> None:
    await world.server.stop()
    await world.hear(*[waitlisted(number) for number in range(3)])
    await world.send_all()
    assert {row["state"] for row in await world.deliveries()} == {"deferred"}
    await world.server.start()
    world.clock.forward(timedelta(seconds=5))
    await world.send_all()
    assert {row["state"] for row in await world.deliveries()} == {"sent"}
    assert len(world.server.mails) == 3


async def test_a_mail_that_never_gets_through_is_given_up_at_its_horizon(world: World) -> None:
    await world.hear(sign_in_requested())
    await world.server.stop()
    for _ in range(60):
        await world.send_all()
        world.clock.forward(timedelta(seconds=40))
    (row,) = await world.deliveries()
    assert (row["state"], row["reason"]) == ("refused", "gave_up")
    assert row["attempts"][-1]["at"] <= NOW + timedelta(minutes=15)
    assert len(row["attempts"]) == 20 < row["attempt_count"]
    assert row["facts"] is None, "a worthless token is not kept"
    assert await world.db.outbox.count_documents({"wire.type": "DeliveryFailed.v1"}) == 1


async def test_sign_in_mails_go_first_and_reminders_last(notify_db: object, smtp: ScriptedServer) -> None:
    world = await build_world(notify_db, smtp, at_once=1)  # type: ignore[arg-type]
    await world.hear(confirmed())
    await world.send_all()
    world.clock.set(FIRST_REMINDER)
    await world.hear(waitlisted(2), sign_in_requested(now=FIRST_REMINDER))
    await world.send_all()
    assert [subject.split(":")[0] for subject in smtp.subjects[2:]] == [
        "Ihr Zugang zu Perspektive",
        "Warteliste",
        "Erinnerung",
        "Erinnerung",
    ]
    assert smtp.connections == 1, "the connection is kept"


async def test_the_token_is_forgotten_once_the_sign_in_mail_is_sent(world: World) -> None:
    await world.hear(sign_in_requested())
    await world.send_all()
    (row,) = await world.deliveries()
    assert row["facts"] is None
    text = part(world.server.mails[0], "text/plain").get_content()
    assert "https://perspektive.example/outreach/sign-in/link?token=token-1" in text and "482913" in text


async def test_reminders_come_at_eight_and_only_then(world: World) -> None:
    await world.hear(confirmed())
    await world.send_all()
    world.clock.set(FIRST_REMINDER - timedelta(seconds=1))
    await world.send_all()
    assert len(world.server.mails) == 2
    world.clock.set(FIRST_REMINDER)
    await world.send_all()
    reminders = world.server.mails[2:]
    assert {str(mail["To"].addresses[0].addr_spec) for mail in reminders} == {
        "tessa@schule.example",
        "konrad@betrieb.example",
    }
    text = part(reminders[0], "text/plain").get_content()
    assert "Feste, geschlossene Schuhe" in text and "Dienstag, 1. Dezember 2026, 9:00 bis 12:00 Uhr" in text


async def test_a_reminder_that_is_due_checks_the_state_at_the_moment_of_sending(world: World) -> None:
    await world.hear(confirmed())
    await world.send_all()
    await world.db.registrations.update_one({"_id": "reg1"}, {"$set": {"facts.state": "cancelled"}})
    world.clock.set(FIRST_REMINDER)
    await world.send_all()
    assert len(world.server.mails) == 2
    due = await world.deliveries(kind="slot_reminder", due_at=FIRST_REMINDER)
    assert {(row["state"], row["reason"]) for row in due} == {("cancelled", "superseded")}


async def test_a_reminder_that_is_due_checks_the_date_at_the_moment_of_sending(world: World) -> None:
    await world.hear(confirmed())
    await world.send_all()
    await world.db.slots.update_one({"_id": "slot1"}, {"$set": {"revision": 2, "slot.revision": 2}})
    world.clock.set(FIRST_REMINDER)
    await world.send_all()
    assert len(world.server.mails) == 2


async def test_a_moved_group_is_reminded_on_the_new_day_only(world: World) -> None:
    later = STARTS + timedelta(days=7)
    await world.hear(confirmed(), slot_moved(slot(2, later)))
    await world.send_all()
    world.clock.set(FIRST_REMINDER + timedelta(hours=1))
    await world.send_all()
    assert len(world.server.mails) == 4
    world.clock.set(FIRST_REMINDER + timedelta(days=7))
    await world.send_all()
    assert len(world.server.mails) == 6
    assert "Dienstag, 8. Dezember 2026" in part(world.server.mails[-1], "text/plain").get_content()


async def test_mails_in_their_turn_all_go_out_and_in_order(world: World) -> None:
    cancelled = said(events.RegistrationCancelled, registration("cancelled", 2, cancelled_by="school"))
    await world.hear(confirmed(), cancelled)
    await world.send_all()
    to_teacher = [m for m in world.server.mails if "tessa" in str(m["To"])]
    methods = [part(mail, "text/calendar").get_param("method") for mail in to_teacher]
    assert methods == ["REQUEST", "CANCEL"]


async def test_a_confirmation_delayed_for_long_is_not_sent_after_the_cancellation(world: World) -> None:
    world.server.script = ["451 later", "451 later"]
    await world.hear(confirmed())
    await world.send_all()
    await world.hear(said(events.RegistrationCancelled, registration("cancelled", 2, cancelled_by="school")))
    world.clock.forward(timedelta(minutes=11))
    await world.send_all()
    row = await world.delivery(TEACHER_KEY)
    assert (row["state"], row["reason"]) == ("cancelled", "superseded")
    assert [subject.split(":")[0] for subject in world.server.subjects] == ["Abgesagt", "Abgesagt"]


async def test_a_confirmation_that_was_put_off_does_not_follow_the_cancellation(world: World) -> None:
    """A calendar would add the entry that the cancellation was to take away."""
    world.server.script = ["451 later", "451 later"]
    await world.hear(confirmed())
    await world.send_all()
    await world.hear(said(events.RegistrationCancelled, registration("cancelled", 2, cancelled_by="school")))
    await world.send_all()
    world.clock.forward(timedelta(seconds=5))
    await world.send_all()
    assert [subject.split(":")[0] for subject in world.server.subjects] == ["Abgesagt", "Abgesagt"]


async def test_a_confirmation_that_was_put_off_says_how_many_come_now(world: World) -> None:
    world.server.script = ["451 later", "451 later"]
    await world.hear(confirmed())
    await world.send_all()
    group = registration().group.model_copy(update={"pupils": 28})
    await world.hear(said(events.RegistrationResized, registration("confirmed", 2, group=group)))
    world.clock.forward(timedelta(seconds=5))
    await world.send_all()
    late = next(mail for mail in world.server.mails if mail["Subject"].startswith("Bestätigt"))
    assert "28" in part(late, "text/plain").get_content() and "24" not in part(late, "text/plain").get_content()


async def test_a_mail_about_a_date_is_worthless_when_that_date_begins(world: World) -> None:
    world.clock.set(datetime(2026, 11, 30, 9, 0, tzinfo=UTC))
    await world.hear(said(events.RegistrationConfirmed, registration(), now=world.clock.now()))
    row = await world.delivery(TEACHER_KEY)
    assert row["gives_up_at"] == datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


async def test_a_relay_that_is_silent_about_whole_mails_gets_few_copies_and_a_person_decides(world: World) -> None:
    relays = [relay_of(world.server.url)]
    world.mailer = Mailer(relays, timeout_seconds=1, at_once=4, content_seconds=0.1)
    world.sender = Sender(world.context, world.mailer, world.clock, 4)  # type: ignore[arg-type]
    world.server.hold = asyncio.Event()
    await world.hear(waitlisted())
    for _ in range(5):
        await world.send_all()
        world.clock.forward(timedelta(minutes=1))
    row = await world.delivery("registration_waitlisted:reg1:1:teacher")
    assert (row["state"], row["reason"], row["attempt_count"]) == ("refused", "gave_up", 3)
    world.server.hold.set()


async def test_a_hold_is_renewed_while_the_relay_looks_into_the_mail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notify.usecases.sending.RENEWED_EVERY_SECONDS", 0.02)
    world.server.hold = asyncio.Event()
    await world.hear(waitlisted())
    await world.sender.send_due()
    key = "registration_waitlisted:reg1:1:teacher"

    async def until_when() -> datetime:
        return (await world.delivery(key))["lease"]["until"]

    first = await until_when()

    async def later() -> bool:
        return await until_when() > first

    await until(later, 20)
    world.server.hold.set()
    await world.sender.settle()
    assert (await world.delivery(key))["state"] == "sent"


async def test_a_dead_worker_s_mail_is_taken_over_when_its_lease_ends(world: World) -> None:
    await world.hear(waitlisted())
    deliveries = world.context.store.deliveries
    (held,) = await deliveries.claim(10, NOW)
    assert await deliveries.free_abandoned() == 0, "its holder is this process"
    assert await deliveries.claim(10, NOW) == []
    past = datetime.now(UTC) - timedelta(seconds=1)
    await world.db.deliveries.update_one({"_id": held.key}, {"$set": {"lease.until": past}})
    assert await deliveries.free_abandoned() == 1
    await world.send_all()
    assert len(world.server.mails) == 1


async def test_the_mails_of_a_process_that_fell_silent_are_taken_over_at_once(world: World) -> None:
    await world.hear(waitlisted())
    other = await build_world(world.db, world.server)
    await live_through(world, 0, 5, 10, 15)
    await other.context.store.deliveries.say_alive()
    assert len(await other.context.store.deliveries.claim(10, NOW)) == 1
    assert await world.context.store.deliveries.free_abandoned() == 0, "it is alive"
    await other.context.store.deliveries.say_goodbye()
    assert await world.context.store.deliveries.free_abandoned() == 1
    await world.send_all()
    assert len(world.server.mails) == 1


@pytest.mark.parametrize("moments", [(0,), (0, 5, 10), (0, 5, 10, 15, 24), (0, 5, 10, 15, 24, 31, 38)])
async def test_who_was_cut_off_from_the_store_itself_takes_nobodys_silence_for_death(
    world: World, moments: tuple[float, ...]
) -> None:
    await world.hear(waitlisted())
    silent = await build_world(world.db, world.server)
    assert len(await silent.context.store.deliveries.claim(10, NOW)) == 1
    await live_through(world, *moments)
    assert await world.context.store.deliveries.free_abandoned() == 0
    last = moments[-1]
    await live_through(world, last + 5, last + 10, last + 15)
    assert await world.context.store.deliveries.free_abandoned() == 1


async def test_a_sign_of_life_that_did_not_reach_the_store_counts_as_a_gap(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.hear(waitlisted())
    silent = await build_world(world.db, world.server)
    await silent.context.store.deliveries.claim(10, NOW)
    await live_through(world, 0, 5, 10, 15)
    with monkeypatch.context() as patch:
        patch.setattr("shared.mongo.hold_lease", AsyncMock(side_effect=StoreUnavailable("no primary")))
        with pytest.raises(StoreUnavailable):
            await live_through(world, 16)
    await live_through(world, 17)
    assert await world.context.store.deliveries.free_abandoned() == 0


async def test_a_mail_cut_off_by_a_stop_is_left_to_its_lease(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notify.sender.LANDING_SECONDS", 0.05)
    world.server.hold = asyncio.Event()
    await world.hear(waitlisted())
    task = asyncio.create_task(world.sender.run())

    async def in_flight() -> bool:
        return bool(world.sender._in_flight)

    await until(in_flight)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    holder = await world.db.leases.find_one({"_id": world.context.store.deliveries.holder})
    assert holder and holder["until"] > datetime.now(UTC) + timedelta(seconds=150)
    successor = await build_world(world.db, world.server)
    await live_through(successor, 0, 5, 10, 15)
    assert await successor.context.store.deliveries.free_abandoned() == 0
    world.server.hold.set()


async def test_a_stop_does_not_wait_for_a_store_that_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notify.sender.GOODBYE_SECONDS", 0.05)
    monkeypatch.setattr("shared.mongo.give_back_lease", lambda *_: asyncio.Event().wait())
    async with asyncio.timeout(5):
        await world.sender._stop()


async def test_a_mail_whose_lease_was_lost_is_not_handed_to_the_relay(world: World) -> None:
    await world.hear(waitlisted())
    deliveries = world.context.store.deliveries
    (lost,) = await deliveries.claim(10, NOW)
    await world.db.deliveries.update_one({"_id": lost.key}, {"$set": {"lease.token": "somebody else's"}})
    await send_delivery(world.context, world.mailer, lost, now=NOW)
    assert world.server.mails == [] and (await world.delivery(lost.key))["state"] == "sending"


async def test_of_holds_that_are_renewed_together_the_lost_one_is_named(world: World) -> None:
    await world.hear(confirmed())
    deliveries = world.context.store.deliveries
    first, second = await deliveries.claim(10, NOW)
    await world.db.deliveries.update_one({"_id": first.key}, {"$set": {"lease.token": "somebody else's"}})
    assert await asyncio.gather(*map(deliveries.renew, (first, second, second))) == [False, True, True]


async def test_one_claim_serves_several_mails_but_an_urgent_one_does_not_wait_for_others_to_land(world: World) -> None:
    world.server.hold = asyncio.Event()
    await world.hear(*map(waitlisted, range(2, 5)))
    assert await world.sender.send_due() == 3
    await world.hear(waitlisted())
    world.sender._claimed_at += 60  # a slow machine's moment
    assert await world.sender.send_due() == 0, "room for one of four, and the last claim was a moment ago"
    world.sender._claimed_at -= 60 + POLL_SECONDS
    assert await world.sender.send_due() == 1
    world.server.hold.set()
    await world.sender.settle()
    assert len(world.server.mails) == 4


async def test_a_lease_is_renewed_before_the_mail_is_handed_to_the_relay(world: World) -> None:
    await world.hear(waitlisted())
    world.server.hold = asyncio.Event()
    (held,) = await world.context.store.deliveries.claim(10, NOW)
    nearly_over = datetime.now(UTC) + timedelta(seconds=5)
    await world.db.deliveries.update_one({"_id": held.key}, {"$set": {"lease.until": nearly_over}})
    sending = asyncio.create_task(send_delivery(world.context, world.mailer, held, now=NOW))
    longer = nearly_over + timedelta(seconds=120)
    await until(lambda: world.deliveries(**{"lease.until": {"$gt": longer}}))
    world.server.hold.set()
    await sending
    assert len(world.server.mails) == 1


async def test_what_failed_is_logged_without_the_words_of_the_failure(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing = AsyncMock(side_effect=ArithmeticError("tessa@schule.example"))
    await world.hear(waitlisted(1), waitlisted(2))
    monkeypatch.setattr("services.notify.sender.send_delivery", failing)
    assert await world.sender.send_due() == 2
    await world.sender.settle()
    assert "ArithmeticError" in caplog.text and "tessa" not in caplog.text


async def test_a_mail_that_cannot_be_written_is_logged_without_its_content(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(world.mailer, "send", AsyncMock(side_effect=ArithmeticError("tessa@schule.example")))
    await world.hear(waitlisted())
    await world.send_all()
    assert "ArithmeticError" in caplog.text and "tessa" not in caplog.text


async def test_whoever_lost_the_lease_changes_nothing_any_more(world: World) -> None:
    await world.hear(waitlisted())
    deliveries = world.context.store.deliveries
    (lost,) = await deliveries.claim(10, NOW)
    await world.db.deliveries.update_one({"_id": lost.key}, {"$set": {"lease.until": NOW - timedelta(days=900)}})
    await deliveries.free_abandoned()
    (held,) = await deliveries.claim(10, NOW)
    await deliveries.end(lost, None, state="cancelled", reason="from a ghost")
    assert (await world.delivery(held.key))["state"] == "sending"
    await deliveries.end(held, None, state="sent", sent_at=NOW)
    assert (await world.delivery(held.key))["state"] == "sent"


async def test_two_workers_never_send_the_same_mail_twice(world: World) -> None:
    await world.hear(*[waitlisted(number) for number in range(30)])
    second = Sender(world.context, Mailer([relay_of(world.server.url)], 5), world.clock, 4)  # type: ignore[arg-type]

    async def work(sender: Sender) -> None:
        while await world.db.deliveries.count_documents({"waiting": True}):
            await sender.send_due()
            await sender.settle()

    await asyncio.gather(work(world.sender), work(second))
    ids = [mail["Message-ID"] for mail in world.server.mails]
    assert len(ids) == len(set(ids)) == 30


async def test_no_more_mails_are_in_flight_than_allowed(notify_db: object, smtp: ScriptedServer) -> None:
    world = await build_world(notify_db, smtp, at_once=2)  # type: ignore[arg-type]
    smtp.hold = asyncio.Event()
    await world.hear(*[waitlisted(number) for number in range(6)])
    assert await world.sender.send_due() == 2
    assert await world.sender.send_due() == 0
    assert len(await world.deliveries(state="sending")) == 2
    await until(lambda: smtp.connections == 2)
    smtp.hold.set()
    await world.sender.settle()
    await world.send_all()
    assert len(smtp.mails) == 6 and smtp.connections == 2


async def test_the_running_worker_sends_what_is_planned_without_waiting_for_a_poll(world: World) -> None:
    world.context.store.deliveries.planned = world.sender.wake
    task = asyncio.create_task(world.sender.run())
    try:
        await world.hear(waitlisted())
        await until(lambda: world.deliveries(state="sent"), 5)
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(world.server.mails) == 1


async def test_an_address_that_cannot_be_written_to_is_refused_and_blocks_nothing(world: World) -> None:
    await world.hear(
        waitlisted(1, "nobody"), waitlisted(2, "tessa@schüle.example"), waitlisted(3, "a@b\r\nBcc: x@y.example")
    )
    await world.send_all()
    states = [row["state"] for row in await world.deliveries()]
    assert states == ["refused", "sent", "refused"]
    assert world.server.recipients == ["tessa@xn--schle-mva.example"]


async def test_a_name_with_line_breaks_cannot_add_a_header(world: World) -> None:
    evil = Contact(name="Tessa\r\nBcc: all@schule.example", email="tessa@schule.example")
    await world.hear(said(events.RegistrationWaitlisted, registration("waitlisted", contact=evil)))
    await world.send_all()
    (mail,) = world.server.mails
    assert mail["Bcc"] is None and world.server.recipients == ["tessa@schule.example"]


async def test_personal_data_goes_when_its_time_is_over_and_a_receipt_stays(world: World) -> None:
    await world.hear(confirmed())
    await world.send_all()
    nothing = await erase_due(world.context, now=NOW + timedelta(days=100))
    assert sum(nothing.values()) == 0
    long_after = NOW + timedelta(days=200)
    counts = await erase_due(world.context, now=long_after)
    sums = {
        "registrations": 1,
        "visits": 0,
        "slots": 1,
        "offers": 1,
        "suppressions": 0,
        "former_addresses": 0,
        "reminder_stops": 0,
        "participants": 0,
        "webhook_calls": 0,
    }
    assert counts == {"deliveries": 6, **sums}
    everything = [
        str(row) for name in ("deliveries", "registrations", "slots", "offers") async for row in world.db[name].find()
    ]
    for secret in ("tessa", "Tessa", "konrad", "02761"):
        assert not [row for row in everything if secret in row]
    receipts = await world.db.erasure_receipts.find().to_list(None)
    assert {(row["what"], row["count"], row["at"]) for row in receipts} == {
        ("deliveries", 6, long_after), ("registrations", 1, long_after), ("slots", 1, long_after),
        ("offers", 1, long_after),
    }  # fmt: skip
    assert (await world.delivery(TEACHER_KEY))["state"] == "sent"
    await world.hear(said(events.RegistrationRequested, registration("requested", 0)))
    assert len(await world.deliveries(state="planned")) == 0, "an old message after the erasure changes nothing"


async def test_a_person_who_was_erased_leaves_the_mail_log_too(world: World) -> None:
    await world.hear(coordinator(1, email="tessa@schule.example"), waitlisted())
    await world.send_all()
    await world.hear(coordinator(1, version=2, active=False, email="", name=""))
    row = await world.delivery("registration_waitlisted:reg1:1:teacher")
    assert (row["recipient"], row["facts"], row["state"]) == ("", None, "sent")
    await forget_person_who_left(world.context, "coordinator1", now=NOW)


async def test_a_due_mail_is_found_by_the_index_and_not_by_looking_at_all(world: World) -> None:
    await world.hear(confirmed())
    query = {"waiting": True, "priority": 2, "due_at": {"$lte": FIRST_REMINDER}}
    plan = await world.db.deliveries.find(query).sort("due_at", 1).limit(4).explain()
    assert "'indexName': 'due'" in str(plan["queryPlanner"]["winningPlan"])
    assert plan["executionStats"]["totalDocsExamined"] == 2
