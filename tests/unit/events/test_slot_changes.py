"""Opening, moving, resizing and calling off a slot."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.domain.planning import may_offer, offered_grades, plan_series, plan_times
from shared.schemas.events import RegistrationCancelled, SlotCancelled, SlotMoved, SlotResized
from tests.support.events_world import NOW, STARTS, about, campaign, ledger, register, slot

NINE = datetime(2026, 12, 1, 9, 0)


def plan(start=NINE, hours=3.0, grades=(9,), zone="Europe/Berlin", allow=False, now=NOW, during=None):
    return plan_times(
        during or campaign(), grades, start, start + timedelta(hours=hours), zone, allow_days_off=allow, now=now
    )


def asked(**more):
    return {"now": NOW, "request_id": "r1", **more}


def test_wall_times_become_moments():
    times = plan()
    assert (times.starts_utc, times.ends_utc) == (STARTS, STARTS + timedelta(hours=3))


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (datetime(2026, 12, 5, 9), "Saturday"),
        (datetime(2026, 11, 1, 9), "All Saints' Day"),
        (datetime(2026, 12, 23, 9), "Christmas Break"),
    ],
)
def test_a_slot_on_a_day_without_school_is_refused_with_the_days_name(day, name):
    with pytest.raises(errors.SlotOnDayOff) as refused:
        plan(day, during=campaign(ends_on=date(2026, 12, 31)))
    assert refused.value.values["name_en"] == name
    assert plan(day, allow=True, during=campaign(ends_on=date(2026, 12, 31))).starts_local == day


def test_a_slot_lies_within_its_campaign():
    with pytest.raises(errors.SlotOutsideCampaign):
        plan(datetime(2026, 10, 30, 9))
    with pytest.raises(errors.SlotOutsideCampaign):
        plan(datetime(2027, 1, 12, 9))


def test_a_slot_lies_in_the_future():
    with pytest.raises(errors.SlotInThePast):
        plan(now=STARTS)


def test_a_slot_ends_after_its_start_on_the_same_day():
    for hours in (0.0, -1.0, 16.0):
        with pytest.raises(errors.SlotEndsBeforeItStarts):
            plan(hours=hours)


def test_pupils_under_15_stay_seven_hours_at_most():
    assert plan(hours=7, grades=(8, 9))
    with pytest.raises(errors.TooLongForUnder15) as refused:
        plan(hours=7.25, grades=(8, 9))
    assert refused.value.values["grade"] == 8
    assert plan(hours=8, grades=(9, 10))


def test_a_time_that_the_clock_skips_and_an_unknown_zone_are_refused():
    spring = campaign(starts_on=date(2027, 3, 1), ends_on=date(2027, 3, 31))
    with pytest.raises(errors.WallTimeUnknown):
        plan(datetime(2027, 3, 28, 2, 30), during=spring, allow=True)
    with pytest.raises(errors.ZoneNotKnown):
        plan(zone="Europe/Arnsberg")


def test_a_date_beyond_the_known_calendar_needs_days_off_allowed():
    far = campaign(ends_on=date(2035, 12, 31))
    with pytest.raises(errors.CalendarNotKnown):
        plan(datetime(2035, 3, 6, 9), during=far)
    assert plan(datetime(2035, 3, 6, 9), during=far, allow=True)


def test_a_series_leaves_out_days_off_and_names_them():
    times, left = plan_series([6, 1], date(2026, 12, 15), date(2026, 12, 29), time(9), time(12), skip_days_off=True)
    assert [start for start, _ in times] == [datetime(2026, 12, 15, 9), datetime(2026, 12, 22, 9)]
    assert (left[-1].day, left[-1].name_en) == (date(2026, 12, 29), "Christmas Break")


def test_a_series_without_any_day_left_is_refused():
    with pytest.raises(errors.SeriesIsEmpty):
        plan_series([6], date(2026, 12, 1), date(2026, 12, 18), time(9), time(12), skip_days_off=True)


def test_a_series_has_an_end():
    with pytest.raises(errors.SeriesTooLong):
        plan_series(list(range(7)), date(2026, 1, 1), date(2027, 12, 31), time(9), time(12), skip_days_off=False)


def test_a_slots_grades_are_among_the_offers():
    assert offered_grades(None, (8, 9)) == (8, 9)
    assert offered_grades([9], (8, 9)) == (9,)
    with pytest.raises(errors.GradesNotOffered):
        offered_grades([7], (8, 9))


def test_offers_can_be_entered_in_their_phase():
    local = NOW.replace(tzinfo=None)
    with pytest.raises(errors.OffersNotOpenYet):
        may_offer(campaign(offers_from=NOW + timedelta(1)), NOW, local, local)
    with pytest.raises(errors.CampaignIsOver):
        may_offer(campaign(), NOW, datetime(2026, 12, 19), local)
    may_offer(campaign(), NOW, local, local)


def _move(hours=24, **more):
    start = STARTS + timedelta(hours=hours)
    wall = start.replace(tzinfo=None) + timedelta(hours=1)
    times = {"starts_utc": start, "ends_utc": start + timedelta(hours=3)}
    walls = {"starts_local": wall, "ends_local": wall + timedelta(hours=3), "zone": "Europe/Berlin"}
    return do.MoveSlot(**asked(**times, **walls, **more))


def test_moving_keeps_the_registrations_and_says_so_once():
    book = ledger()
    made = book.decide(register())
    moved = book.decide(_move(reason="Messe"))
    assert moved.revision == 2 and moved.starts_utc == STARTS + timedelta(days=1)
    assert book.registrations[made.id] == made
    message = book.messages[-1]
    assert isinstance(message, SlotMoved)
    assert (message.previous_starts_local, message.reason) == (NINE, "Messe")
    assert message.aggregate_version == moved.version
    assert book.decide(_move(reason="Messe")) == moved  # the same request again
    assert len(book.messages) == 2


def test_moving_to_the_same_time_is_refused():
    with pytest.raises(errors.NothingToMove):
        ledger().decide(_move(hours=0))


def test_a_slot_never_gets_smaller_than_what_is_taken():
    book = ledger()
    book.decide(register("9a", 10))
    book.decide(register("9b", 10))
    for places, groups in ((19, 3), (20, 1)):
        with pytest.raises(errors.SlotHoldsMore) as refused:
            book.decide(do.ResizeSlot(**asked(places=places, groups=groups)))
        assert refused.value.values == {"taken": 20, "groups_taken": 2}
    assert book.decide(do.ResizeSlot(**asked(places=20, groups=2))).free == 0
    assert isinstance(book.messages[-1], SlotResized)


def test_a_slot_is_not_made_smaller_than_a_waiting_group():
    book = ledger(slot(places=20))
    book.decide(register("9a", 5))
    waiting = book.decide(register("9b", 20))
    assert waiting.state == "waitlisted"
    with pytest.raises(errors.WaitingGroupIsLarger):
        book.decide(do.ResizeSlot(**asked(places=15, groups=3)))


def test_more_places_go_to_those_who_wait():
    book = ledger(slot(places=20))
    book.decide(register("9a", 20))
    waiting = book.decide(register("9b", 10))
    book.decide(do.ResizeSlot(**asked(places=30, groups=3)))
    assert book.registrations[waiting.id].state == "offered"
    assert book.slot.free == 0


def test_a_cancelled_slot_takes_nothing_more_and_its_registrations_are_cancelled_by_the_company():
    book = ledger(slot(places=20))
    holder = book.decide(register("9a", 20))
    waiting = book.decide(register("9b", 10))
    cancelled = book.decide(do.CancelSlot(**asked(reason="Brand")))
    assert (cancelled.state, cancelled.revision) == ("cancelled", 2)
    assert isinstance(book.messages[-1], SlotCancelled)
    cleared = book.decide(do.ClearCancelledSlot(**asked()))
    assert (cleared.taken, cleared.waiting, cleared.groups_taken) == (0, 0, 0)
    for each in (holder, waiting):
        left = book.registrations[each.id]
        assert (left.state, left.cancelled_by, left.reason) == ("cancelled", "company", "Brand")
    assert [type(message) for message in book.messages[-2:]] == [RegistrationCancelled] * 2


def test_calling_off_twice_says_so_and_an_open_slot_is_never_cleared():
    book = ledger()
    book.decide(register())
    book.decide(do.ClearCancelledSlot(**asked()))
    assert book.slot.taken == 10
    book.decide(do.CancelSlot(**asked()))
    with pytest.raises(errors.AlreadyCancelled):
        book.decide(do.CancelSlot(now=NOW, request_id="r9"))


def test_places_given_back_on_a_cancelled_slot_are_offered_to_nobody():
    book = ledger(slot(places=20))
    holder = book.decide(register("9a", 20))
    waiting = book.decide(register("9b", 10))
    book.decide(do.CancelSlot(**asked()))
    book.decide(do.Cancel(**about(holder), by="school"))
    assert book.registrations[waiting.id].state == "waitlisted"


def test_a_slot_that_has_started_stays_as_it_is():
    late = {"now": STARTS, "request_id": "late"}
    for command in (do.CancelSlot(**late), do.ResizeSlot(**late, places=50, groups=5)):
        with pytest.raises(errors.SlotHasStarted):
            ledger().decide(command)


def test_two_changes_in_one_batch_have_two_versions():
    book = ledger()
    book.decide(do.ResizeSlot(now=NOW, request_id="a", places=40, groups=4))
    book.decide(do.ResizeSlot(now=NOW, request_id="b", places=50, groups=5))
    assert len({message.id for message in book.messages}) == 2
    assert [message.aggregate_version for message in book.messages] == [2, 3]
    assert datetime(2026, 12, 1, tzinfo=UTC) < STARTS


def test_a_date_that_nobody_holds_or_waits_for_can_be_taken_back():
    book = ledger()
    taken_back = book.decide(do.CancelSlot(now=NOW, request_id="take-back", only_if_empty=True))
    assert taken_back.state == "cancelled"
    booked = ledger()
    booked.decide(register())
    with pytest.raises(errors.SlotHasGroups):
        booked.decide(do.CancelSlot(now=NOW, request_id="take-back", only_if_empty=True))
    assert booked.slot.state == "open"
