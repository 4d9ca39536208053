"""Pages for people: list, search, entering coordinators and operators, roles, erasing."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.outreach.domain.people import AddRoles, EnterPerson, PersonNotFound, RoleGiven, RoleNotHeld
from services.outreach.domain.people import Person as Known
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, wrong
from services.outreach.store.people import organisation_names
from services.outreach.usecases import people
from services.outreach.usecases.organisations import IN_ORGANISATIONS, search_organisations
from services.outreach.usecases.person_facts import ChangePersonFacts, change_person_facts
from shared.errors import Conflict
from shared.web.callers import Person
from shared.web.pages import form_request_id, nested, posted, see_other, validated

router = APIRouter()
FACTS = {"name", "email", "phone", "language"}
Text = Annotated[str, Query(max_length=100)]


@router.get("/people")
async def show_all(request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """People by name, from the first one on."""
    return await _list(request, pages, store, person)


@router.post("/people")
async def search(request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """Those whose name or address holds `q`, or the rest of the list. Changes nothing: it is a POST so that no name
    stands in an address."""
    form = await posted(request)
    q, after = str(form.get("q", ""))[:100], str(form.get("after", ""))[:500]
    return await _list(request, pages, store, person, q, after)


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
        reasons = wrong(request, error)["errors"]
        named = {"kind" if name.startswith("roles") else name: reason for name, reason in reasons.items()}
        return pages.show(request, "person_form.html", 422, values=dict(form), errors=named)
    return see_other(f"/outreach/people/{entered.id}")


@router.get("/people/{person_id}")
async def show(person_id: str, request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """One person, her roles, and the way to erase her."""
    changed = request.query_params.get("changed") == "yes"
    return await _page(person_id, request, pages, store, person, changed=changed)


@router.get("/people/{person_id}/change")
async def edit(person_id: str, request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """The form for name, address, telephone and language."""
    known = await _active(store, person, person_id)
    return pages.show(request, "person_change.html", known=known, values=known.model_dump(include=FACTS))


@router.post("/people/{person_id}/change")
async def change(
    person_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Put them right; another address ends the sessions of the former one."""
    form = await posted(request)
    known = await _active(store, person, person_id)
    try:
        command = validated(ChangePersonFacts, nested(form))
        request_id = form_request_id(person, form)
        await change_person_facts(store, person, person_id, command, now=now, request_id=request_id)
    except FORM_ERRORS as error:
        return pages.show(request, "person_change.html", 422, known=known, values=dict(form), **wrong(request, error))
    return see_other(f"/outreach/people/{person_id}?changed=yes")


@router.get("/people/{person_id}/add-role")
async def choose_role(
    person_id: str, request: Request, pages: ThePages, store: TheStore, person: Person, kind: Text = "", q: Text = ""
) -> Response:
    """Which role, and in which school or company: type a part of its name, press, choose."""
    return await _role_form(person_id, request, pages, store, person, kind=kind, q=q)


@router.post("/people/{person_id}/add-role")
async def add_role(
    person_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Give the person one more role."""
    form = await posted(request)
    kind, q = str(form.get("kind", "")), str(form.get("q", ""))
    try:
        role = {name: form[name] for name in ("kind", "organisation_id") if form.get(name)}
        command = validated(AddRoles, {"roles": [role]})
        await people.add_roles(store, person, person_id, command, now=now, request_id=form_request_id(person, form))
    except FORM_ERRORS as error:
        reasons = {"organisation": _first(wrong(request, error))}
        return await _role_form(person_id, request, pages, store, person, 422, kind=kind, q=q, errors=reasons)
    return see_other(f"/outreach/people/{person_id}")


@router.get("/people/{person_id}/remove-role")
async def ask_to_remove_role(
    person_id: str,
    request: Request,
    pages: ThePages,
    store: TheStore,
    person: Person,
    kind: Text = "",
    organisation_id: Text = "",
) -> Response:
    """Says what taking the role away means, and asks."""
    person.must_coordinate()
    known = await people.get_person(store, person, person_id)
    role = next((held for held in known.roles if (held.kind, held.organisation_id) == (kind, organisation_id)), None)
    if role is None:
        raise RoleNotHeld
    names = await organisation_names(store, [known])
    return pages.show(request, "person_remove_role.html", known=known, role=role, names=names)


@router.post("/people/{person_id}/remove-role")
async def remove_role(
    person_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Take one role away."""
    form = await posted(request)
    try:
        role = validated(RoleGiven, nested(form))
        await people.remove_role(store, person, person_id, role, now=now, request_id=form_request_id(person, form))
    except FORM_ERRORS as error:
        status = 409 if isinstance(error, Conflict) else 422
        reasons = {"": _first(wrong(request, error))}
        return await _page(person_id, request, pages, store, person, status, errors=reasons)
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


def _first(wrong_fields: dict[str, dict[str, str]]) -> str:
    """The one reason that stands for a form without fields of its own."""
    return next(iter(wrong_fields["errors"].values()), "")


async def _list(
    request: Request, pages: ThePages, store: TheStore, person: Person, q: str = "", after: str = ""
) -> Response:
    found, cursor = await people.list_people(store, person, q=q, limit=50, after=after or None)
    names = await organisation_names(store, found)
    template = "_people.html" if "HX-Request" in request.headers else "people.html"
    return pages.show(request, template, people=found, rest=cursor, q=q, names=names)


async def _role_form(
    person_id: str, request: Request, pages: ThePages, store: TheStore, person: Person, status: int = 200,
    kind: str = "", q: str = "", **more: Any,
) -> Response:  # fmt: skip
    person.must_coordinate()
    known = await people.get_person(store, person, person_id)
    found = await search_organisations(store, person, kind, q) if kind in IN_ORGANISATIONS and q.strip() else []
    fragment = "HX-Request" in request.headers
    template = "_role_choice.html" if fragment else "person_add_role.html"
    return pages.show(request, template, status, known=known, kind=kind, q=q, found=found, **more)


async def _active(store: TheStore, person: Person, person_id: str) -> Known:
    person.must_coordinate()
    known = await people.get_person(store, person, person_id)
    if not known.active:
        raise PersonNotFound
    return known


async def _page(
    person_id: str, request: Request, pages: ThePages, store: TheStore, person: Person, status: int = 200, **more: Any
) -> Response:
    person.must_coordinate()
    known = await people.get_person(store, person, person_id)
    names = await organisation_names(store, [known])
    return pages.show(request, "person.html", status, known=known, names=names, **{"changed": False, **more})
