"""What a teacher reads before sending a registration."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.events.domain.facts import Slot
from services.events.domain.warnings import warnings_of_day, warnings_of_group
from tests.support.events_world import STARTS, slot

NONE: frozenset[date] = frozenset()


def kinds_of_group(held: Slot, grade: int | None = 9, pupils: int | None = 20) -> list[str]:
    return [each.kind for each in warnings_of_group(held, grade, pupils)]


def on(day: date) -> Slot:
    starts = datetime(day.year, day.month, day.day, 9)
    return slot(starts_local=starts, ends_local=starts + timedelta(hours=3), starts_utc=starts.replace(tzinfo=UTC))


def test_an_ordinary_school_day_and_a_class_that_fits_need_no_warning() -> None:
    assert warnings_of_day(on(date(2026, 12, 1)), NONE) == []
    assert kinds_of_group(slot()) == []


@pytest.mark.parametrize(
    ("day", "name"), [(date(2026, 10, 20), "Herbstferien"), (date(2026, 12, 5), "Samstag"), (date(2026, 12, 25), None)]
)
def test_holidays_and_weekends_are_named(day: date, name: str | None) -> None:
    found = warnings_of_day(on(day), NONE)
    assert [each.kind for each in found] == ["day_off"]
    assert name is None or found[0].name_de == name


def test_the_schools_own_movable_day_is_another_warning() -> None:
    day = date(2026, 12, 1)
    assert [each.kind for each in warnings_of_day(on(day), frozenset({day}))] == ["movable_day"]


def test_a_day_beyond_the_known_holidays_is_no_reason_to_warn() -> None:
    assert warnings_of_day(on(date(2090, 5, 2)), NONE) == []


@pytest.mark.parametrize(("grade", "minutes", "warned"), [(9, 421, True), (9, 420, False), (10, 500, False)])
def test_more_than_seven_hours_are_too_many_where_some_are_under_15(grade: int, minutes: int, warned: bool) -> None:
    held = slot(ends_utc=STARTS + timedelta(minutes=minutes))
    assert ("under_15" in kinds_of_group(held, grade)) is warned


@pytest.mark.parametrize(
    ("changes", "pupils", "kinds"),
    [
        ({}, 30, []), ({}, 31, ["never_fits"]), ({"taken": 20, "groups_taken": 1}, 10, []),
        ({"taken": 20, "groups_taken": 1}, 11, ["does_not_fit"]), ({"taken": 30, "groups_taken": 2}, 5, ["full"]),
        ({"taken": 9, "groups_taken": 3}, None, ["full"]), ({"waiting": 2}, 5, ["others_first"]),
        ({"waiting": 2, "waiting_list": "next_that_fits"}, 5, []), ({}, None, []),
    ],
)  # fmt: skip
def test_a_class_that_gets_no_places_at_once_is_told_why(changes: dict, pupils: int | None, kinds: list[str]) -> None:
    assert kinds_of_group(slot(**changes), 9, pupils) == kinds
