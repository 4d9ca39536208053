"""Builders for school visits: a campaign, a school, ambassadors and dates, all made up."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.outreach.domain.ambassadors import Ambassador, Limits
from services.outreach.domain.campaigns import Campaign
from services.outreach.domain.companies import Company
from services.outreach.domain.people import Person
from services.outreach.domain.schools import School
from services.outreach.domain.visit_commands import RequestVisit
from services.outreach.domain.visit_dates import Bounds, DateGiven, PlannedDate
from services.outreach.domain.visits import Visit
from services.outreach.school_register import OperatingStatus
from shared.auth import Identity
from shared.schemas.outreach import Role

ZONE = "Europe/Berlin"
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
MONDAY = date(2026, 11, 9)
NAMES = {"a": "Ada", "b": "Ben", "c": "Cem"}


def campaign(**fields: Any) -> Campaign:
    """A campaign of winter 2026/27 in which visits can be asked for since yesterday."""
    given = {
        "id": "campaign",
        "name": "Winter",
        "starts_on": date(2026, 11, 1),
        "ends_on": date(2027, 3, 31),
        "districts": ("05970",),
        "kinds": ("tour", "visit"),
        "offers_from": NOW - timedelta(days=10),
        "booking_from": NOW - timedelta(days=1),
        "closes_at": NOW + timedelta(days=100),
    }
    return Campaign(**{**given, **fields})


def school(**fields: Any) -> School:
    """A school in Siegen."""
    given = {
        "id": "100001",
        "name": "Hauptschule Beispiel der Stadt Siegen",
        "short_name": "Siegen, GH Beispiel",
        "school_type": "10",
        "street": "Beispielweg 2",
        "postal_code": "57072",
        "town": "Siegen",
        "municipality_ags": "05970040",
        "district_ags": "05970",
        "lat": 50.87,
        "lon": 8.02,
        "operating_status": next(iter(OperatingStatus)),
    }
    return School(**{**given, **fields})


def company(id: str = "works") -> Company:
    """A company in Olpe."""
    return Company(id=id, name=f"Werk {id}", street="Weg 1", postal_code="57462", town="Olpe")


def ambassador(id: str = "a", company_id: str = "works", **fields: Any) -> Ambassador:
    """An ambassador who takes one visit a week and ten in a campaign."""
    return Ambassador(id=id, person_id=f"person-{id}", company_id=company_id, **fields)


def person_of(who: Ambassador) -> Person:
    """The person who is this ambassador."""
    role = Role(kind="ambassador", organisation_id=who.company_id)
    name = NAMES.get(who.id, who.id)
    return Person(id=who.person_id, name=f"{name} (Demo)", email=f"{name.lower()}@betrieb.example", roles=(role,))


def limits(per_week: int = 1, per_campaign: int = 10) -> Limits:
    """At most so many visits."""
    return Limits(per_week=per_week, per_campaign=per_campaign)


def bounds(now: datetime = NOW, **school_fields: Any) -> Bounds:
    """Campaign and school as above."""
    return Bounds(campaign(), school(**school_fields), ZONE, now)


def date_given(day: date = MONDAY, hour: int = 8, minutes: int = 90, **fields: Any) -> DateGiven:
    """`minutes` from `hour` on."""
    starts = datetime(day.year, day.month, day.day, hour)
    return DateGiven(starts_local=starts, ends_local=starts + timedelta(minutes=minutes), **fields)


def planned(day: date = MONDAY, hour: int = 8, minutes: int = 90) -> PlannedDate:
    """The same, as checked."""
    given = date_given(day, hour, minutes)
    return PlannedDate(starts_local=given.starts_local, ends_local=given.ends_local, zone=ZONE)


def request(*dates: DateGiven, **fields: Any) -> RequestVisit:
    """A wish for a visit; by default for Monday, Tuesday or Wednesday."""
    given = {
        "campaign_id": "campaign",
        "school_id": "100001",
        "field": "M",
        "grade": 8,
        "group": {"name": "8a", "pupils": 27},
        "contact": {"name": "Lehrkraft Muster", "email": "lehrkraft@schule.example", "phone": "+49 30 23125 001"},
        "alternatives": list(dates) or [date_given(MONDAY + timedelta(days=n)) for n in range(3)],
    }
    return RequestVisit.model_validate({**given, **fields})


def visit(command: RequestVisit | None = None, now: datetime = NOW) -> Visit:
    """A requested visit."""
    return Visit.requested("visit", command or request(), bounds(now), NOW + timedelta(days=300), "first")


def identity(kind: str, organisation_id: str = "agency", person_id: str = "somebody") -> Identity:
    """A person with one role."""
    return Identity(person_id, "person", "Demo", (Role(kind=kind, organisation_id=organisation_id),))


COORDINATOR = identity("coordinator")
TEACHER = identity("teacher", "100001")
