"""“Please confirm again”: a school is asked some school days before the date, and without an answer its group's
places go to others. Decisions of the ledger."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.domain.booking import must_be_ahead, wall_time
from services.events.domain.deadlines import question_due
from services.events.domain.facts import Question, Registration, Slot
from shared.schemas import events as say

if TYPE_CHECKING:
    from services.events.domain.ledger import Ledger


def ask_again(ledger: "Ledger", command: do.AskAgain) -> Registration:
    """The school is asked whether its confirmed group still comes, once the time for it has come."""
    before = ledger.commanded(command)
    school = ledger.schools.get(before.school_id)
    movable = school.movable_days if school else frozenset()
    until = question_due(before, ledger.slot, ledger.offer.confirm_again, movable, command.now)
    if until is None:
        return before
    question = Question(command.now, until, ledger.slot.revision)
    return ledger.change(before, command, say.ConfirmationAsked, question=question)


def say_still_coming(ledger: "Ledger", command: do.SayStillComing) -> Registration:
    """The school was asked, and its group still comes."""
    before = ledger.commanded(command)
    if before.last_request_id == command.request_id:
        return before
    ledger.must_be_as_seen(before, command.seen)
    if before.question is None or not before.awaits_answer(ledger.slot.revision):
        raise errors.NothingAsked
    must_be_ahead(ledger.slot, command.now)
    if command.now >= before.question.until:
        raise errors.AnsweredTooLate(until=wall_time(before.question.until, ledger.slot))
    answered = by_the_way(before, ledger.slot, command.now)
    return ledger.change(before, command, say.RegistrationConfirmedAgain, question=answered)


def release(ledger: "Ledger", command: do.Release) -> Registration:
    """confirmed → cancelled when the school was asked and has not answered in time; the places go to those who wait."""
    before, slot = ledger.commanded(command), ledger.slot
    asked = before.question if before.awaits_answer(slot.revision) else None
    if asked is None or command.now < asked.until or slot.state != "open" or command.now >= slot.starts_utc:
        return before
    after = ledger.change(
        before, command, say.RegistrationCancelled, state="cancelled", cancelled_by=None, cause="not_confirmed_again"
    )  # fmt: skip
    ledger.promote(command)
    return after


def by_the_way(before: Registration, slot: Slot, now: datetime) -> Question | None:
    """The question as it is once the school has said that its group comes, be it by changing the number."""
    question = before.question
    return replace(question, confirmed_at=now) if question and before.awaits_answer(slot.revision) else question
