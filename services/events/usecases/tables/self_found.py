"""Places that schools found themselves, as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence

from services.events.domain import errors
from services.events.store.store import Store
from services.events.usecases import self_found
from services.events.usecases.inputs import RecordSelfFoundPlace, SelfFoundFilter
from services.events.usecases.results import SelfFoundView
from services.events.usecases.tables.words import StateNotReachable, fields
from shared.auth import Identity
from shared.ids import derived_id
from shared.region import career_fields
from shared.tables.columns import Column, Row, Table, nested
from shared.tables.lines import Importer, Work
from shared.tables.paging import PER_PAGE, every_page

GROUP = ("name", "grade", "pupils", "adults")
PLAIN = ("campaign_id", "school_id", "company_name", "field", "day")
NEW = (*PLAIN, *(f"group.{name}" for name in GROUP))
TABLE = Table(
    "self-found",
    "Self-found places",
    (
        Column("id", "Id", width=34),
        Column("version", "Version", "whole", "shown", width=9),
        Column("campaign_id", "Campaign’s id", use="once", width=34),
        Column("school_id", "School number", use="once", width=13),
        Column("company_name", "Company", use="once", width=30),
        Column("field", "Field of work", "choice", "once", fields, width=28),
        Column("day", "Day", "day", "once", width=12),
        Column("group.name", "Class or course", use="once", width=16),
        Column("group.grade", "Grade", "whole", "once", width=8),
        Column("group.pupils", "Pupils", "whole", "once", width=9),
        Column("group.adults", "Accompanying adults", "whole", "once", width=9),
        Column("withdrawn", "Taken back", "yes_no", width=12),
    ),
    "/events/self-found",
    label="company_name",
)


async def export_self_found(store: Store, identity: Identity, given: Mapping[str, str]) -> AsyncIterator[Sequence[Row]]:
    """Records of the own schools, all for the coordinator."""

    async def page(after: str | None) -> tuple[list[SelfFoundView], str | None]:
        wanted = SelfFoundFilter.model_validate({**given, "limit": PER_PAGE, "after": after})
        found = await self_found.find_self_found_places(store, identity, wanted)
        return found.items, found.next

    async for found in every_page(page):
        yield [_row(record) for record in found]


def _row(record: SelfFoundView) -> Row:
    plain = {name: getattr(record, name) for name in ("id", "version", *PLAIN, "withdrawn")}
    return {**plain, **{f"group.{name}": getattr(record.group, name) for name in GROUP}}


async def _known(work: Work, ids: Sequence[str]) -> Mapping[str, Row]:
    rows = work.store.db.self_found_places.find({"_id": {"$in": list(ids)}})
    return {row["_id"]: _row(self_found.view(row)) async for row in rows}


async def _check(work: Work, row: Row, before: Row | None) -> None:
    if before is not None:
        _must_be_withdrawn(row, before)
        return
    command = RecordSelfFoundPlace.model_validate(nested(row, NEW))
    campaign = await work.store.campaign(command.campaign_id)
    if campaign is None:
        raise errors.CampaignUnknown
    if await work.store.school(command.school_id) is None:
        raise errors.SchoolUnknown
    if command.field not in career_fields():
        raise errors.FieldUnknown
    if not campaign.starts_on <= command.day <= campaign.ends_on:
        raise errors.DayOutsideCampaign(starts_on=campaign.starts_on, ends_on=campaign.ends_on)


async def _write(work: Work, row: Row, before: Row | None, request_id: str) -> None:
    store, who, now = work.store, work.identity, work.now
    if before is not None:
        _must_be_withdrawn(row, before)
        await self_found.withdraw_self_found_place(store, who, before["id"], now=now, request_id=request_id)
        return
    command = RecordSelfFoundPlace.model_validate(nested(row, NEW))
    made = await self_found.record_self_found_place(store, who, command, now=now, request_id=request_id)
    if row.get("withdrawn"):
        step = derived_id(request_id, "withdrawn")
        await self_found.withdraw_self_found_place(store, who, made.id, now=now, request_id=step)


def _must_be_withdrawn(row: Row, before: Row) -> None:
    if before["withdrawn"] or row["withdrawn"] is not True:
        fault = StateNotReachable()
        fault.field = "withdrawn"
        raise fault


IMPORTER = Importer(TABLE, _known, _check, _write, lambda request_id, row: derived_id(request_id, "self-found place"))
