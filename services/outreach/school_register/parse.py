"""From the bytes of the register, and of the pupil numbers, to schools."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from services.outreach.school_register import fields
from services.outreach.school_register.fields import FieldError
from services.outreach.school_register.lines import Row, Table, read_table, shortened
from services.outreach.school_register.model import LineError, RegisterFile, RegisterUnreadable, School, SetAside
from shared.region import school_types

REQUIRED = (
    "Schulnummer",
    "Schulform",
    "Schulbezeichnung_1",
    "Kurzbezeichnung",
    "PLZ",
    "Ort",
    "Strasse",
    "Gemeindeschluessel",
    "Schulbetriebsschluessel",
    "Schulbetriebsdatum",
    "EPSG",
    "UTMRechtswert",
    "UTMHochwert",
)
_OFFICES = frozenset({"00", "0A", "0B", "0C", "4C", "50", "51", "52", "53", "56", "58", "5C", "KG"})


def parse_register(data: bytes, pupils: bytes | None = None) -> RegisterFile:
    """Read the ministry's download "Schulgrunddaten NRW" and, optionally, the office's pupil numbers.

    A line that cannot be taken is reported in `errors` and stops no other line; when a number stands in several good
    lines the first is taken. Pupil numbers of schools that are not in the register are passed over.

    Raises RegisterUnreadable when a file as a whole cannot be read, RegisterTooLarge beyond 20 MiB or 50,000 lines.
    """
    table = read_table(data, REQUIRED, delimiter=";")
    numbers, pupil_errors = _read_pupils(pupils) if pupils is not None else ({}, [])
    reader = _Reader()
    for number, row in table.rows():
        reader.take(number, row)
    return RegisterFile(
        schools=tuple(replace(school, pupils=numbers.get(school.id)) for school in reader.schools),
        set_aside=tuple(reader.set_aside),
        errors=(*reader.errors, *pupil_errors),
        warnings=(*_encoding_warning(table), *reader.warnings),
        has_pupils=pupils is not None,
    )


class _Reader:
    """Collects what the lines of one register turn into."""

    def __init__(self) -> None:
        self.schools: list[School] = []
        self.set_aside: list[SetAside] = []
        self.errors: list[LineError] = []
        self.warnings: list[LineError] = []
        self._line_of: dict[str, int] = {}

    def take(self, line: int, row: Row | LineError) -> None:
        if isinstance(row, LineError):
            self.errors.append(row)
            return
        reading = _Reading(row)
        entry = _set_aside(line, reading) if row["Schulform"] in _OFFICES else _school(reading)
        if not reading.errors and (first := self._line_of.get(row["Schulnummer"])):
            reading.errors.append(fields.number_given_twice(row["Schulnummer"], first))
        self.errors += [_located(error, line, row) for error in reading.errors]
        if not reading.errors:
            self._keep(line, row, entry, reading.warnings)

    def _keep(self, line: int, row: Row, entry: School | SetAside, warnings: list[FieldError]) -> None:
        self._line_of[row["Schulnummer"]] = line
        self.warnings += [_located(warning, line, row) for warning in warnings]
        if isinstance(entry, School):
            self.schools.append(entry)
        else:
            self.set_aside.append(entry)


class _Reading:
    """Reads one row's fields and remembers every fault instead of stopping at the first."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.errors: list[FieldError] = []
        self.warnings: list[FieldError] = []

    def need(self, read: Callable[..., Any], *arguments: Any, instead: Any = None) -> Any:
        """What `read(row, …)` returns; a FieldError spoils the line, which `instead` lets be read to its end."""
        try:
            return read(self.row, *arguments)
        except FieldError as error:
            self.errors.append(error)
            return instead

    def like(self, read: Callable[..., Any], *arguments: Any) -> Any:
        """What `read(row, …)` returns; a FieldError is a warning, and the field stays empty."""
        try:
            return read(self.row, *arguments)
        except FieldError as error:
            self.warnings.append(error)
            return None


def _school(reading: _Reading) -> School:
    row, need, like = reading.row, reading.need, reading.like
    ags = need(fields.municipality_ags, instead="")
    lat, lon = need(fields.point, instead=(0.0, 0.0))
    status = need(fields.operating_status, instead=fields.OperatingStatus.RUNS)
    running_since, closes_on = need(fields.dates, status, instead=(None, None))
    like(fields.reference_system_named)
    return School(
        id=need(fields.school_number),
        name=need(fields.full_name),
        short_name=need(fields.text, "Kurzbezeichnung"),
        school_type=need(fields.school_type),
        street=row["Strasse"],
        postal_code=need(fields.postal_code),
        town=need(fields.text, "Ort"),
        municipality_ags=ags,
        district_ags=ags[:5],
        lat=lat,
        lon=lon,
        operating_status=status,
        running_since=running_since,
        closes_on=closes_on,
        legal_form=row.get("Rechtsform") or None,
        authority=row.get("Traegernummer") or None,
        website=like(fields.website),
        email=like(fields.email),
        phone=fields.phone(row),
    )


def _set_aside(line: int, reading: _Reading) -> SetAside:
    code = reading.row["Schulform"]
    return SetAside(
        line=line,
        school_id=reading.need(fields.school_number),
        name=reading.row["Kurzbezeichnung"],
        school_type=code,
        reason_de=f"Keine Schule, sondern: {school_types('de')[code]}",
        reason_en=f"Not a school but: {school_types('en')[code]}",
    )


def _located(error: FieldError, line: int, row: Row) -> LineError:
    number = row["Schulnummer"]
    return LineError(
        line=line,
        field=error.field,
        value=shortened(error.value),
        reason_de=error.reason_de,
        reason_en=error.reason_en,
        hint_de=error.hint_de,
        hint_en=error.hint_en,
        school_id=number if fields.is_school_number(number) else None,
    )


def _encoding_warning(table: Table) -> list[LineError]:
    if table.encoding == "utf-8":
        return []
    return [
        LineError(
            line=1,
            field="",
            value=table.encoding,
            reason_de="Die Datei ist nicht in UTF-8 gespeichert und wurde als Windows-1252 gelesen.",
            reason_en="The file is not stored as UTF-8 and was read as Windows-1252.",
            hint_de="Bitte prüfen, ob Umlaute stimmen; das Original des Ministeriums ist in UTF-8.",
            hint_en="Please check the umlauts; the ministry's original is in UTF-8.",
        )
    ]


def _read_pupils(data: bytes) -> tuple[dict[str, int], list[LineError]]:
    table = read_table(data, ("schulnummer",), delimiter=",")
    column = next((name for name in table.columns if name.startswith("schueler")), None)
    if column is None:
        raise RegisterUnreadable(
            "In der Kopfzeile der Schülerzahlen fehlt eine Spalte, deren Name mit „schueler“ beginnt.",
            'The header of the pupil numbers lacks a column whose name starts with "schueler".',
            ("schueler…",),
        )
    numbers: dict[str, int] = {}
    errors: list[LineError] = []
    for line, row in table.rows():
        error = row if isinstance(row, LineError) else _read_pupil_line(line, row, column, numbers)
        if error:
            errors.append(replace(error, file="pupils"))
    return numbers, errors


def _read_pupil_line(line: int, row: Row, column: str, numbers: dict[str, int]) -> LineError | None:
    number, value = row["schulnummer"], row[column]
    if not fields.is_school_number(number):
        return _pupil_error(line, "schulnummer", number, "Das ist keine Schulnummer.", "This is no school number.")
    if number in numbers:
        return _pupil_error(line, "schulnummer", number, "Die Schule steht doppelt.", "The school is named twice.")
    if value and not fields.is_count(value):
        return _pupil_error(line, column, value, "Das ist keine Anzahl.", "This is no number of pupils.")
    if value:
        numbers[number] = int(value)
    return None


def _pupil_error(line: int, field: str, value: str, reason_de: str, reason_en: str) -> LineError:
    return LineError(line=line, field=field, value=shortened(value), reason_de=reason_de, reason_en=reason_en)
