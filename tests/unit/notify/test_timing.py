"""When reminders come: school days, quiet hours, offsets of offer and campaign."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from services.notify.timing import (
    OffDay,
    QuietHours,
    off_days,
    offsets_for,
    parse_quiet_hours,
    reminder_times,
    waits_for_morning,
    week_of,
)
from shared.offsets import USUAL, DaysBefore, HoursBefore, Offset
from tests.support.notify_builders import offer
from tests.unit.notify.test_delivery_rules import COMPANY, NOW, delivery

ZONE = "Europe/Berlin"
QUIET = QuietHours(time(20), time(7), ZONE)
TEACHERS, COMPANIES, PUPILS = off_days("teacher"), off_days("company"), off_days("pupil")


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(ZONE))  # type: ignore[misc, arg-type]


def times(
    starts: datetime, *offsets: Offset, off: OffDay = TEACHERS, quiet: QuietHours | None = None, now: datetime = NOW
) -> list[tuple[str, datetime]]:
    found = reminder_times(starts, ZONE, offsets, now, off, quiet)
    return [(str(offset), moment.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)) for offset, moment in found]


def test_a_reminder_of_a_weekend_comes_on_the_friday_before() -> None:
    monday = datetime(2026, 11, 23, 9)
    assert times(monday, DaysBefore(2)) == [("2d", datetime(2026, 11, 20, 8))]


def test_a_reminder_within_school_holidays_comes_to_teachers_on_the_last_school_day_and_to_companies_then() -> None:
    after_christmas = datetime(2027, 1, 14, 9)  # the holidays last until 6 January
    assert times(after_christmas, DaysBefore(14)) == [("14d", datetime(2026, 12, 22, 8))]
    assert times(after_christmas, DaysBefore(14), off=COMPANIES) == [("14d", datetime(2026, 12, 31, 8))]


def test_a_school_is_not_reminded_on_its_own_movable_day() -> None:
    off = off_days("teacher", [date(2026, 11, 20)])
    assert times(datetime(2026, 11, 23, 9), DaysBefore(2), off=off) == [("2d", datetime(2026, 11, 19, 8))]


def test_who_books_after_the_last_school_day_is_reminded_on_the_day_off_after_all() -> None:
    saturday = local(2026, 11, 21, 7)
    assert times(datetime(2026, 11, 23, 9), DaysBefore(2), now=saturday) == [("2d", datetime(2026, 11, 21, 8))]


def test_only_the_nearest_reminder_comes_on_a_day_off_after_all() -> None:
    christmas_eve = local(2026, 12, 24, 12)
    found = times(datetime(2027, 1, 9, 9), DaysBefore(14), DaysBefore(2), now=christmas_eve)
    assert found == [("2d", datetime(2027, 1, 7, 8))]
    found = times(datetime(2027, 1, 7, 9), DaysBefore(14), DaysBefore(2), now=christmas_eve)
    assert found == [("2d", datetime(2027, 1, 5, 8))]


def test_pupils_are_reminded_on_the_day_before_whichever_it_is() -> None:
    monday = datetime(2026, 11, 23, 9)
    found = times(monday, DaysBefore(2), DaysBefore(1), off=PUPILS)
    assert found == [("2d", datetime(2026, 11, 20, 8)), ("1d", datetime(2026, 11, 22, 8))]


def test_of_two_reminders_that_fall_on_one_day_the_nearer_one_counts() -> None:
    found = times(datetime(2026, 11, 23, 9), DaysBefore(3), DaysBefore(2), DaysBefore(1), HoursBefore(1))
    assert found == [("1d", datetime(2026, 11, 20, 8)), ("1h", datetime(2026, 11, 23, 8))]


def test_a_reminder_in_quiet_hours_waits_for_their_end_or_comes_the_evening_before() -> None:
    early, very_early = datetime(2026, 11, 24, 7, 45), datetime(2026, 11, 24, 6, 30)
    assert times(early, HoursBefore(1), quiet=QUIET) == [("1h", datetime(2026, 11, 24, 7))]
    assert times(very_early, HoursBefore(1), quiet=QUIET) == [("1h", datetime(2026, 11, 23, 19))]
    assert times(very_early, HoursBefore(1)) == [("1h", datetime(2026, 11, 24, 5, 30))]


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        (local(2026, 11, 2, 19, 59), None),
        (local(2026, 11, 2, 20), local(2026, 11, 3, 7)),
        (local(2026, 11, 3, 6, 59), local(2026, 11, 3, 7)),
        (local(2026, 11, 3, 7), None),
        (local(2026, 10, 24, 23), local(2026, 10, 25, 7)),  # the clock is put back that night
        (local(2027, 3, 27, 23), local(2027, 3, 28, 7)),
    ],
)
def test_quiet_hours_last_over_midnight_and_both_clock_changes(moment: datetime, ends: datetime | None) -> None:
    assert QUIET.until(moment.astimezone(UTC)) == ends


def test_quiet_hours_are_read_from_a_setting() -> None:
    assert parse_quiet_hours("20:00-07:00", ZONE) == QUIET
    assert parse_quiet_hours("", ZONE) is None
    assert parse_quiet_hours("13:00-13:00", ZONE) is None
    with pytest.raises(ValueError):
        parse_quiet_hours("late", ZONE)


def test_at_night_only_goes_out_what_somebody_has_just_asked_for() -> None:
    night = local(2026, 11, 2, 23)
    morning = local(2026, 11, 3, 7)
    assert waits_for_morning(delivery(kind="sign_in"), QUIET, night) is None
    at_once, approved = ({"own_act": own} for own in (True, False))
    assert waits_for_morning(delivery(kind="registration_confirmed", facts=at_once), QUIET, night) is None
    assert waits_for_morning(delivery(kind="registration_confirmed", facts=approved), QUIET, night) == morning
    for by, until in (("school", None), ("company", morning), ("coordinator", morning)):
        cancelled = delivery(kind="registration_cancelled", facts={"registration": {"cancelled_by": by}})
        assert waits_for_morning(cancelled, QUIET, night) == until
    assert waits_for_morning(delivery(kind="registration_confirmed", to=COMPANY), QUIET, night) == morning
    assert waits_for_morning(delivery(kind="slot_moved"), QUIET, night) == morning
    assert waits_for_morning(delivery(kind="slot_reminder"), QUIET, night) == morning
    by_hand = delivery(kind="slot_moved", last_request_id="r1")
    assert waits_for_morning(by_hand, QUIET, night) is None
    assert waits_for_morning(delivery(kind="slot_moved"), None, night) is None
    assert waits_for_morning(delivery(kind="slot_moved"), QUIET, morning) is None


def test_the_offers_own_offsets_go_before_the_campaigns_and_those_before_the_usual_ones() -> None:
    assert offsets_for(offer(reminders=["7d", "1h"]), ["3d"]) == (DaysBefore(7), HoursBefore(1))
    assert offsets_for(offer(reminders=[]), ["3d"]) == ()
    assert offsets_for(offer(), ["3d"]) == (DaysBefore(3),)
    assert offsets_for(offer(), []) == ()
    assert offsets_for(offer(), None) == USUAL


def test_an_offer_told_of_before_there_were_offsets_keeps_its_days() -> None:
    assert offsets_for(offer(reminder_days=[5]), ["3d"]) == (DaysBefore(5),)


def test_weeks_begin_on_mondays_in_the_zone() -> None:
    assert week_of(datetime(2026, 11, 22, 22, 59, tzinfo=UTC), ZONE) == "2026-W47"
    assert week_of(datetime(2026, 11, 22, 23, 0, tzinfo=UTC), ZONE) == "2026-W48"
