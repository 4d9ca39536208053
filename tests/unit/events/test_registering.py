"""Who may register, and what becomes of a new group."""

from datetime import date, timedelta

import pytest

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.domain.ledger import MOST_WAITING
from shared.schemas.events import RegistrationConfirmed, RegistrationRequested, RegistrationWaitlisted
from tests.support.events_world import NOW, STARTS, about, campaign, ledger, offer, register, school, slot


def test_a_group_that_fits_is_confirmed_and_told_so():
    book = ledger()
    made = book.decide(register("9a", 10))
    assert made.state == "confirmed" and made.version == 1
    assert (book.slot.taken, book.slot.groups_taken, book.slot.waiting) == (10, 1, 0)
    (message,) = book.messages
    assert isinstance(message, RegistrationConfirmed)
    assert message.registration.slot.offer.company_name == "Beispiel GmbH"
    assert (message.aggregate, message.aggregate_version) == (f"registration:{made.id}", 1)


def test_where_the_company_approves_a_group_asks_and_its_places_are_held():
    book = ledger(slot(approval="company"))
    assert book.decide(register("9a", 10)).state == "requested"
    assert book.slot.taken == 10
    assert isinstance(book.messages[0], RegistrationRequested)


def test_adults_take_no_places():
    book = ledger(slot(places=10))
    assert book.decide(register("9a", 10)).state == "confirmed"
    assert book.slot.free == 0


def test_a_group_that_does_not_fit_waits_whole():
    book = ledger(slot(places=15))
    book.decide(register("9a", 10))
    waiting = book.decide(register("9b", 10))
    assert (waiting.state, waiting.position, waiting.held) == ("waitlisted", 1, 0)
    assert (book.slot.taken, book.slot.waiting) == (10, 1)
    assert isinstance(book.messages[1], RegistrationWaitlisted)


def test_a_full_slot_refuses_another_group_when_it_has_no_waiting_list():
    book = ledger(slot(places=15, waiting_list="none"))
    book.decide(register("9a", 10))
    with pytest.raises(errors.SlotIsFull) as refused:
        book.decide(register("9b", 10))
    assert refused.value.values == {"free": 5, "free_groups": 2, "asked": 10}
    assert len(book.messages) == 1


def test_a_slot_whose_groups_are_all_taken_is_full_though_places_are_free():
    book = ledger(slot(groups=1, waiting_list="none"))
    book.decide(register("9a", 1))
    with pytest.raises(errors.SlotIsFull):
        book.decide(register("9b", 1))


def test_who_does_not_want_to_wait_is_refused():
    book = ledger(slot(places=10))
    book.decide(register("9a", 10))
    with pytest.raises(errors.SlotIsFull):
        book.decide(register("9b", 1, waitlist=False))


def test_in_strict_order_a_newcomer_queues_behind_those_who_wait():
    book = ledger(slot(places=15, waiting_list="strict_order"))
    book.decide(register("9a", 10))
    book.decide(register("9b", 10))
    assert book.decide(register("9c", 5)).state == "waitlisted"
    with pytest.raises(errors.OthersWaitFirst):
        book.decide(register("9d", 5, waitlist=False))


def test_next_that_fits_lets_a_newcomer_take_what_nobody_who_waits_can_use():
    book = ledger(slot(places=15, waiting_list="next_that_fits"))
    book.decide(register("9a", 10))
    book.decide(register("9b", 10))
    assert book.decide(register("9c", 5)).state == "confirmed"


def test_a_group_larger_than_the_slot_can_never_fit():
    with pytest.raises(errors.GroupTooLarge) as refused:
        ledger(slot(places=30)).decide(register("9a", 31))
    assert refused.value.values == {"asked": 31, "places": 30}


def test_a_group_is_registered_once_however_its_name_is_written():
    book = ledger()
    made = book.decide(register("9a", 5))
    with pytest.raises(errors.AlreadyRegistered) as refused:
        book.decide(register("9 A", 5))
    assert refused.value.values["registration_id"] == made.id


def test_the_same_name_at_another_school_is_another_group():
    book = ledger()
    book.decide(register("9a", 5, school_id="school-1"))
    assert book.decide(register("9a", 5, school_id="school-2")).state == "confirmed"


def test_a_group_can_come_back_after_it_was_cancelled():
    book = ledger()
    made = book.decide(register("9a", 5))
    book.decide(do.Cancel(**about(made), by="school"))
    assert book.decide(register("9a", 5)).state == "confirmed"


def test_the_same_request_again_finds_the_registration_it_made():
    book = ledger()
    first = book.decide(register("9a", 5, request_id="r1"))
    assert book.decide(register("9a", 5, request_id="r1")) == first
    assert len(book.messages) == 1 and book.slot.taken == 5


def test_a_school_sends_no_more_groups_than_the_slot_allows():
    book = ledger(slot(groups_per_school=1))
    book.decide(register("9a", 5))
    with pytest.raises(errors.SchoolHasItsGroups):
        book.decide(register("9b", 5))
    assert book.decide(register("9b", 5, school_id="school-2")).state == "confirmed"


def test_booking_opens_at_the_campaigns_date_and_not_before():
    opens = campaign(booking_from=NOW + timedelta(seconds=1))
    with pytest.raises(errors.BookingNotOpenYet):
        ledger(during=opens).decide(register())
    assert ledger(during=opens).decide(register(now=NOW + timedelta(seconds=1))).state == "confirmed"


def test_booking_closes_with_the_campaign():
    with pytest.raises(errors.BookingIsClosed):
        ledger(during=campaign(closes_at=NOW)).decide(register())


def test_the_time_when_booking_opens_is_named_as_wall_time():
    opens = campaign(booking_from=NOW + timedelta(days=1))
    with pytest.raises(errors.BookingNotOpenYet) as refused:
        ledger(during=opens).decide(register())
    assert refused.value.values["booking_from"].hour == 10  # 08:00 UTC in October


def test_a_slot_that_has_started_takes_nobody():
    late = campaign(closes_at=STARTS + timedelta(days=9))
    with pytest.raises(errors.SlotHasStarted):
        ledger(during=late).decide(register(now=STARTS))
    assert ledger(during=late).decide(register(now=STARTS - timedelta(seconds=1))).state == "confirmed"


def test_a_cancelled_slot_takes_nobody():
    with pytest.raises(errors.SlotIsCancelled):
        ledger(slot(state="cancelled")).decide(register())


@pytest.mark.parametrize("state", ["paused", "withdrawn"])
def test_an_offer_that_is_not_published_takes_nobody(state):
    with pytest.raises(errors.OfferTakesNoBookings):
        ledger(offered=offer(state=state)).decide(register())


def test_an_unknown_or_closed_school_cannot_register():
    with pytest.raises(errors.SchoolUnknown):
        ledger(schools=[]).decide(register())
    with pytest.raises(errors.SchoolIsClosed):
        ledger(schools=[school(open=False)]).decide(register())


def test_a_school_outside_the_campaigns_districts_cannot_register():
    with pytest.raises(errors.SchoolNotInCampaign):
        ledger(schools=[school(district_ags="05966")]).decide(register())
    everywhere = campaign(districts=())
    assert ledger(during=everywhere, schools=[school(district_ags="05966")]).decide(register()).state == "confirmed"


def test_on_its_own_movable_holiday_a_school_is_told_so():
    closed = school(movable_days=frozenset({date(2026, 12, 1)}))
    with pytest.raises(errors.SchoolHasDayOff) as refused:
        ledger(schools=[closed]).decide(register())
    assert refused.value.values["day"] == date(2026, 12, 1)


def test_only_the_slots_grades_can_come():
    with pytest.raises(errors.GradeNotAccepted):
        ledger().decide(register(grade=7))


def test_requirements_must_be_acknowledged_where_there_are_any():
    strict = offer(requirements=["Feste Schuhe"])
    with pytest.raises(errors.RequirementsNotAcknowledged):
        ledger(offered=strict).decide(register(acknowledged=False))
    assert ledger(offered=strict).decide(register(acknowledged=True)).state == "confirmed"
    assert ledger().decide(register(acknowledged=False)).state == "confirmed"


def test_a_waiting_list_has_an_end():
    with pytest.raises(errors.WaitingListIsFull):
        ledger(slot(places=10, taken=10, groups_taken=1, waiting=MOST_WAITING)).decide(register())
