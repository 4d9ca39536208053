"""Companies as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence

from services.outreach.domain.companies import ChangeCompany, Company, EnterCompany
from services.outreach.domain.people import Person
from services.outreach.store.core import Store, from_document
from services.outreach.usecases import companies
from services.outreach.usecases.tables.words import LANGUAGES, districts
from shared.auth import Identity
from shared.ids import derived_id
from shared.tables.columns import Column, Row, Table, nested
from shared.tables.lines import Importer, Work
from shared.tables.paging import PER_PAGE, every_page

FACTS = ("name", "street", "postal_code", "town")
CONTACT = ("contact.name", "contact.email", "contact.phone", "contact.language")
TABLE = Table(
    "companies",
    "Companies",
    (
        Column("id", "Id", width=34),
        Column("version", "Version", "whole", "shown", width=9),
        Column("name", "Name", width=32),
        Column("street", "Street", width=26),
        Column("postal_code", "Postal code", width=12),
        Column("town", "Town"),
        Column("active", "Active", "yes_no", width=9),
        Column("district_ags", "District", "choice", "shown", districts, width=26),
        Column("contact.name", "Contact: name", use="once", width=26),
        Column("contact.email", "Contact: e-mail address", use="once", width=32),
        Column("contact.phone", "Contact: phone", use="once"),
        Column("contact.language", "Contact: language", "choice", "once", LANGUAGES, width=12),
    ),
    "/outreach/companies",
)


async def export_companies(store: Store, identity: Identity) -> AsyncIterator[Sequence[Row]]:
    """All companies with their contacts, by name."""
    pages = every_page(lambda after: companies.list_companies(store, identity, limit=PER_PAGE, after=after))
    async for page in pages:
        yield await _rows(store, page)


async def _rows(store: Store, found: Sequence[Company]) -> list[Row]:
    ids = [company.contact_person_id for company in found if company.contact_person_id]
    people = {row["_id"]: from_document(Person, row) async for row in store.db.people.find({"_id": {"$in": ids}})}
    return [_row(company, people.get(company.contact_person_id or "")) for company in found]


def _row(company: Company, contact: Person | None) -> Row:
    facts = company.model_dump(include={"id", "version", *FACTS, "active", "district_ags"})
    person = contact.model_dump(include={"name", "email", "phone", "language"}) if contact and contact.active else {}
    return {**facts, **{key: person.get(key.removeprefix("contact."), "") for key in CONTACT}}


async def _known(work: Work, ids: Sequence[str]) -> Mapping[str, Row]:
    rows = work.store.db.companies.find({"_id": {"$in": list(ids)}})
    found = [from_document(Company, row) async for row in rows]
    return {row["id"]: row for row in await _rows(work.store, found)}


async def _check(work: Work, row: Row, before: Row | None) -> None:
    _command(row, before)


async def _write(work: Work, row: Row, before: Row | None, request_id: str) -> None:
    command = _command(row, before)
    common = {"now": work.now, "request_id": request_id}
    if isinstance(command, ChangeCompany):
        await companies.change_company(work.store, work.identity, row["id"], command, **common)
        return
    company = await companies.enter_company(work.store, work.identity, command, **common)
    if row.get("active") is False:
        facts = ChangeCompany.model_validate({**nested(row, FACTS), "active": False})
        again = derived_id(request_id, "inactive")
        await companies.change_company(work.store, work.identity, company.id, facts, now=work.now, request_id=again)


def _command(row: Row, before: Row | None) -> EnterCompany | ChangeCompany:
    if before is None:
        return EnterCompany.model_validate(nested(row, (*FACTS, *CONTACT)))
    return ChangeCompany.model_validate({name: row[name] for name in (*FACTS, "active")})


IMPORTER = Importer(TABLE, _known, _check, _write, lambda request_id, row: derived_id(request_id, "company"))
