"""Routes of lists as files: `<list>.csv` and `<list>.xlsx`, and the pages of their import."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from shared.errors import Conflict, Invalid, NotFound
from shared.identity import Identity
from shared.mongo import Document
from shared.tables.columns import Row, Table
from shared.tables.faults import FileFault
from shared.tables.importing import Imports
from shared.tables.reading import MB, MOST_BYTES
from shared.tables.writing import BOM, MEDIA, WRITERS, csv_text
from shared.ui.language import translate
from shared.web.callers import Person
from shared.web.pages import Pages, errors_by_field, form_request_id, language_of, posted, see_other

Rows = Callable[[Request, Identity, Mapping[str, str]], AsyncIterator[Sequence[Row]]]
FAULT_HEADINGS = ("Line", "Column", "Value", "What is wrong", "Way out")
LONGEST_FILTER = 200


@dataclass(frozen=True)
class Export:
    """A list as a file at `path`: `rows` gives it in batches, as far as the person may see it, for the filters that
    the list itself has in its address. What is `searched` for may be personal: it comes by a form, never an address."""

    table: Table
    path: str
    rows: Rows
    filters: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()


class FileMissing(FileFault):
    """Please choose the file to import."""


class FileEmpty(FileFault):
    """This file is empty. Please choose another one."""


class FilterUnknown(Invalid):
    """The list cannot be filtered like this. Please set the filter again."""


def export_router(exports: Sequence[Export]) -> APIRouter:
    """The routes of these exports, each as CSV and XLSX."""
    router = APIRouter()
    for export in exports:
        for form in WRITERS:
            path, name = f"{export.path}.{form}", f"export_{export.table.name}_{form}"
            router.add_api_route(path, _exporting(export, form), name=name)
            if export.searched:
                router.add_api_route(path, _searching(export, form), name=f"search_{name}", methods=["POST"])
    return router


def _exporting(export: Export, form: str) -> Callable[..., Awaitable[Response]]:
    async def download(request: Request, person: Person) -> Response:
        return await _answer(export, form, request, person, export.filters, request.query_params)

    return download


def _searching(export: Export, form: str) -> Callable[..., Awaitable[Response]]:
    async def download(request: Request, person: Person) -> Response:
        return await _answer(export, form, request, person, export.searched, await posted(request))

    return download


async def _answer(
    export: Export, form: str, request: Request, person: Identity, names: Sequence[str], given: Mapping[str, Any]
) -> Response:
    asked = {name: str(given.get(name, "")).strip()[:LONGEST_FILTER] for name in names}
    wanted = {**request.path_params, **{name: value for name, value in asked.items() if value}}
    try:
        batches = await _begun(export.rows(request, person, wanted))
    except ValidationError as error:
        raise FilterUnknown from error
    language = language_of(request)
    chunks = WRITERS[form](export.table, batches, language)
    return _file(chunks, export.table, form, _now(request), language)


async def _begun(batches: AsyncIterator[Sequence[Row]]) -> AsyncIterator[Sequence[Row]]:
    """The batches, the first one fetched: whoever may not see the list is told so before the file begins."""
    first = await anext(batches, ())

    async def all_of_them() -> AsyncIterator[Sequence[Row]]:
        yield first
        async for batch in batches:
            yield batch

    return all_of_them()


def _file(chunks: AsyncIterator[bytes], table: Table, form: str, now: datetime, language: str) -> Response:
    title = translate(table.title, language)
    name = f"{title}-{now:%Y-%m-%d}.{form}".replace(" ", "-").replace("/", "-")
    disposition = f"attachment; filename=\"{table.name}-{now:%Y-%m-%d}.{form}\"; filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return StreamingResponse(chunks, media_type=MEDIA[form], headers=headers)


import_router = APIRouter()


@import_router.get("/import/{kind}/{import_id}/errors.csv")
async def download_faults(kind: str, import_id: str, request: Request, person: Person) -> Response:
    """The lines with faults as a file."""
    person.must_coordinate()
    imports = _imports(request, kind)
    found = await imports.faults(person, kind, import_id, now=_now(request))
    return faults_file(request, imports.importers[kind].table.name, _fault_lines(found, language_of(request)))


@import_router.get("/import/{kind}/{import_id}")
async def look(kind: str, import_id: str, request: Request, person: Person) -> Response:
    """What the import would do, how far it is, or what it did."""
    person.must_coordinate()
    imports = _imports(request, kind)
    found = await imports.look(person, kind, import_id, now=_now(request))
    shown = {"found": found, "address": f"{_address(request, kind)}/{import_id}"}
    if request.headers.get("HX-Request") != "true":
        return _show(request, kind, "tables_progress.html", **shown)
    page = _show(request, kind, "tables_bar.html", **shown)
    if not found.working:
        page.headers["HX-Refresh"] = "true"
    return page


@import_router.post("/import/{kind}/{import_id}")
async def confirm(kind: str, import_id: str, request: Request, person: Person) -> Response:
    """Import what was checked."""
    person.must_coordinate()
    imports = _imports(request, kind)
    await posted(request)
    await imports.confirm(person, kind, import_id, now=_now(request))
    return see_other(f"{_address(request, kind)}/{import_id}")


@import_router.get("/import/{kind}")
async def ask(kind: str, request: Request, person: Person) -> Response:
    """Where the file is chosen."""
    person.must_coordinate()
    return _ask_page(kind, request)


@import_router.post("/import/{kind}")
async def upload(kind: str, request: Request, person: Person) -> Response:
    """Keep the file and check it."""
    person.must_coordinate()
    imports = _imports(request, kind)
    try:
        form = await posted(request, uploads=True)
        data = await _content(form.get("file"))
        request_id = form_request_id(person, form)
        import_id = await imports.keep(person, kind, data, now=_now(request), request_id=request_id)
    except (Invalid, Conflict) as error:
        return _ask_page(kind, request, 422, errors=errors_by_field(error, language_of(request)))
    return see_other(f"{_address(request, kind)}/{import_id}")


def faults_file(request: Request, name: str, lines: Sequence[Sequence[Any]]) -> Response:
    """A CSV file of lines with faults: line, column, value, what is wrong, way out."""
    language = language_of(request)
    headings = [translate(heading, language) for heading in FAULT_HEADINGS]
    disposition = f'attachment; filename="{name}-errors.csv"'
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    content = BOM + csv_text([headings, *lines], language)
    return Response(content.encode(), media_type=MEDIA["csv"], headers=headers)


def _fault_lines(found: Sequence[Document], language: str) -> list[list[Any]]:
    return list(
        chain.from_iterable(
            [
                [row["line"], fault["column"][language], fault["value"], fault["reason"][language],
                 fault["hint"][language]]
                for fault in row["faults"]
            ]
            for row in found
        )
    )  # fmt: skip


def _ask_page(kind: str, request: Request, status: int = 200, **more: Any) -> Response:
    others = [(name, each.table.title) for name, each in _imports(request, kind).importers.items()]
    service = _pages(request).service
    return _show(
        request, kind, "tables_import.html", status, others=others, address=_address(request, kind),
        file=f"/{service}/{kind}", most=MOST_BYTES // MB, **more,
    )  # fmt: skip


def _show(request: Request, kind: str, template: str, status: int = 200, **values: Any) -> Response:
    language, table = language_of(request), _imports(request, kind).importers[kind].table

    def words(text: str) -> str:
        return translate(text, language)

    return _pages(request).show(request, template, status, kind=kind, table=table, words=words, **values)


def _address(request: Request, kind: str) -> str:
    return f"/{_pages(request).service}/import/{kind}"


async def _content(part: object) -> bytes:
    if not isinstance(part, UploadFile) or not part.filename:
        raise FileMissing
    data = await part.read()
    if not data:
        raise FileEmpty
    return data


def _imports(request: Request, kind: str) -> Imports:
    imports: Imports = request.app.state.imports
    if kind not in imports.importers:
        raise NotFound
    return imports


def _pages(request: Request) -> Pages:
    return request.app.state.pages


def _now(request: Request) -> datetime:
    return request.app.state.clock.now()
