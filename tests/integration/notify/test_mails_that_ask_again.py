"""“Please confirm again” as mails, on a real MongoDB and a real SMTP server: asked once, in time, and not in vain."""

from datetime import UTC, datetime, timedelta

from shared.answer_links import AsSeen
from shared.schemas import events
from tests.support.notify_builders import NOW, registration, said, slot, slot_moved
from tests.support.notify_world import LINKS, World, part

UNTIL = datetime(2026, 11, 27, 17, tzinfo=UTC)
ASKED = datetime(2026, 11, 24, 7, tzinfo=UTC)
TESSA = "tessa@schule.example"


async def booked(world: World) -> None:
    """Confirmed, and the mails about that sent."""
    await world.hear(said(events.RegistrationConfirmed, registration()))
    await world.send_all()
    world.server.mails.clear()
    world.clock.set(ASKED)


def question(version: int = 2) -> events.ConfirmationAsked:
    return said(events.ConfirmationAsked, registration(version=version, answer_until=UNTIL), ASKED)


async def test_the_teacher_alone_is_asked_with_a_link_for_this_answer_and_told_until_when(world: World) -> None:
    await booked(world)
    await world.hear(question(), question())
    assert await world.summary(kind="confirmation_asked") == [("confirmation_asked", "teacher", "planned")]
    row = await world.delivery("confirmation_asked:reg1:2:teacher")
    assert row["gives_up_at"] == UNTIL
    await world.send_all()
    mail = next(mail for mail in world.server.mails if TESSA in mail["To"] and "bestätigen" in mail["Subject"])
    text = part(mail, "text/plain").get_content()
    assert LINKS.address("confirm-again", AsSeen("reg1", 2, 1)) in text
    assert "Freitag, 27. November 2026, 18:00 Uhr" in text
    assert mail["List-Unsubscribe"] is None, "a question is no reminder"


async def test_a_question_that_was_answered_or_whose_date_moved_is_not_sent(world: World) -> None:
    await booked(world)
    await world.hear(question())
    again = registration(version=3)
    await world.hear(said(events.RegistrationConfirmedAgain, again, ASKED))
    await world.send_all()
    assert await world.summary(kind="confirmation_asked") == [("confirmation_asked", "teacher", "cancelled")]
    await world.hear(question(4))
    await world.hear(slot_moved(slot(2, starts=datetime(2026, 12, 3, 9)), now=ASKED))
    await world.send_all()
    assert await world.summary(kind="confirmation_asked", state="sent") == []


async def test_a_question_that_did_not_leave_in_time_is_given_up(world: World) -> None:
    await booked(world)
    await world.hear(question())
    world.clock.set(UNTIL + timedelta(minutes=1))
    await world.send_all()
    assert await world.summary(kind="confirmation_asked") == [("confirmation_asked", "teacher", "refused")]


async def test_released_places_are_told_to_both_in_words_of_their_own_and_leave_their_calendars(world: World) -> None:
    await booked(world)
    await world.hear(question())
    await world.send_all()
    world.server.mails.clear()
    world.clock.set(UNTIL)
    released = registration("cancelled", version=3, cause="not_confirmed_again")
    await world.hear(said(events.RegistrationCancelled, released, UNTIL))
    await world.send_all()
    assert await world.summary(kind="registration_released") == [
        ("registration_released", "teacher", "sent"), ("registration_released", "company", "sent"),
    ]  # fmt: skip
    assert await world.summary(kind="registration_cancelled") == []
    for mail in world.server.mails:
        assert "METHOD:CANCEL" in part(mail, "text/calendar").get_content()
        assert "bis zum Ende der Frist keine Antwort" in part(mail, "text/plain").get_content()
    left = await world.summary(kind="slot_reminder", state="planned")
    assert left == [], "nobody is reminded of a date that is not theirs any more"


async def test_a_question_keeps_the_reminders(world: World) -> None:
    await booked(world)
    before = await world.summary(kind="slot_reminder", state="planned")
    await world.hear(question())
    assert before and await world.summary(kind="slot_reminder", state="planned") == before
    assert NOW < ASKED
