"""Ambassadors as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence

from services.outreach.domain.ambassadors import (
    AlreadyAnAmbassador,
    Ambassador,
    AmbassadorFieldUnknown,
    ChangeAmbassador,
    EnterAmbassador,
)
from services.outreach.domain.people import OrganisationUnknown
from services.outreach.store import people as stored_people
from services.outreach.store import visits as stored
from services.outreach.store.core import Store, from_document
from services.outreach.usecases import ambassadors
from services.outreach.usecases.ambassadors import Known
from services.outreach.usecases.tables.words import LANGUAGES, fields
from shared import region
from shared.auth import Identity
from shared.ids import derived_id
from shared.tables.columns import Column, Row, Table, nested
from shared.tables.lines import Importer, Work
from shared.tables.paging import PER_PAGE, every_page

SETTINGS = ("limits.per_week", "limits.per_campaign", "fields", "home_postal_code")
NEW = ("name", "email", "language", "company_id", *SETTINGS)
TABLE = Table(
    "ambassadors",
    "Ambassadors",
    (
        Column("id", "Id", width=34),
        Column("version", "Version", "whole", "shown", width=9),
        Column("name", "Name", use="once", width=28),
        Column("email", "E-mail address", use="once", width=34),
        Column("language", "Language", "choice", "once", LANGUAGES, width=11),
        Column("company_id", "Company’s id", use="once", width=34),
        Column("company_name", "Company", use="shown", width=30),
        Column("limits.per_week", "Visits per week at most", "whole", width=12),
        Column("limits.per_campaign", "Visits per campaign at most", "whole", width=12),
        Column("fields", "Fields of work", "choices", options=fields, width=40),
        Column("home_postal_code", "Postal code of the home", width=12),
        Column("blocked_days", "Blocked days", "days", "shown", width=26),
    ),
    "/outreach/ambassadors",
)


async def export_ambassadors(store: Store, identity: Identity) -> AsyncIterator[Sequence[Row]]:
    """The active ambassadors whom `identity` looks after."""
    pages = every_page(lambda after: ambassadors.list_ambassadors(store, identity, limit=PER_PAGE, after=after))
    async for page in pages:
        yield [_row(known) for known in page]


def _row(known: Known) -> Row:
    me, person = known.ambassador, known.person
    return {
        "id": me.id, "version": me.version, "name": known.name, "email": person.email if person else "",
        "language": person.language if person else "de", "company_id": me.company_id,
        "company_name": known.company_name, "limits.per_week": me.limits.per_week,
        "limits.per_campaign": me.limits.per_campaign, "fields": list(me.fields),
        "home_postal_code": me.home_postal_code or "", "blocked_days": [each.day for each in me.blocked_days],
    }  # fmt: skip


async def _known(work: Work, ids: Sequence[str]) -> Mapping[str, Row]:
    rows = work.store.db.ambassadors.find({"_id": {"$in": list(ids)}, "active": True})
    found = [from_document(Ambassador, row) async for row in rows]
    people, companies = await stored.people_and_companies(work.store, found)
    known = [Known(each, people.get(each.person_id), companies.get(each.company_id, "")) for each in found]
    return {each.ambassador.id: _row(each) for each in known}


async def _check(work: Work, row: Row, before: Row | None) -> None:
    command = _command(row, before)
    for code in command.fields:
        if code not in region.career_fields():
            raise AmbassadorFieldUnknown(code=code)
    if isinstance(command, ChangeAmbassador):
        return
    if not await work.store.db.companies.find_one({"_id": command.company_id}, {"_id": 1}):
        error = OrganisationUnknown(kind="ambassador")
        error.field = "company_id"
        raise error
    person = await stored_people.by_email(work.store, command.email)
    if person and await stored.ambassador_of(work.store, person.id):
        raise AlreadyAnAmbassador


async def _write(work: Work, row: Row, before: Row | None, request_id: str) -> None:
    command = _command(row, before)
    common = {"now": work.now, "request_id": request_id}
    if isinstance(command, ChangeAmbassador):
        await ambassadors.change_ambassador(work.store, work.identity, row["id"], command, **common)
    else:
        await ambassadors.enter_ambassador(work.store, work.identity, command, **common)


def _command(row: Row, before: Row | None) -> EnterAmbassador | ChangeAmbassador:
    if before is None:
        return EnterAmbassador.model_validate(nested(row, NEW))
    return ChangeAmbassador.model_validate({"fields": row["fields"], **nested(row, SETTINGS)})


IMPORTER = Importer(TABLE, _known, _check, _write, lambda request_id, row: derived_id(request_id, "ambassador"))
