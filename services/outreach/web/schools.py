"""Pages for schools: list, search, one school with its people and movable days."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.outreach.domain.people import EnterPerson
from services.outreach.domain.schools import SetMovableDays
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, wrong
from services.outreach.usecases import people, schools
from services.outreach.web.addresses import with_query
from shared import region
from shared.web.callers import Person
from shared.web.pages import form_request_id, language_of, nested, posted, see_other, validated

router = APIRouter()


@router.get("/schools")
async def search(
    request: Request,
    pages: ThePages,
    store: TheStore,
    person: Person,
    q: Annotated[str, Query(max_length=100)] = "",
    district: Annotated[str, Query(max_length=8)] = "",
    school_type: Annotated[str, Query(max_length=4)] = "",
    after: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Schools, by words, district and type, all of it in the address."""
    person.must_coordinate()
    asked = {"q": q, "district": district, "school_type": school_type}
    found, cursor = await schools.list_schools(
        store, person, district=district, school_type=school_type, q=q, limit=50, after=after or None
    )
    types = region.school_types(language_of(request))
    rest = with_query("/outreach/schools", **asked, after=cursor) if cursor else None
    values = {**asked, "after": after}
    districts = [(district.ags, district.name) for district in region.districts()]
    return pages.show(
        request, "schools.html", schools=found, rest=rest, values=values, districts=districts, types=types
    )


@router.get("/schools/{school_id}")
async def show(school_id: str, request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """One school, its people and its movable days."""
    return await _page(school_id, request, pages, store, person)


@router.post("/schools/{school_id}/movable-days")
async def set_movable_days(
    school_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Replace the movable days by those that are ticked or typed."""
    form = await posted(request)
    days = [str(day) for day in form.getlist("days") if day]
    try:
        command = validated(SetMovableDays, {"days": days})
        await schools.set_movable_days(
            store, person, school_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        return await _page(school_id, request, pages, store, person, status=422, chosen=days, **wrong(request, error))
    return see_other(f"/outreach/schools/{school_id}")


@router.post("/schools/{school_id}/people")
async def enter_teacher(
    school_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Enter a teacher of this school."""
    form = await posted(request)
    role = {"kind": "teacher", "organisation_id": school_id}
    try:
        command = validated(EnterPerson, {**nested(form), "roles": [role]})
        await people.enter_person(store, person, command, now=now, request_id=form_request_id(person, form))
    except FORM_ERRORS as error:
        return await _page(
            school_id, request, pages, store, person, status=422, values=dict(form), **wrong(request, error)
        )
    return see_other(f"/outreach/schools/{school_id}")


async def _page(
    school_id: str,
    request: Request,
    pages: ThePages,
    store: TheStore,
    person: Person,
    status: int = 200,
    chosen: list[str] | None = None,
    **more: object,
) -> Response:
    """`chosen`: the movable days as they were ticked and typed, when they could not be kept."""
    person.must_act_for_school(school_id)
    school = await schools.get_school(store, person, school_id)
    known = [str(day) for day in school.movable_days]
    ticked = known if chosen is None else chosen
    typed = {"days": next((day for day in ticked if day not in known), "")}
    staff = []
    if person.coordinates:
        staff, _ = await people.list_people(store, person, organisation_id=school_id, limit=200)
    facts = {
        "district": next((d.name for d in region.districts() if d.ags == school.district_ags), school.district_ags),
        "type": region.school_types(language_of(request)).get(school.school_type, school.school_type),
    }
    days = {"ticked": ticked, "typed": typed}
    return pages.show(request, "school.html", status, school=school, staff=staff, facts=facts, days=days, **more)
