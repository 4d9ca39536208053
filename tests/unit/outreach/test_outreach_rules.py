from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from services.outreach.domain.campaigns import (
    BookingBeforeOffers,
    Campaign,
    CampaignGiven,
    ClosesAfterTheEnd,
    ClosesBeforeBooking,
    DistrictUnknown,
    EndsBeforeItStarts,
)
from services.outreach.domain.companies import EnterCompany, location
from services.outreach.domain.people import AlreadyErased, EnterPerson, Person, RoleGiven, RoleNotHeld
from services.outreach.domain.schools import is_open
from shared.offsets import OffsetUnclear
from shared.schemas.outreach import Role
from tests.support.outreach import NOW, campaign_body

ZONE = "Europe/Berlin"
TEACHER = Role(kind="teacher", organisation_id="100022")


def open_campaign(**other):
    return Campaign.opened("1", CampaignGiven(**campaign_body(**other)), "request", ZONE)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"ends_on": "2026-10-31"}, EndsBeforeItStarts),
        ({"booking_from": "2026-10-31T23:59:59Z"}, BookingBeforeOffers),
        ({"closes_at": "2026-11-15T08:00:00Z"}, ClosesBeforeBooking),
        ({"closes_at": "2027-06-30T22:00:00Z"}, ClosesAfterTheEnd),
        ({"districts": ["05958", "09162"]}, DistrictUnknown),
    ],
)
def test_a_campaign_whose_dates_or_districts_do_not_fit_is_refused(wrong, error):
    with pytest.raises(error):
        open_campaign(**wrong)


def test_booking_may_close_in_the_last_minute_of_the_last_day_in_local_time():
    assert open_campaign(closes_at="2027-06-30T21:59:00Z").closes_at.hour == 21


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", None), ("keine", []), ("14 und 2 Tage vorher um 9:30, 1 Stunde vorher", ["14d@09:30", "2d@09:30", "1h"])],
)
def test_a_campaign_says_when_to_remind_in_short_texts(typed, said):
    assert open_campaign(reminders=typed).message(NOW, "-").reminders == said


def test_a_campaign_that_does_not_say_clearly_when_to_remind_is_refused():
    with pytest.raises(OffsetUnclear):
        open_campaign(reminders="rechtzeitig")


def test_an_instant_without_an_offset_is_refused():
    with pytest.raises(ValidationError):
        open_campaign(closes_at="2027-06-01T00:00:00")


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        ("2026-10-31T23:59:59", "planned"),
        ("2026-11-01T00:00:00", "offers"),
        ("2026-11-15T08:00:00", "booking"),
        ("2027-06-01T00:00:00", "closed"),
    ],
)
def test_each_phase_begins_at_its_instant(moment, phase):
    assert open_campaign().phase(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == phase


def person(**other):
    return Person(**{"id": "1", "name": "Toni", "email": "toni@schule.example", "erase_after": NOW, **other})


def test_a_role_that_is_held_already_makes_no_new_version():
    held = person(roles=(TEACHER,))
    assert held.with_roles([TEACHER, TEACHER], {}, "request", None) is held


def test_a_new_role_raises_the_version_by_one_and_keeps_the_others():
    company = Role(kind="company", organisation_id="c1")
    changed = person(roles=(TEACHER,)).with_roles([company, company], {}, "request", None)
    assert (changed.roles, changed.version) == ((TEACHER, company), 2)


def test_a_role_that_is_not_held_cannot_be_taken():
    with pytest.raises(RoleNotHeld):
        person().without_role(TEACHER, "request", NOW)


def test_erasing_leaves_nothing_personal_and_ends_all_sessions():
    erased = person(roles=(TEACHER,), phone="1").erased("request")
    assert (erased.name, erased.email, erased.phone, erased.roles, erased.active) == ("", "", "", (), False)
    assert erased.session_epoch == 2
    assert "toni" not in erased.message(NOW, "-").model_dump_json().lower()
    with pytest.raises(AlreadyErased):
        erased.erased("again")


def test_a_role_of_the_agency_belongs_to_the_agency_whatever_was_named():
    assert RoleGiven(kind="coordinator", organisation_id="100022").role().organisation_id == "agency"


@pytest.mark.parametrize(
    "name", ["Kim\nBcc: all@schule.example", "Kim\rx", "Kim\x00", "Kim\u2028x", "", "   ", "x" * 201]
)
def test_a_name_that_is_no_single_line_is_refused(name):
    with pytest.raises(ValidationError):
        EnterPerson(name=name, email="kim@agentur.example", roles=[RoleGiven(kind="operator")])


def test_unknown_fields_are_refused():
    with pytest.raises(ValidationError):
        EnterCompany(name="M", postal_code="57072", town="Siegen", colour="red")


def test_a_postal_code_of_the_region_gives_district_and_point_and_another_gives_none():
    assert location("57072")["district_ags"] == "05970"
    assert set(location("10115").values()) == {None}


def test_a_school_is_open_on_its_last_day_and_closed_the_day_after():
    last_day = date(2026, 7, 31)
    assert is_open(last_day, last_day)
    assert not is_open(last_day, last_day + timedelta(days=1))
    assert is_open(None, last_day)
