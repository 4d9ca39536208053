"""Places that come free go to those who wait, in the same decision."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.domain.deadlines import offer_deadline
from shared.schemas.events import OfferedPlacesExpired, PlacesOffered, RegistrationConfirmed
from tests.support.events_world import NOW, STARTS, about, ledger, register, school, slot


def _queue(policy, *sizes, places=30, groups=10):
    """A full slot with one group that holds everything, and waiting groups of these sizes."""
    book = ledger(slot(places=places, groups=groups, waiting_list=policy))
    holder = book.decide(register("holder", places))
    waiting = [book.decide(register(f"w{n}", size, school_id="school-2")) for n, size in enumerate(sizes)]
    return book, holder, waiting


def _state(book, registration):
    return book.registrations[registration.id].state


def test_places_that_come_free_are_offered_to_the_first_who_waits_and_held():
    book, holder, (first, second) = _queue("strict_order", 20, 20)
    book.decide(do.Cancel(**about(holder), by="school"))
    assert (_state(book, first), _state(book, second)) == ("offered", "waitlisted")
    assert (book.slot.taken, book.slot.groups_taken, book.slot.waiting) == (20, 1, 1)
    message = book.messages[-1]
    assert isinstance(message, PlacesOffered)
    assert message.registration.offer_expires_at == book.registrations[first.id].offer_expires_at


def test_several_who_wait_get_places_when_they_all_fit():
    book, holder, waiting = _queue("strict_order", 10, 10, 10, 1)
    book.decide(do.Cancel(**about(holder), by="school"))
    assert [_state(book, each) for each in waiting] == ["offered", "offered", "offered", "waitlisted"]


def test_in_strict_order_nobody_passes_the_first_who_waits():
    book, holder, (first, second) = _queue("strict_order", 25, 5)
    book.decide(do.Resize(**about(holder), pupils=10))
    assert (_state(book, first), _state(book, second)) == ("waitlisted", "waitlisted")
    assert book.slot.free == 20
    (run,) = book.runs
    assert [skip.registration_id for skip in run.skipped] == [first.id]
    assert run.skipped[0].reason == "group_larger_than_free_places"


def test_in_strict_order_a_group_with_places_does_not_grow_into_those_that_others_wait_for():
    book, holder, (first,) = _queue("strict_order", 25)
    smaller = book.decide(do.Resize(**about(holder), pupils=10))
    with pytest.raises(errors.OthersWaitFirst):
        book.decide(do.Resize(**about(smaller, request_id="grow"), pupils=11))
    assert book.decide(do.Resize(**about(smaller, request_id="shrink"), pupils=9)).group.pupils == 9
    assert book.registrations[first.id].state == "waitlisted"


def test_growing_beyond_the_free_places_is_refused_as_full_though_others_wait():
    book = ledger(slot(places=30, waiting_list="strict_order"))
    first = book.decide(register("9a", 20))
    book.decide(register("9b", 10, school_id="school-2"))
    book.decide(register("9c", 5, school_id="school-2"))
    with pytest.raises(errors.SlotIsFull):
        book.decide(do.Resize(**about(first), pupils=21))


def test_where_the_next_that_fits_gets_places_a_group_may_grow():
    book, holder, _ = _queue("next_that_fits", 25)
    smaller = book.decide(do.Resize(**about(holder), pupils=10))
    assert book.decide(do.Resize(**about(smaller, request_id="grow"), pupils=11)).group.pupils == 11


def test_next_that_fits_passes_a_group_that_is_too_large_and_records_it():
    book, holder, (first, second, third) = _queue("next_that_fits", 25, 5, 15)
    book.decide(do.Resize(**about(holder), pupils=10))
    assert [_state(book, each) for each in (first, second, third)] == ["waitlisted", "offered", "offered"]
    (run,) = book.runs
    assert run.offered == (second.id, third.id)
    assert [(skip.registration_id, skip.pupils) for skip in run.skipped] == [(first.id, 25)]
    assert (run.free, run.skipped_in_all) == (20, 1)


def test_free_places_without_room_for_another_group_promote_nobody():
    book, holder, (first,) = _queue("next_that_fits", 5, groups=1)
    book.decide(do.Resize(**about(holder), pupils=10))
    assert _state(book, first) == "waitlisted"
    assert book.runs[0].skipped[0].reason == "no_room_for_another_group"


def test_a_smaller_waiting_group_that_now_fits_is_offered_the_places():
    book, holder, (first,) = _queue("strict_order", 25)
    book.decide(do.Resize(**about(holder), pupils=10))
    smaller = book.decide(do.Resize(**about(first), pupils=20))
    assert smaller.state == "waitlisted"  # what was decided of the command itself; the offer follows in the same write
    assert _state(book, first) == "offered"


def test_when_the_first_who_waits_leaves_the_next_is_looked_at():
    book, holder, (first, second) = _queue("strict_order", 25, 15)
    book.decide(do.Resize(**about(holder), pupils=10))
    book.decide(do.Cancel(**about(first), by="school"))
    assert _state(book, second) == "offered"


def test_accepting_confirms_also_where_the_company_approves():
    book, holder, (first,) = _queue("strict_order", 20)
    book.decide(do.Cancel(**about(holder), by="school"))
    accepted = book.decide(do.Accept(**about(first)))
    assert (accepted.state, accepted.offer_expires_at) == ("confirmed", None)
    assert isinstance(book.messages[-1], RegistrationConfirmed)
    with pytest.raises(errors.AlreadyConfirmed):
        book.decide(do.Accept(**about(first)))


def test_who_was_offered_nothing_cannot_accept():
    book, _, (first,) = _queue("strict_order", 20)
    with pytest.raises(errors.NothingOffered):
        book.decide(do.Accept(**about(first)))


def test_an_offer_that_is_over_cannot_be_accepted_even_before_the_worker_noticed():
    book, holder, (first,) = _queue("strict_order", 20)
    book.decide(do.Cancel(**about(holder), by="school"))
    until = book.registrations[first.id].offer_expires_at
    with pytest.raises(errors.OfferHasExpired):
        book.decide(do.Accept(**about(first, now=until)))


def test_an_offer_expires_and_the_next_gets_the_places_in_the_same_decision():
    book, holder, (first, second) = _queue("strict_order", 20, 25)
    book.decide(do.Cancel(**about(holder), by="school"))
    until = book.registrations[first.id].offer_expires_at
    assert book.decide(do.Expire(**about(first, now=until - timedelta(seconds=1)))).state == "offered"
    assert book.decide(do.Expire(**about(first, now=until))).state == "expired"
    assert _state(book, second) == "offered"
    assert isinstance(book.messages[-2], OfferedPlacesExpired)
    with pytest.raises(errors.OfferHasExpired):
        book.decide(do.Accept(**about(first, now=until)))


def test_an_offer_is_held_until_six_in_the_evening_of_the_second_school_day():
    friday = datetime(2026, 11, 13, 9, 0, tzinfo=UTC)
    assert offer_deadline(friday, slot(), frozenset()) == datetime(2026, 11, 17, 17, 0, tzinfo=UTC)


def test_days_off_and_the_schools_own_do_not_count_against_an_offer():
    friday = datetime(2026, 11, 13, 9, 0, tzinfo=UTC)
    monday_off = frozenset({date(2026, 11, 16)})
    assert offer_deadline(friday, slot(), monday_off) == datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
    before_autumn_holidays = datetime(2026, 10, 16, 9, 0, tzinfo=UTC)
    assert offer_deadline(before_autumn_holidays, slot(), frozenset()).date() == date(2026, 11, 3)


def test_an_offer_is_never_held_beyond_the_slots_start():
    evening_before = STARTS - timedelta(hours=15)
    assert offer_deadline(evening_before, slot(), frozenset()) == STARTS


def test_where_the_calendar_is_not_known_mondays_to_fridays_count():
    later = slot(starts_utc=datetime(2035, 6, 1, 8, tzinfo=UTC))
    friday = datetime(2035, 3, 2, 9, tzinfo=UTC)
    assert offer_deadline(friday, later, frozenset()) == datetime(2035, 3, 6, 17, tzinfo=UTC)


def test_the_promoted_schools_own_days_off_count():
    closed_soon = school(2, movable_days=frozenset({date(2026, 10, 6), date(2026, 10, 7)}))
    book = ledger(slot(places=10, waiting_list="strict_order"), schools=[school(1), closed_soon])
    holder = book.decide(register("9a", 10))
    waiting = book.decide(register("9b", 5, school_id="school-2"))
    book.decide(do.Cancel(**about(holder), by="school"))
    assert book.registrations[waiting.id].offer_expires_at == datetime(2026, 10, 9, 16, 0, tzinfo=UTC)


def test_nobody_is_promoted_once_the_slot_has_started():
    book, holder, (first,) = _queue("strict_order", 20)
    book.decide(do.Attend(**about(holder, now=STARTS), came=True, pupils=30))
    assert _state(book, first) == "waitlisted"


def test_declining_a_request_promotes_as_well():
    book = ledger(slot(places=10, approval="company"))
    asked = book.decide(register("9a", 10))
    waiting = book.decide(register("9b", 10))
    book.decide(do.Decline(**about(asked)))
    assert _state(book, waiting) == "offered"
    assert book.registrations[waiting.id].offer_expires_at > NOW
