"""Never twice at once, never on a blocked day, never beyond their own maximum."""

from contextlib import suppress
from datetime import UTC, date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.outreach.domain import ambassadors as rules
from services.outreach.domain.ambassadors import Ambassador, BlockDays, Booking, ChangeAmbassador, UnblockDays
from services.outreach.domain.visit_dates import week_of
from shared.errors import RuleBroken
from tests.support.visits import MONDAY, NOW, ambassador, limits, person_of, planned


def booking(visit_id: str, when, campaign_id: str = "campaign") -> Booking:
    return Booking.of("a", visit_id, campaign_id, when, "held")


def why(who: Ambassador, when, *bookings: Booking) -> str | None:
    reason = who.why_not_free(when, "campaign", bookings, "Ada")
    return type(reason).__name__ if reason else None


def test_somebody_without_bookings_is_free():
    assert why(ambassador(), planned()) is None


def test_nobody_is_booked_twice_at_the_same_time():
    busy = booking("other", planned(MONDAY, hour=9, minutes=60))
    often = ambassador(limits=limits(per_week=7))
    assert why(often, planned(MONDAY, hour=8, minutes=61), busy) == "AmbassadorIsBooked"
    assert why(often, planned(MONDAY, hour=8, minutes=60), busy) is None
    assert why(often, planned(MONDAY, hour=10, minutes=60), busy) is None


def test_an_overlap_across_zones_counts_by_the_moment():
    london = planned(MONDAY, hour=8, minutes=60).model_copy(update={"zone": "Europe/London"})
    often = ambassador(limits=limits(per_week=7))
    assert why(often, planned(MONDAY, hour=9, minutes=60), booking("other", london)) == "AmbassadorIsBooked"


def test_nobody_is_booked_on_a_blocked_day_or_weekday():
    on_day = ambassador().blocking(BlockDays(days=[MONDAY], reason="Prüfung"), [], "1", NOW.date())
    assert why(on_day, planned(MONDAY)) == "AmbassadorIsBlocked"
    assert why(on_day, planned(MONDAY + timedelta(days=7))) is None
    on_weekday = ambassador().blocking(BlockDays(weekdays=[0], reason="Berufsschule"), [], "1", NOW.date())
    assert why(on_weekday, planned(MONDAY + timedelta(days=7))) == "AmbassadorIsBlocked"
    assert why(on_weekday, planned(MONDAY + timedelta(days=1))) is None


def test_one_visit_a_week_is_the_default():
    assert why(ambassador(), planned(MONDAY + timedelta(days=4)), booking("other", planned())) == "AmbassadorWeekIsFull"
    assert why(ambassador(), planned(MONDAY + timedelta(days=7)), booking("other", planned())) is None


def test_a_week_is_the_same_across_the_turn_of_the_year():
    assert week_of(date(2026, 12, 31)) == week_of(date(2027, 1, 3)) == "2026-W53"


def test_the_campaigns_maximum_counts_only_that_campaign():
    two = ambassador(limits=limits(per_campaign=2))
    weeks = [booking(str(n), planned(MONDAY + timedelta(days=7 * n))) for n in range(2)]
    later = planned(MONDAY + timedelta(days=21))
    assert why(two, later, *weeks) == "AmbassadorCampaignIsFull"
    assert why(two, later, weeks[0], booking("1", weeks_later(1), "another")) is None


def weeks_later(count: int):
    return planned(MONDAY + timedelta(days=7 * count))


def test_who_lost_the_role_is_not_asked():
    who = ambassador()
    person = person_of(who)
    assert why(who.as_person(person), planned()) is None
    assert why(who.as_person(person.model_copy(update={"roles": ()})), planned()) == "AmbassadorHasLeft"
    assert why(who.as_person(None), planned()) == "AmbassadorHasLeft"


def test_a_day_with_a_visit_cannot_be_blocked():
    taken = booking("other", planned())
    for command in (BlockDays(days=[MONDAY]), BlockDays(weekdays=[0])):
        with pytest.raises(rules.BlockedDayHasVisit) as refused:
            ambassador().blocking(command, [taken], "1", NOW.date())
        assert refused.value.values["date"] == taken.starts_local
    assert ambassador().blocking(BlockDays(weekdays=[1]), [taken], "1", NOW.date()).version == 2


def test_blocked_days_are_freed_again_and_past_ones_forgotten():
    past = MONDAY - timedelta(days=7)
    who = ambassador().blocking(BlockDays(days=[past, MONDAY], weekdays=[2]), [], "1", past)
    assert [each.day for each in who.blocked_days] == [past, MONDAY]
    who = who.blocking(BlockDays(days=[MONDAY + timedelta(days=1)]), [], "2", MONDAY)
    assert [each.day for each in who.blocked_days] == [MONDAY, MONDAY + timedelta(days=1)]
    who = who.unblocking(UnblockDays(days=[MONDAY], weekdays=[2]), "3")
    assert [each.day for each in who.blocked_days] == [MONDAY + timedelta(days=1)]
    assert who.blocked_weekdays == ()


def test_nothing_to_block_is_refused():
    with pytest.raises(ValueError):
        BlockDays(reason="Urlaub")


def test_limits_do_not_fall_below_what_is_booked():
    taken = [booking("1", planned()), booking("2", planned(MONDAY + timedelta(days=1)))]
    who = ambassador(limits=limits(per_week=2))
    one = ChangeAmbassador(limits=limits(per_week=1), fields=["M"])
    with pytest.raises(rules.LimitBelowBookings):
        who.with_settings(one, taken, "1", NOW)
    after = planned(MONDAY + timedelta(days=2)).starts_utc
    assert who.with_settings(one, taken, "1", after).limits.per_week == 1


def test_an_unknown_field_is_refused():
    with pytest.raises(rules.AmbassadorFieldUnknown):
        ambassador().with_settings(ChangeAmbassador(limits=limits(), fields=["XX"]), [], "1", NOW)


def test_the_distance_is_known_only_when_both_places_are():
    assert ambassador(home_postal_code="57462").distance_km(50.87, 8.02) == pytest.approx(21, abs=4)
    assert ambassador(home_postal_code="10115").distance_km(50.87, 8.02) is None
    assert ambassador().distance_km(50.87, 8.02) is None


DAYS = st.integers(0, 20).map(lambda n: MONDAY + timedelta(days=n))
DATES = st.builds(planned, DAYS, st.integers(7, 14), st.sampled_from([45, 90, 180]))
STEPS = st.one_of(
    st.tuples(st.just("book"), st.integers(0, 5), DATES, st.sampled_from(["campaign", "another"])),
    st.tuples(st.just("move"), st.integers(0, 5), DATES),
    st.tuples(st.just("free"), st.integers(0, 5)),
    st.tuples(st.just("block"), st.lists(DAYS, max_size=3), st.lists(st.integers(0, 6), max_size=2)),
    st.tuples(st.just("unblock"), st.lists(DAYS, max_size=3), st.lists(st.integers(0, 6), max_size=2)),
    st.tuples(st.just("limit"), st.integers(1, 3), st.integers(1, 4)),
)


def _take(who: Ambassador, held: dict[int, Booking], step: tuple) -> Ambassador:
    """One step as the use cases take it: the rule decides, then the booking is written or the ambassador changed."""
    kind, *rest = step
    if kind == "book" and rest[0] not in held:
        who.must_be_free(rest[1], rest[2], list(held.values()), "Ada")
        held[rest[0]] = booking(str(rest[0]), rest[1], rest[2])
    elif kind == "move" and rest[0] in held:
        others = [each for number, each in held.items() if number != rest[0]]
        who.must_be_free(rest[1], held[rest[0]].campaign_id, others, "Ada")
        held[rest[0]] = booking(str(rest[0]), rest[1], held[rest[0]].campaign_id)
    elif kind == "free":
        held.pop(rest[0], None)
    elif kind == "block" and (rest[0] or rest[1]):
        return who.blocking(BlockDays(days=rest[0], weekdays=rest[1]), list(held.values()), "x", NOW.date())
    elif kind == "unblock":
        return who.unblocking(UnblockDays(days=rest[0], weekdays=rest[1]), "x")
    elif kind == "limit":
        command = ChangeAmbassador(limits=limits(rest[0], rest[1]), fields=[])
        return who.with_settings(command, list(held.values()), "x", NOW)
    return who


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_no_sequence_of_steps_breaks_a_rule(steps):
    who, held = ambassador(limits=limits(2, 3)), {}
    for step in steps:
        with suppress(RuleBroken):
            who = _take(who, held, step)
        _assert_rules_hold(who, list(held.values()))


def _assert_rules_hold(who: Ambassador, held: list[Booking]) -> None:
    """Said again in other words than the code's: minutes are taken once, days are open, sums are within limits."""
    minutes = [
        booked.starts_utc.astimezone(UTC) + timedelta(minutes=n)
        for booked in held
        for n in range(int((booked.ends_utc - booked.starts_utc).total_seconds()) // 60)
    ]
    assert len(minutes) == len(set(minutes))
    blocked_days = {each.day for each in who.blocked_days}
    blocked_weekdays = {each.weekday for each in who.blocked_weekdays}
    for booked in held:
        assert booked.day not in blocked_days and booked.day.weekday() not in blocked_weekdays
        monday = booked.day - timedelta(days=booked.day.weekday())
        in_week = [other for other in held if monday <= other.day < monday + timedelta(days=7)]
        assert len(in_week) <= who.limits.per_week
        assert sum(other.campaign_id == booked.campaign_id for other in held) <= who.limits.per_campaign
