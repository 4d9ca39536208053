"""How a proposal is answered, runs out, is taken back; and what the school says to a date it has not named."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain import visit_errors as errors
from services.outreach.domain.visit_commands import MoveVisit, RequestDates
from services.outreach.domain.visits import Visit
from shared.school_calendar import add_school_days, is_school_day
from tests.support.visits import MONDAY, NOW, ZONE, ambassador, bounds, date_given, planned, visit

ADA, BEN = ambassador("a"), ambassador("b")
OTHER_DATES = RequestDates(alternatives=[date_given(MONDAY + timedelta(days=n)) for n in (7, 9)], reason="Ausflug")


def proposed(alternative: int = 2, now: datetime = NOW) -> Visit:
    return visit().proposed(alternative, [ADA, BEN], bounds(now), "second", material="Helme")


def moved_elsewhere() -> Visit:
    to = date_given(date(2026, 11, 23))
    return proposed().moved(MoveVisit(**to.model_dump()), bounds(), "third")


def test_a_proposal_is_held_until_the_evening_of_the_third_school_day():
    assert proposed().answer_by == datetime(2026, 11, 5, 17, tzinfo=UTC)
    assert proposed().material == "Helme"


def test_a_proposal_is_never_held_beyond_its_start():
    late = datetime(2026, 11, 10, 9, tzinfo=UTC)
    assert proposed(now=late).answer_by == visit().alternatives[2].starts_utc


@given(day=st.dates(date(2026, 11, 2), date(2027, 6, 30)), hour=st.integers(0, 23), days=st.integers(1, 10))
def test_a_deadline_lies_on_a_school_day_at_six_or_at_the_start_whichever_is_first(day, hour, days):
    now = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    far = planned(day + timedelta(days=120))
    limits = bounds(now)
    until = type(limits)(limits.campaign, limits.school, ZONE, now, days).deadline(far)
    wall = limits.wall(until)
    assert now < until <= far.starts_utc
    assert wall.hour == 18 and is_school_day(wall.date())
    assert wall.date() == add_school_days(limits.wall(now).date(), days)


@given(st.integers(-3000, 3000), st.sampled_from([(), ("a",), ("b",)]))
def test_a_proposal_falls_at_its_deadline_and_not_before_whoever_has_answered(minutes, answered):
    asked = proposed()
    for who in answered:
        asked = asked.accepted(who, NOW, f"yes-{who}")
    now = asked.answer_by + timedelta(minutes=minutes)
    fallen = asked.expired(now, "worker")
    if minutes < 0:
        assert fallen is None
        return
    after, told = fallen
    assert (after.state, after.team, after.chosen, after.answer_by) == ("requested", (), None, None)
    assert {each.ambassador_id for each in after.declines} == {"a", "b"} - set(answered)
    assert all(each.kind == "no_answer" for each in after.declines)
    assert [each.ambassador_id for each in told.team] == ["a", "b"] and told.chosen == asked.chosen
    assert after.bookings() == [] and after.version == asked.version + 1


def test_a_confirmed_visit_does_not_expire():
    confirmed = proposed().accepted("a", NOW, "x").accepted("b", NOW, "y")
    assert (confirmed.state, confirmed.answer_by) == ("confirmed", None)
    assert confirmed.expired(NOW + timedelta(days=30), "worker") is None


def test_a_proposal_is_taken_back_before_it_is_confirmed_and_only_then():
    after, told = proposed().accepted("a", NOW, "x").withdrawn("Betriebsferien", "third")
    assert (after.state, after.team, after.reason, after.declines) == ("requested", (), "Betriebsferien", ())
    assert [each.answer for each in told.team] == ["accepted", "open"]
    with pytest.raises(errors.ConfirmedCannotBeWithdrawn):
        proposed().accepted("a", NOW, "x").accepted("b", NOW, "y").withdrawn("", "third")
    with pytest.raises(errors.NothingProposed):
        visit().withdrawn("", "third")


def test_a_date_that_the_school_has_not_named_needs_its_yes_too():
    asked = moved_elsewhere()
    assert asked.school_answer == "open"
    both = asked.accepted("a", NOW, "x").accepted("b", NOW, "y")
    assert (both.state, both.answer_by) == ("proposed", asked.answer_by)
    assert both.school_accepted(NOW, "z").state == "confirmed"
    first = asked.school_accepted(NOW, "z")
    assert first.state == "proposed"
    assert first.accepted("a", NOW, "x").accepted("b", NOW, "y").state == "confirmed"
    with pytest.raises(errors.DateAccepted):
        first.school_accepted(NOW, "again")
    with pytest.raises(errors.VisitHasStarted):
        asked.school_accepted(asked.chosen.starts_utc, "late")


def test_one_of_the_schools_own_dates_needs_no_other_yes_of_it():
    again = moved_elsewhere().moved(MoveVisit(**date_given(MONDAY).model_dump()), bounds(), "fourth")
    assert again.school_answer == "accepted"
    with pytest.raises(errors.DateAccepted):
        again.school_accepted(NOW, "fifth")


def test_the_school_names_other_dates_and_a_team_that_was_asked_is_free_again():
    after, told = proposed().with_dates(OTHER_DATES, bounds(), "third")
    assert [each.day.day for each in after.alternatives] == [16, 18]
    assert (after.state, after.team, after.chosen) == ("requested", (), None)
    assert told is not None and len(told.team) == 2 and told.reason == "Ausflug"
    unasked, nobody = visit().with_dates(OTHER_DATES, bounds(), "third")
    assert (unasked.state, nobody) == ("requested", None)
    with pytest.raises(errors.ConfirmedHasItsDate):
        proposed().accepted("a", NOW, "x").accepted("b", NOW, "y").with_dates(OTHER_DATES, bounds(), "third")
