"""JSON in, JSON out: companies."""

from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel

from services.outreach.domain.companies import ChangeCompany, Company, EnterCompany
from services.outreach.edge import After, Limit, Listed, Now, Reader, TheStore, Writer
from services.outreach.usecases import companies
from shared.web.callers import RequestId

router = APIRouter(tags=["companies"])


class CompanyOut(BaseModel):
    """A company; municipality, district (official keys) and point (WGS84 degrees) are null outside the region."""

    id: str
    name: str
    street: str
    postal_code: str
    town: str
    municipality_ags: str | None
    district_ags: str | None
    lat: float | None
    lon: float | None
    active: bool
    contact_person_id: str | None
    version: int

    @classmethod
    def of(cls, company: Company) -> Self:
        """As the API shows it."""
        return cls.model_validate(company.model_dump())


@router.post("/companies", status_code=201)
async def enter_company(
    command: EnterCompany, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> CompanyOut:
    """Enter a company; its contact becomes a person with the role company."""
    return CompanyOut.of(await companies.enter_company(store, who, command, now=now, request_id=request_id))


@router.get("/companies")
async def list_companies(store: TheStore, who: Reader, limit: Limit = 50, after: After = None) -> Listed[CompanyOut]:
    """Companies by name."""
    found, cursor = await companies.list_companies(store, who, limit=limit, after=after)
    return Listed(items=[CompanyOut.of(company) for company in found], next=cursor)


@router.get("/companies/{company_id}")
async def get_company(company_id: str, store: TheStore, who: Reader) -> CompanyOut:
    """One company."""
    return CompanyOut.of(await companies.get_company(store, who, company_id))


@router.post("/companies/{company_id}/change")
async def change_company(
    company_id: str, command: ChangeCompany, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> CompanyOut:
    """Replace a company's facts."""
    return CompanyOut.of(
        await companies.change_company(store, who, company_id, command, now=now, request_id=request_id)
    )
