"""What becomes of a registration: approving, declining, cancelling, resizing, attending."""

from datetime import timedelta

import pytest

from services.events.domain import commands as do
from services.events.domain import errors
from shared.schemas.events import (
    RegistrationAttended,
    RegistrationCancelled,
    RegistrationDeclined,
    RegistrationMissed,
    RegistrationResized,
)
from tests.support.events_world import NOW, STARTS, about, ledger, register, slot


def _requested():
    book = ledger(slot(approval="company"))
    return book, book.decide(register("9a", 10))


def test_approving_confirms_once_and_the_second_click_says_so():
    book, asked = _requested()
    assert book.decide(do.Approve(**about(asked))).state == "confirmed"
    said = len(book.messages)
    with pytest.raises(errors.AlreadyConfirmed):
        book.decide(do.Approve(**about(asked)))
    assert len(book.messages) == said


def test_approving_again_with_the_same_request_is_a_success():
    book, asked = _requested()
    done = book.decide(do.Approve(**about(asked, request_id="r2")))
    assert book.decide(do.Approve(**about(asked, request_id="r2"))) == done
    assert len(book.messages) == 2


def test_declining_gives_the_places_back():
    book, asked = _requested()
    declined = book.decide(do.Decline(**about(asked), reason="Betriebsferien"))
    assert (declined.state, declined.reason, book.slot.taken) == ("declined", "Betriebsferien", 0)
    assert isinstance(book.messages[-1], RegistrationDeclined)
    with pytest.raises(errors.AlreadyDeclined):
        book.decide(do.Decline(**about(asked)))
    with pytest.raises(errors.NotWaitingForApproval):
        book.decide(do.Approve(**about(asked)))


def test_what_is_confirmed_cannot_be_declined():
    book = ledger()
    made = book.decide(register())
    with pytest.raises(errors.NotWaitingForApproval):
        book.decide(do.Decline(**about(made)))


@pytest.mark.parametrize("by", ["school", "company", "coordinator"])
def test_cancelling_gives_the_places_back_and_says_who_did_it(by):
    book = ledger()
    made = book.decide(register("9a", 10))
    cancelled = book.decide(do.Cancel(**about(made), by=by, reason="krank"))
    assert (cancelled.state, cancelled.cancelled_by, book.slot.taken, book.slot.groups_taken) == ("cancelled", by, 0, 0)
    message = book.messages[-1]
    assert isinstance(message, RegistrationCancelled) and message.registration.cancelled_by == by
    with pytest.raises(errors.AlreadyCancelled):
        book.decide(do.Cancel(**about(made), by=by))


def test_a_waiting_group_can_leave_the_list():
    book = ledger(slot(places=10))
    book.decide(register("9a", 10))
    waiting = book.decide(register("9b", 10))
    book.decide(do.Cancel(**about(waiting), by="school"))
    assert (book.slot.taken, book.slot.waiting) == (10, 0)


def test_nothing_is_cancelled_once_the_slot_has_started():
    book = ledger()
    made = book.decide(register())
    with pytest.raises(errors.SlotHasStarted):
        book.decide(do.Cancel(**about(made, now=STARTS), by="school"))


def test_what_has_ended_cannot_be_cancelled():
    book, asked = _requested()
    book.decide(do.Decline(**about(asked)))
    with pytest.raises(errors.RegistrationHasEnded):
        book.decide(do.Cancel(**about(asked), by="school"))


def test_a_larger_group_gets_the_places_it_needs_when_they_are_free():
    book = ledger(slot(places=30))
    made = book.decide(register("9a", 10))
    larger = book.decide(do.Resize(**about(made), pupils=25, adults=3))
    assert (larger.group.pupils, larger.group.adults, larger.state, book.slot.taken) == (25, 3, "confirmed", 25)
    message = book.messages[-1]
    assert isinstance(message, RegistrationResized) and message.registration.previous_pupils == 10


def test_a_larger_group_that_does_not_fit_changes_nothing():
    book = ledger(slot(places=20))
    made = book.decide(register("9a", 10))
    book.decide(register("9b", 8))
    with pytest.raises(errors.SlotIsFull) as refused:
        book.decide(do.Resize(**about(made), pupils=13))
    assert refused.value.values["free"] == 2
    assert book.registrations[made.id] == made and book.slot.taken == 18


def test_a_group_can_grow_though_every_group_of_the_slot_is_taken():
    book = ledger(slot(places=20, groups=1))
    made = book.decide(register("9a", 10))
    assert book.decide(do.Resize(**about(made), pupils=20)).group.pupils == 20


def test_no_group_grows_beyond_the_slot():
    book = ledger(slot(places=20))
    made = book.decide(register("9a", 10))
    with pytest.raises(errors.GroupTooLarge):
        book.decide(do.Resize(**about(made), pupils=21))


def test_a_waiting_group_changes_its_size_freely_up_to_the_slots_places():
    book = ledger(slot(places=20))
    book.decide(register("9a", 20))
    waiting = book.decide(register("9b", 5))
    assert book.decide(do.Resize(**about(waiting), pupils=20)).state == "waitlisted"
    assert book.slot.taken == 20
    with pytest.raises(errors.GroupTooLarge):
        book.decide(do.Resize(**about(waiting), pupils=21))


def test_the_same_size_again_says_nothing():
    book = ledger()
    made = book.decide(register("9a", 10))
    assert book.decide(do.Resize(**about(made), pupils=10)) == made
    assert len(book.messages) == 1


def test_attendance_is_recorded_from_one_hour_before_the_start_on():
    book = ledger()
    made = book.decide(register("9a", 10))
    with pytest.raises(errors.SlotHasNotStarted):
        book.decide(do.Attend(**about(made, now=STARTS - timedelta(hours=1, seconds=1)), came=True, pupils=9))
    came = book.decide(do.Attend(**about(made, now=STARTS - timedelta(hours=1)), came=True, pupils=9))
    assert (came.state, came.pupils_attended, book.slot.taken) == ("attended", 9, 10)
    message = book.messages[-1]
    assert isinstance(message, RegistrationAttended) and message.registration.pupils_attended == 9


def test_a_group_that_did_not_come_is_noted_and_a_wrong_note_can_be_put_right():
    book = ledger()
    made = book.decide(register("9a", 10))
    missed = book.decide(do.Attend(**about(made, now=STARTS), came=False))
    assert (missed.state, missed.pupils_attended) == ("no_show", 0)
    assert isinstance(book.messages[-1], RegistrationMissed)
    with pytest.raises(errors.AlreadyRecorded):
        book.decide(do.Attend(**about(made, now=STARTS), came=False))
    assert book.decide(do.Attend(**about(made, now=STARTS), came=True, pupils=10)).state == "attended"


def test_an_entry_made_meanwhile_is_not_overwritten_unseen_but_can_be_corrected():
    book = ledger()
    made = book.decide(register("9a", 10))
    first = book.decide(do.Attend(**about(made, now=STARTS), came=True, pupils=9, version=made.version))
    with pytest.raises(errors.RecordedMeanwhile):
        book.decide(do.Attend(**about(made, now=STARTS), came=True, pupils=8, version=made.version))
    assert book.decide(do.Attend(**about(made, now=STARTS), came=True, pupils=8, version=first.version)).version == 3


def test_a_group_that_came_has_at_least_one_pupil():
    book = ledger()
    made = book.decide(register())
    with pytest.raises(errors.AttendedByNobody):
        book.decide(do.Attend(**about(made, now=STARTS), came=True, pupils=0))


def test_no_more_pupils_came_than_the_date_has_places():
    book = ledger(slot(places=30))
    made = book.decide(register("9a", 10))
    with pytest.raises(errors.AttendedByTooMany):
        book.decide(do.Attend(**about(made, now=STARTS), came=True, pupils=31))
    assert book.decide(do.Attend(**about(made, now=STARTS), came=True, pupils=30)).pupils_attended == 30


def test_only_groups_with_places_have_an_attendance():
    book = ledger(slot(places=10))
    book.decide(register("9a", 10))
    waiting = book.decide(register("9b", 10))
    with pytest.raises(errors.HoldsNoPlaces):
        book.decide(do.Attend(**about(waiting, now=STARTS), came=True, pupils=1))


def test_an_unknown_registration_is_not_found():
    with pytest.raises(errors.RegistrationNotFound):
        ledger().decide(do.Approve(**about("nobody", now=NOW)))
