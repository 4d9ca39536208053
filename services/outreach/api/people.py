"""JSON in, JSON out: people and their roles."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.outreach.domain.people import AddRoles, EnterPerson, Person, RoleGiven
from services.outreach.edge import After, Limit, Listed, Now, Reader, TheStore, Writer
from services.outreach.usecases import people
from shared.schemas.outreach import Role
from shared.web.callers import RequestId

router = APIRouter(tags=["people"])


class PersonOut(BaseModel):
    """A person; `erase_after` is when name and address go unless she signs in before."""

    id: str
    name: str
    email: str
    phone: str
    language: Literal["de", "en"]
    roles: list[Role]
    active: bool
    erase_after: datetime | None
    version: int

    @classmethod
    def of(cls, person: Person) -> Self:
        """As the API shows it."""
        return cls.model_validate(person.model_dump())


@router.post("/people", status_code=201)
async def enter_person(
    command: EnterPerson, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> PersonOut:
    """Enter a person; when the address is known (in whatever case) that person gets the roles."""
    return PersonOut.of(await people.enter_person(store, who, command, now=now, request_id=request_id))


@router.get("/people")
async def list_people(
    store: TheStore,
    who: Reader,
    organisation_id: Annotated[str | None, Query(max_length=64)] = None,
    q: Annotated[str, Query(max_length=100)] = "",
    limit: Limit = 50,
    after: After = None,
) -> Listed[PersonOut]:
    """Active people by name: of an organisation, or whose name or address holds `q`."""
    found, cursor = await people.list_people(store, who, organisation_id=organisation_id, q=q, limit=limit, after=after)
    return Listed(items=[PersonOut.of(person) for person in found], next=cursor)


@router.get("/people/{person_id}")
async def get_person(person_id: str, store: TheStore, who: Reader) -> PersonOut:
    """One person."""
    return PersonOut.of(await people.get_person(store, who, person_id))


@router.post("/people/{person_id}/roles")
async def add_roles(
    person_id: str, command: AddRoles, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> PersonOut:
    """Give a person more roles."""
    return PersonOut.of(await people.add_roles(store, who, person_id, command, now=now, request_id=request_id))


@router.post("/people/{person_id}/roles/remove")
async def remove_role(
    person_id: str, role: RoleGiven, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> PersonOut:
    """Take one role from a person."""
    return PersonOut.of(await people.remove_role(store, who, person_id, role, now=now, request_id=request_id))


@router.post("/people/{person_id}/erase")
async def erase_person(person_id: str, store: TheStore, who: Writer, now: Now, request_id: RequestId) -> PersonOut:
    """Erase name, address and roles, in every service."""
    return PersonOut.of(await people.erase_person(store, who, person_id, now=now, request_id=request_id))
