"""Reading lists from files that anybody may have made: bounded in every direction, whatever the file says of itself."""

import codecs
import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook

from shared.errors import RuleBroken
from shared.tables import faults
from shared.tables.columns import Cell, Table
from shared.tables.escapes import plain, unescaped_xml

MB = 1024 * 1024
MOST_BYTES = 20 * MB
MOST_UNPACKED = 200 * MB
MOST_WORDS = 40 * MB  # the part of an XLSX file that must lie in memory
MOST_PARTS = 500
MOST_LINES = 60_000
MOST_COLUMNS = 200
LONGEST_LINE = 200_000
ZIP = b"PK\x03\x04"
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Line:
    """One line of a file: its number there, from 1, and its cells by the keys of their columns."""

    number: int
    cells: dict[str, Cell]


def read_lines(table: Table, data: bytes) -> Iterator[Line]:
    """The lines of a CSV or XLSX file below its headings; empty ones are passed over. One of the FileFaults."""
    if len(data) > MOST_BYTES:
        raise faults.FileTooLarge(most=MOST_BYTES // MB)
    records = _bounded(_xlsx_records(data) if data.startswith(ZIP) else _csv_records(data))
    _, heading = next(records, (0, []))
    if not any(_filled(cell) for cell in heading):
        raise faults.FileIsEmpty
    keys = _keys(table, heading)
    for number, cells in records:
        if any(_filled(cell) for cell in cells):
            yield Line(number, {key: cell for key, cell in zip(keys, cells, strict=False) if key})


def count_lines(table: Table, data: bytes) -> int:
    """How many lines there are to import. One of the FileFaults."""
    return sum(1 for _ in read_lines(table, data))


def _keys(table: Table, heading: Sequence[Cell]) -> list[str]:
    """The key of each column; an empty text for one that does not belong to the table."""
    columns = [table.find(cell) if isinstance(cell, str) else None for cell in heading]
    keys = [column.key if column else "" for column in columns]
    if not any(keys):
        raise faults.OtherTable
    for index, key in enumerate(keys):
        if key and key in keys[:index]:
            raise faults.HeadingTwice(heading=str(heading[index])[:80])
    return keys


def _bounded(records: Iterator[tuple[int, Sequence[Cell]]]) -> Iterator[tuple[int, Sequence[Cell]]]:
    for count, (number, cells) in enumerate(records):
        if count > MOST_LINES:
            raise faults.TooManyLines(most=MOST_LINES)
        if len(cells) > MOST_COLUMNS and any(_filled(cell) for cell in cells[MOST_COLUMNS:]):
            raise faults.TooManyColumns(most=MOST_COLUMNS)
        yield number, cells


def _filled(cell: Cell) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _csv_records(data: bytes) -> Iterator[tuple[int, list[Cell]]]:
    stream = io.TextIOWrapper(io.BytesIO(data), _encoding(data), newline="")
    first = stream.readline(LONGEST_LINE)
    if "\x00" in first:
        raise faults.NotATable
    if not first.lower().startswith("sep="):  # what some programs put in front
        stream.seek(0)
    reader = csv.reader(_bounded_lines(stream), delimiter=_delimiter(first), strict=True)
    start = 1
    try:
        for cells in reader:
            yield start, [plain(cell) for cell in cells]
            start = reader.line_num + 1
    except csv.Error as error:
        raise faults.QuoteNotClosed(line=start) from error
    except UnicodeError as error:
        raise faults.NotATable from error


def _bounded_lines(stream: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise faults.LineTooLong(line=number)
        yield line


def _delimiter(first: str) -> str:
    if first.lower().startswith("sep="):
        return first.strip()[4:5] or ";"
    outside = "".join(part for index, part in enumerate(first.split('"')) if index % 2 == 0)
    return max(";,\t", key=outside.count)


def _encoding(data: bytes) -> str:
    for mark, name in MARKS:
        if data.startswith(mark):
            return name
    try:
        codecs.lookup("utf-8").decode(data)
    except UnicodeDecodeError:
        return _without_mark(data)
    return "utf-8" if b"\x00" not in data[:200] else _without_mark(data)


def _without_mark(data: bytes) -> str:
    """UTF-16 has a zero beside every letter of its headings; anything else is what old programs write."""
    head = data[:200]
    if len(head) > 3 and head[1::2].count(0) > len(head) // 3:
        return "utf-16-le"
    if len(head) > 3 and head[::2].count(0) > len(head) // 3:
        return "utf-16-be"
    return "cp1252"


def _xlsx_records(data: bytes) -> Iterator[tuple[int, list[Cell]]]:
    _must_unpack_safely(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size is not believed
        rows = sheet.iter_rows(max_row=MOST_LINES + 2, max_col=MOST_COLUMNS + 1, values_only=True)
        for number, cells in enumerate(rows, 1):
            yield number, [_xlsx_cell(cell) for cell in cells]
    except RuleBroken:
        raise
    except Exception as error:  # a damaged file breaks the library in many ways
        raise faults.NotATable from error


def _must_unpack_safely(data: bytes) -> None:
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        raise faults.NotATable from error
    words = sum(part.file_size for part in parts if "sharedstrings" in part.filename.lower())
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED or words > MOST_WORDS:
        raise faults.UnpackedTooLarge(most=MOST_UNPACKED // MB)


def _xlsx_cell(value: Any) -> Cell:
    """A cell's value; a formula is its text, and nothing calculates it."""
    if isinstance(value, str):
        return plain(unescaped_xml(value))
    if value is None or isinstance(value, bool | int | float | datetime | date):
        return value
    return value.isoformat() if isinstance(value, time) else str(getattr(value, "text", value))
