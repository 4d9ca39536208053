"""Pages for companies: list, entering one, one company with its people."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.outreach.domain.companies import ChangeCompany, EnterCompany
from services.outreach.domain.people import EnterPerson
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, wrong
from services.outreach.usecases import companies, people
from services.outreach.web.addresses import with_query
from shared import region
from shared.web.callers import Person
from shared.web.pages import form_request_id, nested, posted, see_other, validated

router = APIRouter()


@router.get("/companies")
async def show_all(
    request: Request,
    pages: ThePages,
    store: TheStore,
    person: Person,
    after: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """All companies by name."""
    found, cursor = await companies.list_companies(store, person, limit=50, after=after or None)
    rest = with_query("/outreach/companies", after=cursor) if cursor else None
    return pages.show(request, "companies.html", companies=found, rest=rest)


@router.get("/companies/new")
async def new(request: Request, pages: ThePages, person: Person) -> Response:
    """An empty form."""
    person.must_coordinate()
    return pages.show(request, "company_form.html")


@router.post("/companies/new")
async def enter(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Enter a company with its contact."""
    form = await posted(request)
    try:
        command = validated(EnterCompany, nested(form))
        request_id = form_request_id(person, form)
        company = await companies.enter_company(store, person, command, now=now, request_id=request_id)
    except FORM_ERRORS as error:
        return pages.show(request, "company_form.html", 422, values=dict(form), **wrong(request, error))
    return see_other(f"/outreach/companies/{company.id}")


@router.get("/companies/{company_id}")
async def show(company_id: str, request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """One company and its people."""
    return await _page(company_id, request, pages, store, person)


@router.post("/companies/{company_id}")
async def change(
    company_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Replace the company's facts."""
    form = await posted(request)
    try:
        command = validated(ChangeCompany, {**nested(form), "active": bool(form.get("active"))})
        await companies.change_company(
            store, person, company_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        typed = {"active": "", **form}  # a box without a tick is not sent
        return await _page(company_id, request, pages, store, person, 422, typed, **wrong(request, error))
    return see_other(f"/outreach/companies/{company_id}")


@router.post("/companies/{company_id}/people")
async def enter_contact(
    company_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Enter a contact of this company."""
    form = await posted(request)
    role = {"kind": "company", "organisation_id": company_id}
    fields = {name.removeprefix("contact."): value for name, value in form.items() if name.startswith("contact.")}
    try:
        command = validated(EnterPerson, {**nested(fields), "roles": [role]})
        await people.enter_person(store, person, command, now=now, request_id=form_request_id(person, form))
    except FORM_ERRORS as error:
        reasons = {f"contact.{name}" if name else "": text for name, text in wrong(request, error)["errors"].items()}
        return await _page(company_id, request, pages, store, person, 422, dict(form), errors=reasons)
    return see_other(f"/outreach/companies/{company_id}")


async def _page(
    company_id: str,
    request: Request,
    pages: ThePages,
    store: TheStore,
    person: Person,
    status: int = 200,
    typed: dict[str, object] | None = None,
    **more: object,
) -> Response:
    person.must_coordinate()
    company = await companies.get_company(store, person, company_id)
    staff, _ = await people.list_people(store, person, organisation_id=company_id, limit=200)
    district = next((d.name for d in region.districts() if d.ags == company.district_ags), None)
    values = {**company.model_dump(), **(typed or {})}
    return pages.show(
        request, "company.html", status, company=company, staff=staff, district=district, values=values, **more
    )
