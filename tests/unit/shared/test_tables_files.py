"""Lists as files: whatever was written is read again, and no file, however made, does harm."""

import asyncio
import csv
import io
import tracemalloc
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from shared.tables import faults
from shared.tables.columns import Column, Table, labelled
from shared.tables.escapes import unescaped_xml
from shared.tables.reading import MOST_LINES, read_lines
from shared.tables.writing import WRITERS

TABLE = Table(
    "things",
    "Companies",
    (
        Column("id", "Id"),
        Column("name", "Name"),
        Column("note", "Note"),
        Column("count", "Number", "whole"),
        Column("lat", "Latitude", "decimal"),
        Column("day", "Day", "day"),
        Column("starts", "Begins", "wall"),
        Column("active", "Active", "yes_no"),
        Column("state", "State", "choice", options=labelled(open="open", closed="closed")),
        Column("lines", "Lines", "texts"),
        Column("grades", "Grades", "wholes"),
        Column("days", "Days", "days"),
    ),
)
NOT_IN_XML = "\ufffe\uffff"
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=NOT_IN_XML), max_size=60)
beginnings = st.sampled_from(
    ["", "=", "+", "-", "@", "'", "''=", " =", "\t=", "\r", "\n", '"', ";", "_x000D_", "🙂", "ß"]
)
tricky = st.builds(lambda beginning, rest: beginning + rest, beginnings, texts)
single_lines = tricky.map(lambda text: " ".join(text.split())).filter(bool)
days = st.dates(date(2000, 1, 1), date(2100, 12, 31))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 12, 31)).map(lambda moment: moment.replace(microsecond=0))
rows = st.fixed_dictionaries(
    {
        "id": st.just("1"),
        "name": tricky,
        "note": texts,
        "count": st.none() | st.integers(-(10**9), 10**9),
        "lat": st.none() | st.floats(-(10**6), 10**6, allow_nan=False).map(lambda number: round(number, 5)),
        "day": st.none() | days,
        "starts": st.none() | moments,
        "active": st.none() | st.booleans(),
        "state": st.none() | st.sampled_from(["open", "closed"]),
        "lines": st.lists(single_lines, max_size=3),
        "grades": st.lists(st.integers(1, 14), max_size=4),
        "days": st.lists(days, max_size=3),
    }
)


def written(form: str, rows: list[dict], language: str = "de", table: Table = TABLE) -> bytes:
    async def batches():
        yield rows

    async def collect() -> bytes:
        return b"".join([chunk async for chunk in WRITERS[form](table, batches(), language)])

    return asyncio.run(collect())


def read(data: bytes, table: Table = TABLE) -> list[dict]:
    found = []
    for line in read_lines(table, data):
        row, wrong = table.read(line.cells)
        assert not wrong
        found.append(row)
    return found


def xlsx(*lines: list, **parts: bytes) -> bytes:
    book = Workbook()
    for line in lines:
        book.active.append(line)
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(f"xl/{name}.xml", content)
    return out.getvalue()


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, min_size=1, max_size=3), st.sampled_from(["csv", "xlsx"]), st.sampled_from(["de", "en"]))
def test_whatever_is_written_is_read_again_in_either_form_and_language(rows, form, language):
    assert read(written(form, rows, language)) == rows


@settings(max_examples=200, deadline=None)
@given(tricky)
def test_no_cell_of_a_csv_file_begins_like_a_formula(text):
    data = written("csv", [{"id": "1", "name": text}]).decode("utf-8-sig")
    cell = list(csv.reader(io.StringIO(data, newline=""), delimiter=";"))[1][1]
    assert cell.lstrip()[:1] not in ("=", "+", "-", "@") and cell[:1] not in ("\t", "\r", "\n")


@pytest.mark.parametrize(
    ("cell", "text"),
    [("a_xD800_b", "a\ufffdb"), ("_xDFFF_", "\ufffd"), ("a_x000D_b", "a\rb")],
)
def test_an_escaped_character_that_is_none_does_no_harm(cell, text):
    assert unescaped_xml(cell) == text


def test_a_csv_file_is_as_spreadsheet_programs_like_it():
    data = written("csv", [{"id": "1", "name": "Ödland", "lat": 51.4, "day": date(2026, 12, 1), "active": True}])
    assert data.startswith(b"\xef\xbb\xbf")
    head, line, _ = data.decode("utf-8-sig").split("\r\n")
    assert head.startswith('"Id [id]";"Name [name]"')
    assert line.startswith('"1";"Ödland";"";"";"51,4";"2026-12-01";"";"ja"')


def test_an_xlsx_file_has_real_types_and_a_frozen_heading():
    moment = datetime(2026, 12, 1, 9, 30)
    data = written("xlsx", [{"id": "1", "name": "=1+1", "count": 3, "day": date(2026, 12, 1), "starts": moment}])
    sheet = load_workbook(io.BytesIO(data)).active
    line = {head.value.split("[")[1][:-1]: cell for head, cell in zip(sheet[1], sheet[2], strict=True)}
    assert (line["name"].value, line["name"].data_type) == ("=1+1", "s")
    assert line["count"].value == 3
    assert line["day"].value == datetime(2026, 12, 1) and line["day"].is_date
    assert line["starts"].value == moment
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["A"].width > 10


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_other_encodings_and_separators_are_read(encoding, delimiter):
    text = delimiter.join(["id", "name", "note"]) + "\n" + delimiter.join(["1", "Größe", "Straße"]) + "\n"
    assert read(text.encode(encoding)) == [{"id": "1", "name": "Größe", "note": "Straße"}]


def test_mixed_newlines_and_empty_lines_are_read_with_their_line_numbers():
    data = b'id;name\r\n1;"a\nb"\n\n2;c\r3;d'
    found = list(read_lines(TABLE, data))
    assert [(line.number, line.cells["name"]) for line in found] == [(2, "a\nb"), (5, "c"), (6, "d")]


def test_headings_are_known_by_key_or_name_and_others_are_passed_over():
    assert read(b"Anmerkung;NAME;my own\r\n;x;y\r\n") == [{"name": "x"}]
    with pytest.raises(faults.OtherTable):
        read(b"a;b\n1;2\n")
    with pytest.raises(faults.HeadingTwice):
        read(b"name;Name [name]\n1;2\n")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", faults.FileIsEmpty),
        (b"\n\n", faults.FileIsEmpty),
        (b"name\n" + b"x" * 10_000_000, faults.LineTooLong),
        (b'name\n"' + b"x\n" * 150_000, faults.QuoteNotClosed),
        (b'name\n"x', faults.QuoteNotClosed),
        (b"x" * (20 * 1024 * 1024 + 1), faults.FileTooLarge),
        (b"name;" + b";" * 300 + b"x\n", faults.TooManyColumns),
        (b"name\n" + b"x\n" * (MOST_LINES + 1), faults.TooManyLines),
        (b"PK\x03\x04 not a workbook", faults.NotATable),
        (b"%PDF-1.7\x00\x01\n", faults.NotATable),
        (xlsx(["name"], ["x"])[:-200], faults.NotATable),
        (xlsx(["name"], bomb=b"\0" * 210 * 1024 * 1024), faults.UnpackedTooLarge),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_hostile_files_are_refused(data, fault):
    with pytest.raises(fault):
        list(read_lines(TABLE, data))


def test_a_workbook_whose_entities_explode_is_refused():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><worksheet><sheetData/>&b;</worksheet>'
    good, out = zipfile.ZipFile(io.BytesIO(xlsx(["name"], ["x"]))), io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for part in good.namelist():
            packed.writestr(part, bomb if "sheet1" in part else good.read(part))
    with pytest.raises(faults.NotATable):
        list(read_lines(TABLE, out.getvalue()))


def test_a_cell_in_the_last_corner_of_a_sheet_costs_nothing():
    book = Workbook()
    book.active["A1"], book.active["A2"], book.active["XFD1048576"] = "name", "x", "far away"
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(faults.TooManyLines):
        list(read_lines(TABLE, out.getvalue()))


def test_formulas_of_a_workbook_are_texts():
    assert read(xlsx(["name"], ["=1+1"])) == [{"name": "=1+1"}]


def test_numbers_and_dates_are_understood_as_people_write_them():
    columns = TABLE.by_key
    assert columns["day"].value("1.12.2026") == columns["day"].value("2026-12-01") == date(2026, 12, 1)
    assert columns["starts"].value("01.12.2026 9:00") == columns["starts"].value("2026-12-01T09:00")
    assert columns["lat"].value("51,4") == columns["lat"].value("51.4") == 51.4
    assert columns["active"].value("Ja") is columns["active"].value("yes") is True
    assert columns["count"].value(12.0) == 12
    assert columns["name"].value(57072.0) == "57072"
    for key, cell in (("count", "1.000"), ("count", "zwölf"), ("day", "31.02.2026"), ("active", "vielleicht")):
        with pytest.raises(faults.Fault):
            columns[key].value(cell)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_of_50000_lines_is_written_in_little_memory(form):
    row = {"id": "1", "name": "Eine Klasse mit einem längeren Namen", "count": 3, "day": date(2026, 12, 1)}

    async def batches():
        for number in range(100):
            yield [{**row, "id": f"{number}-{line}"} for line in range(500)]

    async def count() -> int:
        return sum([len(chunk) async for chunk in WRITERS[form](TABLE, batches(), "de")])

    tracemalloc.start()
    try:
        assert asyncio.run(count()) > 500_000
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()
