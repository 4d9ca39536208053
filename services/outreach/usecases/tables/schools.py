"""Schools as a file. The ministry's register has its own import; this one is for what is corrected by hand."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from services.outreach.domain.common import Command, Line, OptionalLine, PostalCode
from services.outreach.domain.schools import School, SetMovableDays
from services.outreach.school_register import OperatingStatus
from services.outreach.school_register import School as RegisterSchool
from services.outreach.store import schools as stored
from services.outreach.store.core import Store
from services.outreach.usecases import schools
from services.outreach.usecases.tables.words import districts, school_types
from shared import region
from shared.auth import Identity
from shared.bounds import Day
from shared.errors import Invalid
from shared.ids import derived_id
from shared.tables.columns import Column, Row, Table, labelled, nested
from shared.tables.lines import Importer, Work
from shared.tables.paging import PER_PAGE, every_page

STATUS = labelled(runs="runs", closes_this_year="closes this school year", closes_later="closes later")
TABLE = Table(
    "schools",
    "Schools",
    (
        Column("id", "School number", width=13),
        Column("version", "Version", "whole", "shown", width=9),
        Column("name", "Name", width=44),
        Column("short_name", "Short name", width=34),
        Column("school_type", "School type", "choice", options=school_types, width=18),
        Column("street", "Street", width=26),
        Column("postal_code", "Postal code", width=12),
        Column("town", "Town"),
        Column("municipality_ags", "Key of the municipality", width=14),
        Column("district_ags", "District", "choice", "shown", districts, width=26),
        Column("lat", "Latitude", "decimal", width=11),
        Column("lon", "Longitude", "decimal", width=11),
        Column("operating_status", "Operation", "choice", options=STATUS, width=18),
        Column("running_since", "Runs since", "day", width=12),
        Column("closes_on", "Last day", "day", width=12),
        Column("legal_form", "Legal form", "choice", options=labelled(**{"1": "public", "2": "private"}), width=12),
        Column("authority", "Number of the authority", width=14),
        Column("website", "Website", width=30),
        Column("email", "E-mail address", width=32),
        Column("phone", "Phone"),
        Column("pupils", "Pupils", "whole", width=9),
        Column("movable_days", "Movable days", "days", width=26),
        Column("open", "Is open", "yes_no", "shown", width=8),
    ),
    "/outreach/schools",
)
FACTS = tuple(column.key for column in TABLE.columns if column.use == "written" and column.key != "movable_days")


class MunicipalityUnknown(Invalid):
    """There is no municipality with this key in the region. The key has eight digits."""

    field = "municipality_ags"


class SchoolTypeUnknown(Invalid):
    """There is no school type with this code."""

    field = "school_type"


class _Given(Command):
    """A school as a line gives it."""

    id: Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
    name: Line
    short_name: Line
    school_type: str = Field(max_length=4)
    street: OptionalLine = ""
    postal_code: PostalCode
    town: Line
    municipality_ags: str = Field(max_length=8)
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    operating_status: OperatingStatus = OperatingStatus.RUNS
    running_since: Day | None = None
    closes_on: Day | None = None
    legal_form: str | None = Field(None, max_length=4)
    authority: str | None = Field(None, max_length=20)
    website: OptionalLine | None = None
    email: OptionalLine | None = None
    phone: OptionalLine | None = None
    pupils: int | None = Field(None, ge=0, le=20_000)

    def entry(self) -> RegisterSchool:
        """As the register would have it; MunicipalityUnknown, SchoolTypeUnknown."""
        place = region.municipality(self.municipality_ags)
        if place is None:
            raise MunicipalityUnknown
        if self.school_type not in region.school_types():
            raise SchoolTypeUnknown
        return RegisterSchool(**self.model_dump(), district_ags=place.district_ags)


async def export_schools(
    store: Store, identity: Identity, *, district: str | None = None, school_type: str | None = None, q: str = ""
) -> AsyncIterator[Sequence[Row]]:
    """Schools by short name, filtered as their list is."""
    identity.must_coordinate()
    pages = every_page(
        lambda after: schools.list_schools(
            store, identity, district=district, school_type=school_type, q=q, limit=PER_PAGE, after=after
        )
    )
    async for page in pages:
        yield [_row(school) for school in page]


def _row(school: School) -> Row:
    facts = {name: getattr(school, name) for name in TABLE.by_key}
    return {**facts, "operating_status": str(school.operating_status), "movable_days": list(school.movable_days)}


async def _known(work: Work, ids: Sequence[str]) -> Mapping[str, Row]:
    return {id: _row(school) for id, school in (await stored.by_ids(work.store, list(ids))).items()}


async def _check(work: Work, row: Row, before: Row | None) -> None:
    _Given.model_validate(nested(row, FACTS)).entry()
    SetMovableDays.model_validate({"days": row.get("movable_days", [])})


async def _write(work: Work, row: Row, before: Row | None, request_id: str) -> None:
    common = {"now": work.now}
    entry = _Given.model_validate(nested(row, FACTS)).entry()
    await schools.enter_school(work.store, work.identity, entry, request_id=request_id, **common)
    days = row.get("movable_days", [])
    if list(days) != list(before["movable_days"] if before else []):
        command = SetMovableDays.model_validate({"days": days})
        step = derived_id(request_id, "movable days")
        await schools.set_movable_days(work.store, work.identity, entry.id, command, request_id=step, **common)


IMPORTER = Importer(TABLE, _known, _check, _write, lambda request_id, row: "", own_ids=True)
