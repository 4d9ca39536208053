"""Pages for people: list, search, entering coordinators and operators, roles, erasing."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.outreach.domain.people import EnterPerson, RoleGiven
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, wrong
from services.outreach.store.people import organisation_names
from services.outreach.usecases import people
from services.outreach.web.addresses import with_query
from shared.errors import Conflict
from shared.web.callers import Person
from shared.web.pages import form_request_id, nested, posted, see_other, validated

router = APIRouter()


@router.get("/people")
async def show_all(
    request: Request,
    pages: ThePages,
    store: TheStore,
    person: Person,
    q: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """People by name, or those whose name or address holds `q`."""
    found, cursor = await people.list_people(store, person, q=q, limit=50, after=after or None)
    rest = with_query("/outreach/people", q=q, after=cursor) if cursor else None
    names = await organisation_names(store, found)
    return pages.show(request, "people.html", people=found, rest=rest, q=q, names=names)


@router.get("/people/new")
async def new(request: Request, pages: ThePages, person: Person) -> Response:
    """An empty form for somebody of the agency."""
    person.must_coordinate()
    return pages.show(request, "person_form.html")


@router.post("/people/new")
async def enter(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Enter a coordinator or an operator."""
    form = await posted(request)
    fields = nested(form)
    role = {"kind": fields.pop("kind", "")}
    try:
        command = validated(EnterPerson, {**fields, "roles": [role]})
        request_id = form_request_id(person, form)
        entered = await people.enter_person(store, person, command, now=now, request_id=request_id)
    except FORM_ERRORS as error:
        return pages.show(request, "person_form.html", 422, values=dict(form), **wrong(request, error))
    return see_other(f"/outreach/people/{entered.id}")


@router.get("/people/{person_id}")
async def show(person_id: str, request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """One person, her roles, and the way to erase her."""
    return await _page(person_id, request, pages, store, person)


@router.post("/people/{person_id}/remove-role")
async def remove_role(
    person_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Take one role away."""
    form = await posted(request)
    role = validated(RoleGiven, nested(form))
    try:
        await people.remove_role(store, person, person_id, role, now=now, request_id=form_request_id(person, form))
    except Conflict as error:
        return await _page(person_id, request, pages, store, person, 409, **wrong(request, error))
    return see_other(f"/outreach/people/{person_id}")


@router.get("/people/{person_id}/erase")
async def ask_to_erase(person_id: str, request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """Says what erasing means, and asks."""
    person.must_coordinate()
    return pages.show(request, "person_erase.html", known=await people.get_person(store, person, person_id))


@router.post("/people/{person_id}/erase")
async def erase(
    person_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Erase the person everywhere."""
    form = await posted(request)
    try:
        await people.erase_person(store, person, person_id, now=now, request_id=form_request_id(person, form))
    except Conflict as error:
        return await _page(person_id, request, pages, store, person, 409, **wrong(request, error))
    return see_other(f"/outreach/people/{person_id}")


async def _page(
    person_id: str, request: Request, pages: ThePages, store: TheStore, person: Person, status: int = 200, **more: Any
) -> Response:
    person.must_coordinate()
    known = await people.get_person(store, person, person_id)
    names = await organisation_names(store, [known])
    return pages.show(request, "person.html", status, known=known, names=names, **more)
