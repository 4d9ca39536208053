"""What can become of a visit."""

from datetime import date, datetime, timedelta

import pytest

from services.outreach.domain import visit_dates as dates
from services.outreach.domain import visit_errors as errors
from services.outreach.domain.visit_commands import MoveVisit
from services.outreach.domain.visits import Visit
from shared.errors import RuleBroken
from shared.schemas.outreach import VisitFacts
from tests.support.visits import (
    MONDAY,
    NOW,
    ZONE,
    ambassador,
    bounds,
    campaign,
    date_given,
    person_of,
    planned,
    request,
    school,
    visit,
)

ADA, BEN = ambassador("a"), ambassador("b")


def proposed(*team: object, alternative: int = 0) -> Visit:
    return visit().proposed(alternative, team or (ADA, BEN), bounds(), "second")


def confirmed() -> Visit:
    return proposed().accepted("a", NOW, "third").accepted("b", NOW, "fourth")


def test_a_requested_visit_keeps_its_alternatives_and_has_no_team():
    asked = visit()
    assert (asked.state, asked.chosen, asked.team, asked.version) == ("requested", None, (), 1)
    assert [date.day for date in asked.alternatives] == [MONDAY + timedelta(days=n) for n in range(3)]
    assert asked.alternatives[0].zone == ZONE
    assert asked.alternatives[0].starts_utc.isoformat() == "2026-11-09T07:00:00+00:00"


@pytest.mark.parametrize(
    ("wrong", "error", "field"),
    [
        (date_given(date(2026, 11, 14)), dates.VisitOnDayOff, "starts_local"),
        (date_given(date(2026, 12, 24)), dates.VisitOnDayOff, "starts_local"),
        (date_given(date(2026, 11, 17)), dates.VisitOnDayOff, "starts_local"),
        (date_given(date(2026, 11, 2), hour=7), dates.VisitInThePast, "starts_local"),
        (date_given(date(2027, 4, 13)), dates.VisitOutsideCampaign, "starts_local"),
        (date_given(MONDAY, minutes=0), dates.VisitEndsBeforeItStarts, "ends_local"),
        (date_given(MONDAY, minutes=24 * 60), dates.VisitEndsBeforeItStarts, "ends_local"),
        (date_given(MONDAY), dates.AlternativesTheSame, "starts_local"),
        (date_given(MONDAY, zone="Europe/Siegen"), dates.VisitZoneUnknown, "zone"),
        (date_given(date(2027, 3, 28), hour=2), dates.VisitTimeDoesNotExist, "starts_local"),
    ],
)
def test_an_impossible_alternative_is_refused_with_its_reason(wrong, error, field):
    command = request(date_given(MONDAY), wrong)
    with pytest.raises(error) as refused:
        Visit.requested("visit", command, bounds(movable_days=(date(2026, 11, 17),)), NOW, "first")
    assert refused.value.field == f"alternatives.1.{field}"


def test_the_reason_names_the_day_off():
    with pytest.raises(dates.VisitOnDayOff) as refused:
        bounds(movable_days=(MONDAY,)).check(date_given(MONDAY))
    assert refused.value.values["name_de"] == "Beweglicher Ferientag"


def test_one_or_four_alternatives_are_not_accepted():
    for count in (1, 4):
        with pytest.raises(ValueError):
            request(*[date_given(MONDAY + timedelta(days=n)) for n in range(count)])


@pytest.mark.parametrize(
    ("campaign_fields", "school_fields", "error"),
    [
        ({"kinds": ("tour",)}, {}, errors.NoVisitsInCampaign),
        ({"booking_from": NOW + timedelta(seconds=1)}, {}, errors.VisitsNotOpenYet),
        ({"closes_at": NOW}, {}, errors.VisitsClosed),
        ({}, {"open": False}, errors.VisitSchoolClosed),
        ({}, {"district_ags": "05958"}, errors.VisitSchoolNotInCampaign),
    ],
)
def test_campaign_and_school_decide_who_can_ask(campaign_fields, school_fields, error):
    within = dates.Bounds(campaign(**campaign_fields), school(**school_fields), ZONE, NOW)
    with pytest.raises(error):
        Visit.requested("visit", request(), within, NOW, "first")


def test_an_unknown_field_of_work_is_refused():
    with pytest.raises(errors.VisitFieldUnknown):
        Visit.requested("visit", request(field="XX"), bounds(), NOW, "first")


def test_a_proposal_asks_the_team_for_one_of_the_dates():
    asked = proposed(alternative=1)
    assert (asked.state, asked.chosen, asked.version) == ("proposed", visit().alternatives[1], 2)
    assert [(member.ambassador_id, member.answer) for member in asked.team] == [("a", "open"), ("b", "open")]
    assert {(each.ambassador_id, each.state) for each in asked.bookings()} == {("a", "held"), ("b", "held")}


def test_a_proposal_needs_a_date_that_is_still_possible():
    later = bounds(NOW + timedelta(days=7))
    with pytest.raises(dates.VisitInThePast):
        visit().proposed(0, [ADA], later, "second")
    with pytest.raises(dates.VisitOnDayOff):
        visit().proposed(0, [ADA], bounds(movable_days=(MONDAY,)), "second")


def test_a_proposal_needs_an_alternative_that_exists_and_everybody_once():
    two = visit(request(date_given(MONDAY), date_given(MONDAY, hour=10)))
    with pytest.raises(errors.AlternativeUnknown):
        two.proposed(2, [ADA], bounds(), "second")
    with pytest.raises(errors.AmbassadorTwice):
        two.proposed(0, [ADA, ADA], bounds(), "second")


def test_the_last_acceptance_confirms():
    first = proposed().accepted("b", NOW, "third")
    assert first.state == "proposed"
    last = first.accepted("a", NOW, "fourth")
    assert (last.state, last.version) == ("confirmed", 4)
    assert {booking.state for booking in last.bookings()} == {"confirmed"}


def test_a_decline_frees_the_whole_team_and_tells_who_was_asked():
    back, told = proposed().accepted("b", NOW, "third").declined("a", "Prüfung", "fourth")
    assert (back.state, back.chosen, back.team, back.bookings()) == ("requested", None, (), [])
    assert [(each.ambassador_id, each.reason) for each in back.declines] == [("a", "Prüfung")]
    assert {member.ambassador_id: member.answer for member in told.team} == {"a": "declined", "b": "accepted"}
    assert (told.version, told.state, told.reason) == (back.version, "requested", "Prüfung")


def test_a_confirmed_visit_keeps_its_team_when_it_moves():
    command = MoveVisit(**date_given(MONDAY + timedelta(days=8)).model_dump(), reason="Bus")
    moved = confirmed().moved(command, bounds(), "fifth")
    assert (moved.state, moved.chosen.day, moved.reason) == ("confirmed", MONDAY + timedelta(days=8), "Bus")
    assert [member.answer for member in moved.team] == ["accepted", "accepted"]


def test_a_team_that_was_only_asked_is_asked_anew_for_another_date():
    command = MoveVisit(**date_given(MONDAY + timedelta(days=8)).model_dump())
    moved = proposed().accepted("a", NOW, "third").moved(command, bounds(), "fourth")
    assert (moved.state, [member.answer for member in moved.team]) == ("proposed", ["open", "open"])


def test_a_cancelled_visit_books_nobody_and_still_tells_of_date_and_team():
    gone = confirmed().cancelled("krank", "fifth")
    assert (gone.state, gone.bookings(), gone.reason) == ("cancelled", [], "krank")
    assert gone.chosen is not None and len(gone.team) == 2


def test_a_visit_is_done_only_after_it_began():
    starts = confirmed().chosen.starts_utc
    with pytest.raises(errors.VisitHasNotStarted):
        confirmed().completed(27, starts - timedelta(seconds=1), "fifth")
    done = confirmed().completed(0, starts, "fifth")
    assert (done.state, done.pupils_reached) == ("done", 0)


MOVE = MoveVisit(**date_given(MONDAY + timedelta(days=8)).model_dump())
AFTER = datetime.fromisoformat("2026-11-09T07:00:00+00:00")
DONE = confirmed().completed(20, AFTER, "fifth")
CANCELLED = confirmed().cancelled("", "fifth")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda: proposed().proposed(0, [ADA], bounds(), "x"), errors.AlreadyProposed),
        (lambda: confirmed().proposed(0, [ADA], bounds(), "x"), errors.AlreadyConfirmed),
        (lambda: proposed().accepted("a", NOW, "3").accepted("a", NOW, "4"), errors.AlreadyAccepted),
        (lambda: confirmed().accepted("a", NOW, "x"), errors.AlreadyAccepted),
        (lambda: proposed().accepted("c", NOW, "x"), errors.NotInTeam),
        (lambda: visit().accepted("a", NOW, "x"), errors.NothingProposed),
        (lambda: proposed().accepted("a", AFTER, "x"), errors.VisitHasStarted),
        (lambda: proposed().declined("a", "", "x")[0].declined("a", "", "y"), errors.NothingProposed),
        (lambda: confirmed().declined("a", "", "x"), errors.ConfirmedCannotBeDeclined),
        (lambda: visit().moved(MOVE, bounds(), "x"), errors.NothingPlannedToMove),
        (lambda: confirmed().moved(MOVE, bounds(AFTER), "x"), errors.VisitHasStarted),
        (lambda: confirmed().moved(MOVE, bounds(), "x").moved(MOVE, bounds(), "y"), errors.NothingToMove),
        (lambda: CANCELLED.cancelled("", "x"), errors.AlreadyCancelled),
        (lambda: CANCELLED.accepted("a", NOW, "x"), errors.VisitIsCancelled),
        (lambda: CANCELLED.completed(1, AFTER, "x"), errors.VisitIsCancelled),
        (lambda: DONE.cancelled("", "x"), errors.VisitIsDone),
        (lambda: DONE.completed(1, AFTER, "x"), errors.AlreadyDone),
        (lambda: DONE.moved(MOVE, bounds(), "x"), errors.VisitIsDone),
        (lambda: proposed().completed(1, AFTER, "x"), errors.NotConfirmedYet),
    ],
)
def test_what_the_state_does_not_allow_is_refused(change, error):
    with pytest.raises(RuleBroken) as refused:
        change()
    assert type(refused.value) is error


def test_messages_tell_the_wall_time_and_the_team_with_its_answers():
    people = {f"person-{who.id}": person_of(who) for who in (ADA, BEN)}
    facts = proposed().accepted("b", NOW, "third").facts(school(), people, {"works": "Werk"})
    again = VisitFacts.model_validate_json(facts.model_dump_json())
    assert again.version == 3
    assert again.chosen.starts_local == planned(MONDAY).starts_local and again.chosen.starts_local.tzinfo is None
    assert [(m.name, m.company_name, m.answer) for m in again.team] == [
        ("Ada (Demo)", "Werk", "open"),
        ("Ben (Demo)", "Werk", "accepted"),
    ]
    assert again.school_address == "Beispielweg 2, 57072 Siegen"


def test_an_erased_visit_holds_nobody():
    erased = proposed().declined("a", "Prüfung", "3")[0].erased()
    assert "Lehrkraft" not in erased.model_dump_json() and "Prüfung" not in erased.model_dump_json()
    assert (erased.pupils, erased.group_name) == (27, "8a")
