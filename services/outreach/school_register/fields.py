"""One field of a register row each: the row in, the value out, or FieldError with words for a person."""

import re
from datetime import date, datetime

import utm

from services.outreach.school_register.lines import Row
from services.outreach.school_register.model import OperatingStatus
from shared.region import districts, municipality, school_types

STATE_PREFIX = "05"
SOUTH, NORTH, WEST, EAST = 50.32, 52.54, 5.86, 9.47
_EPSG = "EPSG:25832"
_UTM_ZONE = 32

_SCHOOL_NUMBER = re.compile(r"[0-9]{6}")
_POSTAL_CODE = re.compile(r"[0-9]{5}")
_AGS = re.compile(r"[0-9]{8}")
_COUNT = re.compile(r"[0-9]{1,6}")
_METRES = re.compile(r"[0-9]{1,8}([.,][0-9]{1,6})?")
_DATE = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{4}")
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]+\.[^@\s<>,;\".]+")
_WEBSITE = re.compile(
    r"(?P<scheme>https?://)?[^\s/:@<>\"']+\.[^\s/:@<>\"']+(:[0-9]+)?([/?#][^\s<>\"']*)?", re.IGNORECASE
)
_STAGE_NOTE = re.compile(r"(^|\s*[-(])\s*(Primarstufe|Sek\.|Sekundarstufen?)(\s*(II|I|und|u\.|/))*\.?\s*[-)]?$")
_BROKEN_WORD = re.compile(r"(?<=[a-zäöüß])- (?!und\b|u\.|oder\b)(?=[a-zäöüß])")

_STATUS = {
    "0": OperatingStatus.CLOSES_THIS_YEAR,
    "1": OperatingStatus.RUNS,
    "2": OperatingStatus.CLOSES_LATER,
}
_ZEROS_DE = "Tabellenprogramme entfernen führende Nullen; bitte die unveränderte Datei importieren."
_ZEROS_EN = "Spreadsheet programs remove leading zeros; please import the unchanged file."


class FieldError(Exception):
    """A field's value cannot be used; reason_* says why, hint_* what to do."""

    def __init__(
        self, field: str, value: str, reason_de: str, reason_en: str, hint_de: str = "", hint_en: str = ""
    ) -> None:
        self.field, self.value = field, value
        self.reason_de, self.reason_en = reason_de, reason_en
        self.hint_de, self.hint_en = hint_de, hint_en
        super().__init__(reason_en)


def school_number(row: Row) -> str:
    """The official number: six digits."""
    number = row["Schulnummer"]
    if not number:
        raise FieldError("Schulnummer", "", "Die Schulnummer fehlt.", "The school number is missing.")
    if not is_school_number(number):
        raise FieldError(
            "Schulnummer",
            number,
            "Eine Schulnummer hat sechs Ziffern.",
            "A school number has six digits.",
        )
    return number


def is_school_number(value: str) -> bool:
    return bool(_SCHOOL_NUMBER.fullmatch(value))


def is_count(value: str) -> bool:
    return bool(_COUNT.fullmatch(value))


def number_given_twice(number: str, first_line: int) -> FieldError:
    return FieldError(
        "Schulnummer",
        number,
        f"Diese Schulnummer steht schon in Zeile {first_line}.",
        f"This school number already stands in line {first_line}.",
        f"Übernommen ist Zeile {first_line}.",
        f"Line {first_line} was taken.",
    )


def full_name(row: Row) -> str:
    """The official name from its three columns, without a note on the stage ("- Sekundarstufe I -").

    The register cuts names at 40 characters; a word broken there is put together again.
    """
    first = text(row, "Schulbezeichnung_1")
    parts = (first, row.get("Schulbezeichnung_2", ""), row.get("Schulbezeichnung_3", ""))
    name = " ".join(filter(None, (_STAGE_NOTE.sub("", part) for part in parts)))
    return _BROKEN_WORD.sub("", name) or first


def text(row: Row, column: str) -> str:
    """A value that must not be empty."""
    if not row[column]:
        raise FieldError(column, "", f"„{column}“ ist leer.", f'"{column}" is empty.')
    return row[column]


def school_type(row: Row) -> str:
    """A code of the state's key table."""
    code = row["Schulform"]
    if code not in school_types():
        raise FieldError(
            "Schulform",
            code,
            "Diese Schulform steht nicht im Schlüsselverzeichnis.",
            "This school type is not in the key table.",
            _ZEROS_DE if f"0{code}" in school_types() else "",
            _ZEROS_EN if f"0{code}" in school_types() else "",
        )
    return code


def postal_code(row: Row) -> str:
    """Five digits."""
    plz = row["PLZ"]
    if not _POSTAL_CODE.fullmatch(plz):
        raise FieldError("PLZ", plz, "Eine Postleitzahl hat fünf Ziffern.", "A postal code has five digits.")
    return plz


def municipality_ags(row: Row) -> str:
    """The official municipality key: eight digits, 05 for the state; inside the region it must exist."""
    ags = row["Gemeindeschluessel"]
    if not _AGS.fullmatch(ags) or not ags.startswith(STATE_PREFIX):
        lost_zero = bool(_AGS.fullmatch(f"0{ags}"))
        raise FieldError(
            "Gemeindeschluessel",
            ags,
            "Ein Gemeindeschlüssel in NRW hat acht Ziffern und beginnt mit 05.",
            "A municipality key in North Rhine-Westphalia has eight digits and starts with 05.",
            _ZEROS_DE if lost_zero else "",
            _ZEROS_EN if lost_zero else "",
        )
    if ags[:5] in {district.ags for district in districts()} and municipality(ags) is None:
        raise FieldError(
            "Gemeindeschluessel",
            ags,
            "Diese Gemeinde gibt es in ihrem Kreis nicht.",
            "There is no such municipality in its district.",
        )
    return ags


def point(row: Row) -> tuple[float, float]:
    """Latitude and longitude in degrees, 5 decimals, from ETRS89 / UTM zone 32N (EPSG:25832) in metres.

    ETRS89 is taken as WGS84: they differ by less than a metre. A row without a reference system is in the same one:
    so are the register's five such schools in Südwestfalen.
    """
    if row["EPSG"] not in (_EPSG, ""):
        raise FieldError(
            "EPSG",
            row["EPSG"],
            f"Dieses Koordinatensystem ist unbekannt; erwartet wird {_EPSG}.",
            f"This reference system is unknown; {_EPSG} is expected.",
        )
    east, north = _metres(row, "UTMRechtswert"), _metres(row, "UTMHochwert")
    try:
        lat, lon = utm.to_latlon(east, north, _UTM_ZONE, northern=True)
    except utm.OutOfRangeError as error:
        raise _outside_the_state(row) from error
    if not (SOUTH <= lat <= NORTH and WEST <= lon <= EAST):
        raise _outside_the_state(row)
    return round(lat, 5), round(lon, 5)


def reference_system_named(row: Row) -> None:
    """Says so when the row names no reference system."""
    if not row["EPSG"]:
        raise FieldError(
            "EPSG",
            "",
            f"Das Koordinatensystem fehlt; gelesen als {_EPSG}.",
            f"The reference system is missing; read as {_EPSG}.",
        )


def operating_status(row: Row) -> OperatingStatus:
    """Register keys 0, 1 and 2."""
    key = row["Schulbetriebsschluessel"]
    if key not in _STATUS:
        raise FieldError(
            "Schulbetriebsschluessel",
            key,
            "Bekannt sind 0 (läuft aus), 1 (in Betrieb) und 2 (läuft später aus).",
            "Known are 0 (closes this school year), 1 (runs) and 2 (closes later).",
        )
    return _STATUS[key]


def dates(row: Row, status: OperatingStatus) -> tuple[date | None, date | None]:
    """(running since, closes on): the register's one date means the one or the other, by status."""
    value = row["Schulbetriebsdatum"]
    if not value and status is OperatingStatus.CLOSES_LATER:
        raise FieldError(
            "Schulbetriebsdatum",
            "",
            "Die Schule läuft aus, aber das Datum fehlt.",
            "The school closes, but the date is missing.",
        )
    day = _date(value) if value else None
    return (day, None) if status is OperatingStatus.RUNS else (None, day)


def website(row: Row) -> str | None:
    """An http(s) address; a missing scheme becomes https."""
    value = row.get("Homepage", "")
    if not value:
        return None
    found = _WEBSITE.fullmatch(value)
    if not found:
        raise FieldError(
            "Homepage",
            value,
            "Das ist keine Internetadresse; das Feld bleibt leer.",
            "This is no web address; the field stays empty.",
        )
    return value if found["scheme"] else f"https://{value}"


def email(row: Row) -> str | None:
    """The school office's public address."""
    value = row.get("E-Mail", "")
    if value and not _EMAIL.fullmatch(value):
        raise FieldError(
            "E-Mail",
            value,
            "Das ist keine E-Mail-Adresse; das Feld bleibt leer.",
            "This is no mail address; the field stays empty.",
        )
    return value or None


def phone(row: Row) -> str | None:
    """Area code and number, as written."""
    return f"{row.get('Telefonvorwahl', '')} {row.get('Telefon', '')}".strip() or None


def _metres(row: Row, column: str) -> float:
    value = row[column]
    if not _METRES.fullmatch(value):
        raise FieldError(
            column,
            value,
            "Das ist keine Koordinate in Metern.",
            "This is no coordinate in metres.",
        )
    return float(value.replace(",", "."))


def _outside_the_state(row: Row) -> FieldError:
    return FieldError(
        "UTMRechtswert",
        f"{row['UTMRechtswert']} / {row['UTMHochwert']}",
        "Dieser Punkt liegt nicht in Nordrhein-Westfalen.",
        "This point is not in North Rhine-Westphalia.",
        "Sind Rechtswert und Hochwert vertauscht?",
        "Are easting and northing swapped?",
    )


def _date(value: str) -> date:
    try:
        if not _DATE.fullmatch(value):
            raise ValueError(value)
        return datetime.strptime(value, "%d.%m.%Y").date()
    except ValueError as error:
        raise FieldError(
            "Schulbetriebsdatum",
            value,
            "Das ist kein Datum der Form TT.MM.JJJJ.",
            "This is no date of the form DD.MM.YYYY.",
        ) from error
