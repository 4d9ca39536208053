"""People with their roles as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence

from services.outreach.domain.people import (
    AGENCY,
    AGENCY_ROLES,
    AddRoles,
    EnterPerson,
    OrganisationUnknown,
    Person,
    RoleGiven,
    email_key,
    must_give,
)
from services.outreach.store.core import Store, from_document
from services.outreach.usecases import people
from services.outreach.usecases.person_facts import ChangePersonFacts, change_person_facts
from services.outreach.usecases.tables.words import LANGUAGES
from shared.auth import Identity
from shared.errors import Invalid
from shared.ids import derived_id
from shared.tables.columns import Column, Row, Table, nested
from shared.tables.lines import Importer, Work
from shared.tables.paging import PER_PAGE, every_page

FACTS = ("name", "email", "phone", "language")
TABLE = Table(
    "people",
    "People",
    (
        Column("id", "Id", width=34),
        Column("version", "Version", "whole", "shown", width=9),
        Column("name", "Name", width=28),
        Column("email", "E-mail address", width=34),
        Column("phone", "Phone"),
        Column("language", "Language", "choice", options=LANGUAGES, width=11),
        Column("roles", "Roles, one in a line (kind:organisation)", "texts", width=44),
        Column("erase_after", "Is erased on", "day", "shown", width=13),
    ),
    "/outreach/people",
)


class RoleUnreadable(Invalid):
    """“{role}” is no role. Roles are coordinator, operator, teacher:number of the school, company:id of the company
    and ambassador:id of the company."""

    field = "roles"


class RolesMissing(Invalid):
    """A person needs at least one role. To remove somebody for good, erase that person on the person's page."""

    field = "roles"


async def export_people(
    store: Store, identity: Identity, *, organisation_id: str | None = None, q: str = ""
) -> AsyncIterator[Sequence[Row]]:
    """Active people by name."""
    pages = every_page(
        lambda after: people.list_people(
            store, identity, organisation_id=organisation_id, q=q, limit=PER_PAGE, after=after
        )
    )
    async for page in pages:
        yield [_row(person) for person in page]


def _row(person: Person) -> Row:
    facts = person.model_dump(include={"id", "version", *FACTS})
    roles = [role.kind if role.kind in AGENCY_ROLES else f"{role.kind}:{role.organisation_id}" for role in person.roles]
    return {**facts, "roles": roles, "erase_after": person.erase_after.date() if person.erase_after else None}


async def _known(work: Work, ids: Sequence[str]) -> Mapping[str, Row]:
    rows = work.store.db.people.find({"_id": {"$in": list(ids)}, "active": True})
    return {row["_id"]: _row(from_document(Person, row)) async for row in rows}


async def _same(work: Work, rows: Sequence[Row]) -> list[str | None]:
    """Who is entered already is known by the mail address."""
    keys = [email_key(row.get("email", "")) for row in rows]
    where = {"email_key": {"$in": [key for key in keys if key]}, "active": True}
    ids = {row["email_key"]: row["_id"] async for row in work.store.db.people.find(where, {"email_key": 1})}
    return [ids.get(key) for key in keys]


async def _check(work: Work, row: Row, before: Row | None) -> None:
    ChangePersonFacts.model_validate(nested(row, FACTS) if before is None else {name: row[name] for name in FACTS})
    given = _roles(row)
    must_give(work.identity, given)
    held = before["roles"] if before else []
    for role, text in zip(given, row["roles"], strict=True):
        if text in held or role.kind in AGENCY_ROLES:
            continue
        collection = "schools" if role.kind == "teacher" else "companies"
        if not await work.store.db[collection].find_one({"_id": role.organisation_id}, {"_id": 1}):
            raise OrganisationUnknown(kind=role.kind)


async def _write(work: Work, row: Row, before: Row | None, request_id: str) -> None:
    store, who, now = work.store, work.identity, work.now
    given = _roles(row)
    if before is None:
        command = EnterPerson.model_validate({**nested(row, FACTS), "roles": [role.model_dump() for role in given]})
        await people.enter_person(store, who, command, now=now, request_id=request_id)
        return
    person_id, held = before["id"], _roles(before)
    if any(row[name] != before[name] for name in FACTS):
        facts = ChangePersonFacts.model_validate({name: row[name] for name in FACTS})
        step = derived_id(request_id, "facts")
        await change_person_facts(store, who, person_id, facts, now=now, request_id=step)
    if new := [role for role in given if role not in held]:
        step = derived_id(request_id, "roles")
        await people.add_roles(store, who, person_id, AddRoles(roles=new), now=now, request_id=step)
    for role in held:
        if role not in given:
            step = derived_id(request_id, "without", role.kind, role.organisation_id)
            await people.remove_role(store, who, person_id, role, now=now, request_id=step)


def _roles(row: Row) -> list[RoleGiven]:
    found = [_role(text) for text in row.get("roles", [])]
    if not found:
        raise RolesMissing
    return list(dict.fromkeys(found))


def _role(text: str) -> RoleGiven:
    kind, _, organisation_id = (part.strip() for part in text.partition(":"))
    if kind in AGENCY_ROLES:
        return RoleGiven(kind=kind, organisation_id=AGENCY)
    if kind not in ("teacher", "company", "ambassador") or not 0 < len(organisation_id) <= 64:
        raise RoleUnreadable(role=text[:60])
    return RoleGiven(kind=kind, organisation_id=organisation_id)


def _new_id(request_id: str, row: Row) -> str:
    return derived_id(request_id, "person", row.get("email", ""))


IMPORTER = Importer(TABLE, _known, _check, _write, _new_id, _same)
