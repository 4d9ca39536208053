"""Which mails have to wait for others: a rule about rows, without a database."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain import Delivery, Recipient
from services.notify.store.deliveries import delivery_document
from services.notify.store.order import behind
from services.notify.urgency import REMINDER, SIGN_IN, TRANSITION
from shared.mongo import Document
from tests.support.notify_builders import NOW

PRIORITIES = (SIGN_IN, TRANSITION, REMINDER)


def planned(
    key: str, *, about: str = "registration:1", email: str = "tessa@schule.example", priority: int = TRANSITION,
    now: datetime = NOW,
) -> Delivery:  # fmt: skip
    """A delivery that was planned at `now` and is due at once."""
    return Delivery(
        key=key, kind="registration_confirmed", about=about, to=Recipient("teacher", "Tessa", email, "de", "t1"),
        priority=priority, due_at=now, gives_up_at=now + timedelta(days=1), erase_after=now + timedelta(days=90),
        planned_at=now, message_id=f"<{key}@perspektive.example>",
    )  # fmt: skip


def row(key: str, **facts: object) -> Document:
    return delivery_document(planned(key, **facts))  # type: ignore[arg-type]


def test_a_mail_waits_for_an_earlier_one_about_the_same_thing_to_the_same_address():
    first, second = row("first"), row("second", email="Tessa@schule.example")
    assert behind([second], [first]) == {"second"}
    assert behind([first], [second]) == set()


def test_other_things_other_addresses_and_less_urgent_mails_hold_nobody_up():
    others = [row("1", about="registration:2"), row("2", email="b@firma.example"), row("3", priority=REMINDER)]
    assert behind([row("later")], others) == set()


def test_a_less_urgent_mail_waits_for_a_more_urgent_one_from_before():
    urgent = row("first", priority=SIGN_IN)
    assert behind([row("later", priority=REMINDER)], [urgent]) == {"later"}


def test_the_moment_of_planning_counts_before_the_number():
    second = row("second", now=NOW + timedelta(seconds=1))
    first = row("first")
    assert first["order"] > second["order"], "another process planned it, whose numbers are others"
    assert behind([second], [first]) == {"second"}
    assert behind([first], [second]) == set()


def test_of_two_that_wait_the_one_that_was_due_first_is_next_and_one_on_its_way_counts_as_planned():
    first, second = row("first"), row("second", now=NOW + timedelta(seconds=1))
    put_off = {**first, "due_at": NOW + timedelta(minutes=5)}
    assert behind([second], [put_off]) == set()
    on_its_way = {name: value for name, value in put_off.items() if name != "waiting"}
    assert behind([second], [on_its_way]) == {"second"}


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(PRIORITIES), st.integers(0, 2)), min_size=1), st.data()
)
def test_somebody_can_always_go_on(mails: list[tuple[str, int, int]], data: st.DataObject):
    rows = [
        row(str(number), about=about, priority=priority, now=NOW + timedelta(seconds=seconds))
        for number, (about, priority, seconds) in enumerate(mails)
    ]
    taken = data.draw(st.lists(st.sampled_from(rows), min_size=1, unique_by=lambda each: each["_id"]))
    others = [each for each in rows if each not in taken]
    late = behind(taken, others)
    assert len(late) < len(taken) or behind(others, taken) < {each["_id"] for each in others}
    for each in taken:
        same = [other for other in others if (other["about"], other["priority"]) == (each["about"], each["priority"])]
        earlier = [
            other for other in same if (other["planned_at"], other["order"]) < (each["planned_at"], each["order"])
        ]
        assert each["_id"] in late or not earlier
