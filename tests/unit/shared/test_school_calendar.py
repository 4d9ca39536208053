from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.school_calendar import (
    KNOWN_FROM,
    CalendarUnknown,
    DayOff,
    WallTimeDoesNotExist,
    ZoneUnknown,
    add_school_days,
    day_off,
    is_school_day,
    known_until,
    local_to_utc,
    school_days_before,
    series,
)

known_days = st.dates(date(2024, 1, 1), date(2028, 12, 31))
few = st.integers(0, 40)
movable_days = st.frozensets(known_days, max_size=4)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 12, 24), DayOff("school_holiday", "Weihnachtsferien", "Christmas Break")),
        (date(2027, 1, 5), DayOff("school_holiday", "Weihnachtsferien", "Christmas Break")),
        (date(2026, 12, 25), DayOff("public_holiday", "Erster Weihnachtstag", "Christmas Day")),
        (date(2027, 5, 1), DayOff("public_holiday", "Erster Mai", "Labor Day")),
        (date(2026, 6, 4), DayOff("public_holiday", "Fronleichnam", "Corpus Christi")),
        (date(2026, 4, 1), DayOff("school_holiday", "Osterferien", "Easter Break")),
        (date(2026, 5, 26), DayOff("school_holiday", "Pfingstferien", "Whit Break")),
        (date(2026, 8, 1), DayOff("school_holiday", "Sommerferien", "Summer Break")),
        (date(2026, 11, 21), DayOff("weekend", "Samstag", "Saturday")),
        (date(2026, 11, 22), DayOff("weekend", "Sonntag", "Sunday")),
        (date(2026, 9, 2), None),
        (date(2026, 10, 16), None),
    ],
)
def test_a_day_off_says_why(day, expected):
    assert day_off(day) == expected


def test_a_movable_day_is_off_only_for_the_school_that_has_it():
    rose_monday = date(2027, 2, 8)
    assert day_off(rose_monday) is None
    assert day_off(rose_monday, frozenset({rose_monday})).kind == "movable_day"
    assert not is_school_day(rose_monday, frozenset({rose_monday}))


def test_the_day_after_the_last_known_school_holiday_is_unknown():
    assert known_until() >= date(2029, 8, 14)
    last = known_until()
    assert day_off(last) is not None
    for day in (last + timedelta(days=1), date(2099, 12, 25), KNOWN_FROM - timedelta(days=1)):
        with pytest.raises(CalendarUnknown) as caught:
            is_school_day(day)
        assert f"{day:%d.%m.%Y}" in caught.value.reason_de
        assert f"{last}" in caught.value.reason_en


def test_counting_school_days_beyond_the_known_calendar_is_refused():
    with pytest.raises(CalendarUnknown):
        add_school_days(known_until() - timedelta(days=60), 60)


def test_school_days_are_counted_over_a_weekend_and_a_holiday():
    assert add_school_days(date(2026, 11, 20), 1) == date(2026, 11, 23)
    assert add_school_days(date(2026, 10, 16), 1) == date(2026, 11, 2)
    assert add_school_days(date(2027, 2, 5), 1, frozenset({date(2027, 2, 8)})) == date(2027, 2, 9)
    assert school_days_before(date(2026, 11, 2), 1) == date(2026, 10, 16)
    assert add_school_days(date(2026, 11, 21), 0) == date(2026, 11, 21)


def test_a_negative_number_of_school_days_is_refused():
    with pytest.raises(ValueError):
        add_school_days(date(2026, 11, 20), -1)


@given(known_days, few.filter(bool), movable_days)
def test_the_nth_school_day_is_one_with_n_of_them_on_the_way(start, n, movable):
    assume(start < date(2028, 6, 1))
    end = add_school_days(start, n, movable)
    passed = [start + timedelta(days=i) for i in range(1, (end - start).days + 1)]
    assert is_school_day(end, movable)
    assert sum(is_school_day(day, movable) for day in passed) == n


@given(known_days, few, few, movable_days)
def test_adding_school_days_in_two_steps_is_adding_them_at_once(start, a, b, movable):
    assert add_school_days(add_school_days(start, a, movable), b, movable) == add_school_days(start, a + b, movable)


@given(known_days, few, movable_days)
def test_going_back_undoes_going_forward_from_a_school_day(start, n, movable):
    assume(is_school_day(start, movable))
    assert school_days_before(add_school_days(start, n, movable), n, movable) == start


def test_the_hour_that_spring_skips_does_not_exist():
    with pytest.raises(WallTimeDoesNotExist) as caught:
        local_to_utc(datetime(2027, 3, 28, 2, 30), "Europe/Berlin")
    assert "28.03.2027 02:30" in caught.value.reason_de
    assert local_to_utc(datetime(2027, 3, 28, 1, 59), "Europe/Berlin") == datetime(2027, 3, 28, 0, 59, tzinfo=UTC)
    assert local_to_utc(datetime(2027, 3, 28, 3, 0), "Europe/Berlin") == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("fold", [0, 1])
def test_the_hour_that_autumn_repeats_means_its_first_occurrence(fold):
    local = datetime(2026, 10, 25, 2, 30, fold=fold)
    assert local_to_utc(local, "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert local_to_utc(datetime(2026, 10, 25, 3, 0), "Europe/Berlin") == datetime(2026, 10, 25, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Siegen", "../../etc/passwd", "Europe", ""])
def test_an_unknown_zone_is_named(zone):
    with pytest.raises(ZoneUnknown):
        local_to_utc(datetime(2026, 11, 20, 9, 0), zone)


def test_an_aware_time_is_refused():
    with pytest.raises(ValueError):
        local_to_utc(datetime(2026, 11, 20, 9, 0, tzinfo=UTC), "Europe/Berlin")


def test_a_weekly_series_leaves_out_days_off_and_says_why():
    tuesdays = series([1], date(2026, 10, 13), date(2026, 11, 3))
    assert tuesdays.dates == (date(2026, 10, 13), date(2026, 11, 3))
    assert [(each.day, each.reason.name_de) for each in tuesdays.skipped] == [
        (date(2026, 10, 20), "Herbstferien"),
        (date(2026, 10, 27), "Herbstferien"),
    ]


def test_a_series_can_keep_days_off_and_know_movable_days():
    christmas = (date(2026, 12, 23), date(2026, 12, 30))
    assert series([2], *christmas, skip=lambda day: None).dates == christmas
    rose_monday = frozenset({date(2027, 2, 8)})
    mondays = series([0], date(2027, 2, 1), date(2027, 2, 15), skip=lambda day: day_off(day, rose_monday))
    assert mondays.dates == (date(2027, 2, 1), date(2027, 2, 15))
    assert mondays.skipped[0].reason.kind == "movable_day"


def test_a_series_keeps_the_wall_time_across_the_clock_change():
    mondays = series([0], date(2027, 3, 15), date(2027, 4, 5), skip=lambda day: None)
    moments = [local_to_utc(datetime(day.year, day.month, day.day, 9), "Europe/Berlin") for day in mondays.dates]
    assert [moment.hour for moment in moments] == [8, 8, 7, 7]


@pytest.mark.parametrize(
    ("weekdays", "start", "end"),
    [([7], date(2026, 11, 2), date(2026, 11, 9)), ([0], date(2026, 11, 9), date(2026, 11, 2))],
)
def test_a_series_without_sense_is_refused(weekdays, start, end):
    with pytest.raises(ValueError):
        series(weekdays, start, end)


@given(st.sets(st.integers(0, 6)), known_days, st.integers(0, 120))
def test_a_series_has_every_such_weekday_once_kept_or_skipped(weekdays, start, length):
    end = start + timedelta(days=length)
    made = series(weekdays, start, end)
    both = sorted([*made.dates, *(each.day for each in made.skipped)])
    assert both == [day for i in range(length + 1) if (day := start + timedelta(days=i)).weekday() in weekdays]
    assert all(is_school_day(day) for day in made.dates)
