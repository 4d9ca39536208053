"""Companies: who opens doors, and where."""

from datetime import datetime
from typing import Literal, Self

from pydantic import EmailStr

from services.outreach.domain.common import Aggregate, Command, Line, OptionalLine, PostalCode
from shared import region
from shared.errors import NotFound
from shared.schemas.outreach import CompanyChanged


class CompanyNotFound(NotFound):
    """There is no company with this id."""


class ContactGiven(Command):
    """Whom to ask; becomes a person with the role company."""

    name: Line
    email: EmailStr
    phone: OptionalLine = ""
    language: Literal["de", "en"] = "de"


class EnterCompany(Command):
    """A new company and, if given, its first contact."""

    name: Line
    street: OptionalLine = ""
    postal_code: PostalCode
    town: Line
    contact: ContactGiven | None = None


class ChangeCompany(Command):
    """A company's facts as they shall be."""

    name: Line
    street: OptionalLine = ""
    postal_code: PostalCode
    town: Line
    active: bool = True


class Company(Aggregate):
    """A company; its municipality, district and point (WGS84 degrees) follow from the postal code."""

    name: str
    street: str
    postal_code: str
    town: str
    municipality_ags: str | None = None
    district_ags: str | None = None
    lat: float | None = None
    lon: float | None = None
    active: bool = True
    contact_person_id: str | None = None

    def with_facts(self, command: ChangeCompany, request_id: str) -> Self:
        """The next version, with the facts of `command`."""
        return self.changed(request_id, **command.model_dump(), **location(command.postal_code))

    def message(self, now: datetime, correlation_id: str) -> CompanyChanged:
        """What the other services are told."""
        facts = self.model_dump(exclude={"id", "version", "last_request_id", "contact_person_id"})
        return CompanyChanged.about(
            f"company:{self.id}", self.version, now=now, correlation_id=correlation_id, company_id=self.id, **facts
        )


def location(postal_code: str) -> dict[str, object]:
    """municipality_ags, district_ags, lat and lon of a postal code; all None outside the region."""
    found = region.postal_code(postal_code)
    if found is None:
        return {"municipality_ags": None, "district_ags": None, "lat": None, "lon": None}
    return {"municipality_ags": found.ags, "district_ags": found.district_ags, "lat": found.lat, "lon": found.lon}
