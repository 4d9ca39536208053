"""Pages for importing the school register: upload, look at what it would do, confirm."""

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from services.outreach.api.schools import counts, in_language
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, wrong
from services.outreach.usecases import uploads
from shared.errors import Invalid
from shared.tables.faults import CORRECT
from shared.ui.language import translate
from shared.web.callers import Person
from shared.web.pages import form_request_id, language_of, posted, see_other
from shared.web.tables import faults_file

router = APIRouter()
SHOWN = 200


class FileNotChosen(Invalid):
    """Please choose the file with the school register."""

    field = "file"


@router.get("/imports")
async def ask(request: Request, pages: ThePages, person: Person) -> Response:
    """Where the files are chosen."""
    person.must_coordinate()
    return pages.show(request, "import.html")


@router.post("/imports")
async def upload(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Keep the files for an hour and show what they would do."""
    person.must_coordinate()
    try:
        form = await posted(request, uploads=True)
        register, pupils = await _content(form.get("file")), await _content(form.get("pupils"))
        if not register:
            raise FileNotChosen
        upload_id = await uploads.keep_upload(
            store, person, register, pupils, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        return pages.show(request, "import.html", 422, **wrong(request, error))
    return see_other(f"/outreach/imports/{upload_id}")


@router.get("/imports/{upload_id}")
async def look(
    upload_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """What the import would do, or what it did."""
    outcome = await uploads.look_at_upload(store, person, upload_id, now=now)
    language = language_of(request)
    lists = ("set_aside", "errors", "warnings")
    return pages.show(
        request,
        "import_result.html",
        upload_id=upload_id,
        outcome=outcome,
        counts=counts(outcome),
        lines={name: [in_language(line, language) for line in getattr(outcome, name)[:SHOWN]] for name in lists},
        changes=outcome.changes[:SHOWN],
        most=SHOWN,
    )


@router.get("/imports/{upload_id}/errors.csv")
async def download_faults(upload_id: str, request: Request, store: TheStore, now: Now, person: Person) -> Response:
    """The register's lines with faults as a file."""
    outcome = await uploads.look_at_upload(store, person, upload_id, now=now)
    language = language_of(request)
    way_out = translate(CORRECT, language)
    found = [in_language(line, language) for line in outcome.errors]
    lines = [[line["line"], line["field"], line["value"], line["reason"], line["hint"] or way_out] for line in found]
    return faults_file(request, "schools", lines)


@router.post("/imports/{upload_id}")
async def confirm(upload_id: str, request: Request, store: TheStore, now: Now, person: Person) -> Response:
    """Take the register over; sent twice it is taken over once."""
    await posted(request)
    await uploads.import_upload(store, person, upload_id, now=now)
    return see_other(f"/outreach/imports/{upload_id}")


async def _content(part: object) -> bytes | None:
    return (await part.read() or None) if isinstance(part, UploadFile) else None
