"""JSON in, JSON out: schools, and the import of the register."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from services.outreach.domain.schools import School, SetMovableDays
from services.outreach.edge import After, Limit, Listed, Now, Reader, TheStore, Writer
from services.outreach.usecases import schools
from services.outreach.usecases.schools import Imported
from shared.errors import Invalid
from shared.ui.language import preferred
from shared.web.callers import RequestId

router = APIRouter(tags=["schools"])
_FILE = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object", "required": ["file"], "properties": {"file": _FILE, "pupils": _FILE},
                },
            },
            "text/csv": {"schema": _FILE},
        },
    },
}  # fmt: skip


class FileMissing(Invalid):
    """Please send the school register as the file `file`, or as the body itself."""

    field = "file"


class SetAsideOut(BaseModel):
    """A good line that is no school."""

    line: int
    school_id: str
    name: str
    reason: str


class LineErrorOut(BaseModel):
    """What is wrong with one field of one line; `file` says in which of the two files."""

    line: int
    field: str
    value: str
    reason: str
    hint: str
    school_id: str | None
    file: Literal["register", "pupils"]


class CountsOut(BaseModel):
    """Lines of the file, by what they are."""

    rows: int
    schools: int
    set_aside: int
    errors: int


class ImportOut(BaseModel):
    """What an import did, or with dry_run would do. warnings: lines taken although a field was odd; missing: numbers
    of known schools that are not in the file."""

    dry_run: bool
    created: int
    changed: int
    unchanged: int
    set_aside: list[SetAsideOut]
    errors: list[LineErrorOut]
    warnings: list[LineErrorOut]
    missing: list[str]
    counts: CountsOut

    @classmethod
    def of(cls, done: Imported, language: str) -> Self:
        """As the API shows it, with the reasons in `language`."""
        facts = {name: getattr(done, name) for name in ("dry_run", "created", "changed", "unchanged", "missing")}
        lists = {name: [in_language(line, language) for line in getattr(done, name)] for name in _LISTS}
        return cls.model_validate({**facts, **lists, "counts": counts(done)})


class SchoolOut(BaseModel):
    """A school. Point in WGS84 degrees; movable_days are its own days off."""

    id: str
    name: str
    short_name: str
    school_type: str
    street: str
    postal_code: str
    town: str
    municipality_ags: str
    district_ags: str
    lat: float
    lon: float
    operating_status: str
    closes_on: date | None
    website: str | None
    pupils: int | None
    open: bool
    movable_days: list[date]
    version: int

    @classmethod
    def of(cls, school: School) -> Self:
        """As the API shows it."""
        return cls.model_validate(school.model_dump())


@router.post("/imports/schools", openapi_extra=_BODY)
async def import_schools(
    request: Request,
    store: TheStore,
    who: Writer,
    now: Now,
    request_id: RequestId,
    dry_run: Annotated[bool, Query(description="true: only say what would be")] = True,
) -> ImportOut:
    """Take over the ministry's school register, optionally with another file of pupil numbers."""
    who.must_coordinate()
    register, pupils = await _files(request)
    done = await schools.import_schools(store, who, register, pupils, dry_run=dry_run, now=now, request_id=request_id)
    return ImportOut.of(done, preferred(request.headers.get("accept-language")))


@router.get("/schools")
async def list_schools(
    store: TheStore,
    who: Reader,
    district: Annotated[str | None, Query(max_length=8, description="Official key of a Kreis")] = None,
    school_type: Annotated[str | None, Query(max_length=4)] = None,
    q: Annotated[str, Query(max_length=100, description="Words in number, name, postal code or town")] = "",
    limit: Limit = 50,
    after: After = None,
) -> Listed[SchoolOut]:
    """Schools by short name."""
    found, cursor = await schools.list_schools(
        store, who, district=district, school_type=school_type, q=q, limit=limit, after=after
    )
    return Listed(items=[SchoolOut.of(school) for school in found], next=cursor)


@router.get("/schools/{school_id}")
async def get_school(school_id: str, store: TheStore, who: Reader) -> SchoolOut:
    """One school, by its official number."""
    return SchoolOut.of(await schools.get_school(store, who, school_id))


@router.post("/schools/{school_id}/movable-days")
async def set_movable_days(
    school_id: str, command: SetMovableDays, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> SchoolOut:
    """Replace a school's movable days."""
    return SchoolOut.of(await schools.set_movable_days(store, who, school_id, command, now=now, request_id=request_id))


def in_language(line: Any, language: str) -> dict[str, Any]:
    """A line's report with its reason and hint in `language` alone."""
    facts = {name: getattr(line, name) for name in line.__dataclass_fields__}
    for name in ("reason", "hint"):
        facts[name] = facts.get(f"{name}_{language}", "")
    return facts


def counts(done: Imported) -> dict[str, int]:
    """How many lines there were of each kind."""
    taken = done.created + done.changed + done.unchanged
    return {"rows": done.rows, "schools": taken, "set_aside": len(done.set_aside), "errors": len(done.errors)}


_LISTS = ("set_aside", "errors", "warnings")


async def _files(request: Request) -> tuple[bytes, bytes | None]:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        body = await request.body()
        if not body:
            raise FileMissing
        return body, None
    form = await request.form(max_files=2, max_fields=5)
    register, pupils = form.get("file"), form.get("pupils")
    if not isinstance(register, UploadFile):
        raise FileMissing
    return await register.read(), await pupils.read() if isinstance(pupils, UploadFile) else None
