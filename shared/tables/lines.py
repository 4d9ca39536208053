"""One line of an import: what it would do, doing it, and what is wrong with it."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from shared.errors import RuleBroken
from shared.identity import Identity
from shared.ids import derived_id
from shared.mongo import AlreadyThere, Document, StoreError
from shared.tables import faults
from shared.tables.columns import Column, Row, Table
from shared.tables.faults import CORRECT, Fault
from shared.tables.reading import Line
from shared.tables.values import text
from shared.ui.language import sentence, translate
from shared.web.problems import field_errors

log = logging.getLogger(__name__)
LANGUAGES = ("de", "en")
SHOWN = 200  # characters of a value or a label in a report


@dataclass(frozen=True)
class Work:
    """What a line is imported with: on whose behalf, when, in which zone's wall time."""

    store: Any
    identity: Identity
    now: datetime
    zone: str


async def nobody(work: Work, rows: Sequence[Row]) -> list[str | None]:
    """No row without an id is known by anything else."""
    return [None] * len(rows)


@dataclass(frozen=True)
class Importer:
    """How a table's rows come in. `known` gives rows as they are exported, by id; `check` raises what would be wrong
    with a row (before is None for a new one); `write` brings it in; `new_id` is the id that a new row gets from its
    request; `same` finds rows without an id by something else; with `own_ids` an unknown id is a new row's."""

    table: Table
    known: Callable[[Work, Sequence[str]], Awaitable[Mapping[str, Row]]]
    check: Callable[[Work, Row, Row | None], Awaitable[None]]
    write: Callable[[Work, Row, Row | None, str], Awaitable[None]]
    new_id: Callable[[str, Row], str]
    same: Callable[[Work, Sequence[Row]], Awaitable[list[str | None]]] = nobody
    own_ids: bool = False


@dataclass
class Looked:
    """A line with what is known about its row."""

    line: Line
    request_id: str
    row: Row
    before: Row | None
    wrong: dict[str, RuleBroken]
    changed: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    faults: list[Document] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """new, changed, unchanged or error."""
        if self.faults:
            return "error"
        return "new" if self.before is None else "changed" if self.changed else "unchanged"

    async def check(self, work: Work, importer: Importer) -> None:
        """Note what would be wrong."""
        await self._try(importer, lambda: importer.check(work, self.row, self.before))

    async def carry_out(self, work: Work, importer: Importer) -> None:
        """Bring the row in, or note what is wrong."""
        await self._try(importer, lambda: importer.write(work, self.row, self.before, self.request_id))

    async def _try(self, importer: Importer, step: Callable[[], Awaitable[None]]) -> None:
        self.faults += [_fault(importer.table, self.line, key, error) for key, error in self.wrong.items()]
        if self.outcome not in ("new", "changed"):
            return
        try:
            await step()
        except ValidationError as error:
            self.faults += _invalid(importer.table, self.line, error)
        except RuleBroken as error:
            self.faults.append(_fault(importer.table, self.line, error.field or "", error))
        except AlreadyThere:
            self.faults.append(_fault(importer.table, self.line, "", faults.NotWritten()))
        except StoreError:
            raise
        except Exception:  # one line that fails in a way that nobody thought of must not stop the others
            log.exception("line %d of an import failed", self.line.number)
            self.faults.append(_fault(importer.table, self.line, "", faults.NotWritten()))


async def look_at(
    work: Work, importer: Importer, batch: str, lines: Sequence[Line], seen: dict[str, int], *, patient: bool
) -> list[Looked]:
    """Each line with its row as it is now. `seen` holds the lines of ids so far; `patient` passes over that a row has
    a newer version than in the file, for an import that was cut off may have written it."""
    read = [importer.table.read(line.cells) for line in lines]
    same = await importer.same(work, [row for row, _ in read])
    requests = [derived_id(batch, line.number) for line in lines]
    ids = [_id_of(row) or other for (row, _), other in zip(read, same, strict=True)]
    made = [importer.new_id(request, row) for request, (row, _) in zip(requests, read, strict=True)]
    known = await importer.known(work, [id or own for id, own in zip(ids, made, strict=True)])
    found = []
    for line, (row, wrong), id, own, request in zip(lines, read, ids, made, requests, strict=True):
        before = known.get(id or own)
        looked = Looked(line, request, row, before, dict(wrong))
        if id:
            if before is None and not importer.own_ids:
                looked.wrong["id"] = faults.IdUnknown()
            elif seen.setdefault(id, line.number) != line.number:
                looked.wrong["id"] = faults.IdTwice(line=seen[id])
        elif before is not None:
            looked.row = {}  # this very line is in already
        _compare(looked, importer.table, patient)
        found.append(looked)
    return found


def outcome_document(import_id: str, looked: Looked, erase_after: datetime, gone_at: datetime) -> Document:
    """What is kept of a line's outcome."""
    return {
        "_id": f"{import_id}:{looked.line.number}", "import_id": import_id, "line": looked.line.number,
        "outcome": looked.outcome, "label": looked.row.get("_label", ""), "changed": looked.changed,
        "ignored": looked.ignored, "faults": looked.faults, "failed": bool(looked.faults), "erase_after": erase_after,
        "gone_at": gone_at,
    }  # fmt: skip


def _compare(looked: Looked, table: Table, patient: bool) -> None:
    """Complete the row by what is there, and note which columns differ."""
    given, before = looked.row, looked.before
    label = text(given.get(table.label) or (before or {}).get(table.label) or "")[:SHOWN]
    if before is not None:
        for column in table.columns:
            if column.key in given and not _same(given[column.key], before.get(column.key)):
                {"written": looked.changed, "once": looked.ignored}.get(column.use, []).append(column.key)
        looked.row = {**before, **{key: given[key] for key in looked.changed}}
        version = given.get("version")
        if looked.changed and not patient and version is not None and version != before.get("version"):
            looked.wrong["version"] = faults.ChangedSinceExport()
    looked.row = {**looked.row, "_label": label}


def _same(given: Any, before: Any) -> bool:
    return _plain(given) == _plain(before)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    return list(value) if isinstance(value, list | tuple) else value if value is not None else ""


def _id_of(row: Row) -> str | None:
    return str(row.get("id") or "").strip() or None


def _column(table: Table, name: str) -> Column | None:
    """The column of a command's field: `contact.email`, or `grades` for `grades.0`."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if column := table.by_key.get(".".join(parts[:end])):
            return column
    return next((column for key, column in table.by_key.items() if key.startswith(f"{parts[0]}.")), None)


def _fault(table: Table, line: Line, name: str, error: RuleBroken) -> Document:
    hint = error.hint if isinstance(error, Fault) else CORRECT
    reasons = {language: sentence(error, language) for language in LANGUAGES}
    return _document(table, line, name, reasons, hint)


def _invalid(table: Table, line: Line, error: ValidationError) -> list[Document]:
    by_language = {language: field_errors(error.errors(), language) for language in LANGUAGES}
    found = []
    for index, item in enumerate(by_language["en"]):
        reasons = {language: by_language[language][index]["reason"] for language in LANGUAGES}
        found.append(_document(table, line, item["field"], reasons, CORRECT))
    return found


def _document(table: Table, line: Line, name: str, reasons: dict[str, str], hint: str) -> Document:
    column = _column(table, name) if name else None
    cell = line.cells.get(column.key) if column else None
    return {
        "column": {language: translate(column.name, language) if column else "" for language in LANGUAGES},
        "value": "" if cell is None else text(cell)[:SHOWN],
        "reason": reasons,
        "hint": {language: translate(hint, language) for language in LANGUAGES},
    }
