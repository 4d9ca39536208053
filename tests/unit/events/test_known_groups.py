"""The classes that a school registered before, offered again."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.events.domain.entry import new_registration
from services.events.domain.facts import Registration
from services.events.domain.groups import remembered
from tests.support.events_world import NOW, register, school, slot

NAMES = ["8a", "8 A", "9b", "9c", "10d", "EF", "Q1", "7a", "7b", ""]


def registered(name: str, pupils: int, by: str, school_number: int, age: int) -> Registration:
    command = replace(register(name, pupils, school_id=f"school-{school_number}"), registered_by=by)
    made = new_registration(slot(), command, school(school_number), "confirmed")
    return replace(made, created_at=NOW - timedelta(minutes=age))


many = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(1, 30), st.sampled_from(["me", "colleague"]), st.integers(1, 2)),
    max_size=30,
).map(lambda rows: [registered(*row, age) for age, row in enumerate(rows)])


@given(many, st.integers(1, 8))
def test_each_class_is_offered_once_as_it_was_registered_last(rows: list[Registration], most: int) -> None:
    found = remembered(rows, by="me", most=most)
    latest: dict[str, Registration] = {}
    for row in rows:
        if row.group.name:
            latest.setdefault(row.key, row)
    expected = {(row.school_id, row.group.name, row.group.pupils) for row in latest.values()}
    shown = [(group.school_id, group.name, group.pupils) for group in found]
    assert len(shown) == len(set(shown)) == min(most, len(latest))
    assert set(shown) <= expected


@given(many)
def test_the_persons_own_classes_come_before_those_of_colleagues(rows: list[Registration]) -> None:
    latest = {row.key: row for row in reversed(rows) if row.group.name}
    by = {(row.school_id, row.group.name): row.registered_by for row in latest.values()}
    order = [by[(group.school_id, group.name)] == "me" for group in remembered(rows, by="me", most=50)]
    assert order == sorted(order, reverse=True)


def test_a_class_whose_name_was_erased_is_not_offered() -> None:
    assert remembered([registered("", 20, "me", 1, 0)]) == []
