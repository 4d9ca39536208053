"""Writing lists as files, batch by batch, so that a long list never lies in memory."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from xlsxwriter import Workbook

from shared.tables.columns import Cell, Row, Table
from shared.tables.escapes import for_csv, for_xlsx
from shared.ui.language import translate

BOM = "\ufeff"
LONGEST_CELL = 32_767  # of XLSX, after escaping
CHUNK = 256 * 1024
Batches = AsyncIterator[Sequence[Row]]


async def csv_lines(table: Table, batches: Batches, language: str) -> AsyncIterator[bytes]:
    """The list as CSV: UTF-8 with a byte order mark, `;`, everything quoted, formulas made harmless."""
    yield (BOM + csv_text([table.headings(language)], language)).encode()
    async for rows in batches:
        yield csv_text([table.cells(row, language) for row in rows], language).encode()


def csv_text(lines: Sequence[Sequence[Cell]], language: str) -> str:
    """Lines of a CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for cells in lines:
        writer.writerow([_csv_cell(cell, language) for cell in cells])
    return out.getvalue()


def _csv_cell(cell: Cell, language: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return for_csv(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds" if cell.second else "minutes")
    if isinstance(cell, float):
        return repr(cell).replace(".", "," if language == "de" else ".")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


async def xlsx_chunks(table: Table, batches: Batches, language: str) -> AsyncIterator[bytes]:
    """The list as XLSX: dates and numbers with their types, the headings frozen. It is written to disk first."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.xlsx"
        sheet = await asyncio.to_thread(_Sheet, path, table, language)
        async for rows in batches:
            await asyncio.to_thread(sheet.write, rows)
        await asyncio.to_thread(sheet.close)
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK):
                yield chunk


class _Sheet:
    """A workbook with one sheet, whose rows go to disk at once."""

    def __init__(self, path: Path, table: Table, language: str) -> None:
        self._table, self._language, self._line = table, language, 0
        self._book = Workbook(path, {"constant_memory": True, "tmpdir": path.parent})
        title = re.sub(r"[\[\]:*?/\\']", " ", translate(table.title, language))[:31]
        self._sheet = self._book.add_worksheet(title)
        head = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._formats = {
            "day": self._book.add_format({"num_format": "yyyy-mm-dd"}),
            "wall": self._book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            "text": self._book.add_format({"num_format": "@"}),
        }
        for index, column in enumerate(table.columns):
            self._sheet.set_column(index, index, column.width)
            self._sheet.write_string(0, index, column.heading(language), head)
        self._sheet.freeze_panes(1, 0)

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        for row in rows:
            self._line += 1
            for index, cell in enumerate(self._table.cells(row, self._language)):
                if cell is not None and cell != "":
                    self._write(index, cell)

    def _write(self, index: int, cell: Any) -> None:
        sheet, line = self._sheet, self._line
        if isinstance(cell, str):
            sheet.write_string(line, index, for_xlsx(cell)[:LONGEST_CELL], self._formats["text"])
        elif isinstance(cell, date):  # a datetime is one too
            sheet.write_datetime(line, index, cell, self._formats["wall" if isinstance(cell, datetime) else "day"])
        else:
            sheet.write_number(line, index, cell)

    def close(self) -> None:
        """Finish the file."""
        self._sheet.autofilter(0, 0, self._line, len(self._table.columns) - 1)
        self._book.close()


WRITERS: dict[str, Callable[[Table, Batches, str], AsyncIterator[bytes]]] = {"csv": csv_lines, "xlsx": xlsx_chunks}
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
