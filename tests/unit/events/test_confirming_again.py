"""“Please confirm again”: who is asked when, until when, and what becomes of no answer. The test has the clock."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.domain.deadlines import question_times
from services.events.domain.facts import ConfirmAgain, Registration
from services.events.domain.ledger import Ledger
from shared.schemas import events as say
from tests.support.events_world import about, ledger, offer, register, school, slot

RULE = ConfirmAgain(asked=5, until=2)
# The date is Tuesday, 1 December 2026, 9:00: five school days before is Tuesday the 24th, two before Friday the 27th.
ASKED = datetime(2026, 11, 24, 7, tzinfo=UTC)
UNTIL = datetime(2026, 11, 27, 17, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def booked(**of_slot: object) -> tuple[Ledger, Registration]:
    """A ledger of an offer that asks again, with one confirmed group."""
    book = ledger(slot(**of_slot), offered=offer(confirm_again=RULE))
    made = book.decide(register("9a", 10))
    assert isinstance(made, Registration)
    return book, made


def asked(book: Ledger, made: Registration, now: datetime = ASKED) -> Registration:
    after = book.decide(do.AskAgain(**about(made, now=now)))
    assert isinstance(after, Registration)
    return after


def moved(days: int, now: datetime) -> do.MoveSlot:
    starts = slot().starts_utc + timedelta(days=days)
    wall = slot().starts_local + timedelta(days=days)
    return do.MoveSlot(
        now=now, request_id=f"move-{days}-{now}", starts_utc=starts, ends_utc=starts + timedelta(hours=3),
        starts_local=wall, ends_local=wall + timedelta(hours=3), zone="Europe/Berlin",
    )  # fmt: skip


def test_the_times_are_counted_in_the_schools_school_days() -> None:
    assert question_times(slot(), RULE, frozenset()) == (ASKED, UNTIL)
    movable = frozenset({date(2026, 11, 26)})
    assert question_times(slot(), RULE, movable) == (datetime(2026, 11, 23, 7, tzinfo=UTC), UNTIL)


def test_a_school_is_asked_at_its_time_once_and_told_until_when_it_can_answer() -> None:
    book, made = booked()
    assert asked(book, made, ASKED - MINUTE) == made, "not before"
    after = asked(book, made)
    assert after.question and after.question.until == UNTIL and after.awaits_answer(1)
    message = book.messages[-1]
    assert isinstance(message, say.ConfirmationAsked) and message.registration.answer_until == UNTIL
    assert asked(book, after, ASKED + MINUTE) == after, "once"
    assert (after.held, after.version) == (10, 2)


def test_the_schools_movable_days_count() -> None:
    held = ledger(offered=offer(confirm_again=RULE), schools=[school(1, movable_days=frozenset({date(2026, 11, 26)}))])
    made = held.decide(register("9a", 10))
    assert isinstance(made, Registration) and asked(held, made, ASKED - timedelta(days=1)).question


def test_who_registers_within_the_time_is_not_asked() -> None:
    book, _ = booked()
    late = book.decide(register("9b", 5, now=ASKED + MINUTE))
    assert isinstance(late, Registration) and asked(book, late, ASKED + 2 * MINUTE).question is None


def test_who_changed_the_number_within_the_time_is_not_asked_either() -> None:
    book, made = booked()
    smaller = book.decide(do.Resize(**about(made, now=ASKED + MINUTE), pupils=8))
    assert isinstance(smaller, Registration) and asked(book, smaller, ASKED + 2 * MINUTE).question is None


@pytest.mark.parametrize("rule", [None, RULE])
def test_nobody_is_asked_when_the_offer_does_not_want_it_or_when_less_than_a_day_would_be_left(rule: object) -> None:
    book, made = booked()
    book.offer = replace(book.offer, confirm_again=rule)  # type: ignore[arg-type]
    now = UNTIL - timedelta(hours=23) if rule else ASKED
    assert asked(book, made, now).question is None


@pytest.mark.parametrize("state", ["requested", "waitlisted"])
def test_only_who_has_confirmed_places_is_asked(state: str) -> None:
    places = {"places": 10} if state == "waitlisted" else {"approval": "company"}
    book = ledger(slot(**places), offered=offer(confirm_again=RULE))
    book.decide(register("9a", 10))
    other = book.decide(register("9b", 10))
    assert isinstance(other, Registration) and other.state == state
    assert asked(book, other).question is None


def test_a_yes_keeps_the_places_and_is_said() -> None:
    book, made = booked()
    asked(book, made)
    command = do.SayStillComing(**about(made, now=UNTIL - MINUTE, request_id="yes"))
    after = book.decide(command)
    assert isinstance(after, Registration) and after.question and after.question.confirmed_at == UNTIL - MINUTE
    assert isinstance(book.messages[-1], say.RegistrationConfirmedAgain)
    assert book.messages[-1].registration.answer_until is None
    assert book.decide(command) == after, "the same request again"
    with pytest.raises(errors.NothingAsked):
        book.decide(do.SayStillComing(**about(made, now=UNTIL - MINUTE)))
    assert book.decide(do.Release(**about(made, now=UNTIL))) == after


def test_without_an_answer_the_places_go_to_who_waits_in_the_same_step() -> None:
    book, made = booked(places=10)
    waiting = book.decide(register("9b", 10))
    asked(book, made)
    assert book.decide(do.Release(**about(made, now=UNTIL - MINUTE))) != "released before its time"
    assert book.registrations[made.id].state == "confirmed"
    after = book.decide(do.Release(**about(made, now=UNTIL)))
    assert isinstance(after, Registration) and isinstance(waiting, Registration)
    assert (after.state, after.cause, after.cancelled_by) == ("cancelled", "not_confirmed_again", None)
    assert book.registrations[waiting.id].state == "offered"
    said = [type(message).__name__ for message in book.messages[-2:]]
    assert said == ["RegistrationCancelled", "PlacesOffered"]
    assert book.messages[-2].registration.cause == "not_confirmed_again"  # type: ignore[attr-defined]
    assert book.decide(do.Release(**about(made, now=UNTIL + MINUTE))) == after, "once"


def test_after_the_time_an_answer_comes_too_late() -> None:
    book, made = booked()
    asked(book, made)
    with pytest.raises(errors.AnsweredTooLate):
        book.decide(do.SayStillComing(**about(made, now=UNTIL)))


def test_who_changes_the_number_has_answered() -> None:
    book, made = booked()
    asked(book, made)
    after = book.decide(do.Resize(**about(made, now=ASKED + MINUTE), pupils=8))
    assert isinstance(after, Registration) and not after.awaits_answer(1)
    assert book.decide(do.Release(**about(made, now=UNTIL))) == after


def test_a_moved_date_makes_the_question_void_and_asks_again_at_the_new_time() -> None:
    book, made = booked()
    first = asked(book, made)
    book.decide(moved(14, ASKED + MINUTE))
    assert book.decide(do.Release(**about(made, now=UNTIL))) == first, "nobody is released for a former date"
    with pytest.raises(errors.NothingAsked):
        book.decide(do.SayStillComing(**about(made, now=ASKED + 2 * MINUTE)))
    later = ASKED + timedelta(days=14)
    assert asked(book, first, later - MINUTE) == first
    again = asked(book, first, later)
    assert again.question and (again.question.revision, again.question.until) == (2, UNTIL + timedelta(days=14))


def test_a_yes_to_a_former_date_is_none_to_the_new_one() -> None:
    book, made = booked()
    asked(book, made)
    book.decide(do.SayStillComing(**about(made, now=ASKED + MINUTE)))
    book.decide(moved(1, ASKED + 2 * MINUTE))
    again = asked(book, made, ASKED + timedelta(days=1))
    assert again.awaits_answer(2)


def test_a_link_answers_for_the_registration_as_the_mail_told_of_it() -> None:
    book, made = booked()
    asked(book, made)
    for seen in (do.Seen(1, 1), do.Seen(2, 2)):
        with pytest.raises(errors.AnswerLinkIsOver):
            book.decide(do.SayStillComing(**about(made, now=ASKED), seen=seen))
        with pytest.raises(errors.AnswerLinkIsOver):
            book.decide(do.Cancel(**about(made, now=ASKED), by="school", seen=seen))
    after = book.decide(do.SayStillComing(**about(made, now=ASKED), seen=do.Seen(2, 1)))
    assert isinstance(after, Registration) and after.version == 3
