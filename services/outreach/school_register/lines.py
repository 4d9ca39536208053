"""From the bytes of a file to its rows, one physical line at a time.

No value in the register spans lines, so each line is read by itself: a stray quote or byte spoils its own line only.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.outreach.school_register.model import LineError, RegisterTooLarge, RegisterUnreadable

MAX_BYTES = 20 * 1024 * 1024
MAX_LINES = 50_000
NAMED = 3
_BOM = b"\xef\xbb\xbf"
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The data lines of a file, still as bytes, with what is needed to read one."""

    columns: tuple[str, ...]
    lines: tuple[tuple[int, bytes], ...]
    encoding: str
    delimiter: str

    def rows(self) -> Iterator[tuple[int, Row | LineError]]:
        """Each line's number in the file and its row (column name → trimmed value), or why it has none."""
        for number, line in self.lines:
            yield number, self._row(number, line)

    def _row(self, number: int, line: bytes) -> Row | LineError:
        try:
            cells = _cells(line.decode(self.encoding), self.delimiter)
        except UnicodeDecodeError as error:
            return _undecodable(number, line, error, self.encoding)
        except csv.Error:
            return _badly_quoted(number, line)
        width = len(self.columns)
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        if len(cells) != width:
            return _wrong_count(number, line, len(cells), width)
        if control := next((cell for cell in cells if _CONTROL_CHARACTER.search(cell)), None):
            return _control_character(number, control)
        return dict(zip(self.columns, (_trimmed(cell) for cell in cells), strict=True))


def read_table(data: bytes, required: tuple[str, ...], delimiter: str) -> Table:
    """Find the header and the data lines; blank lines and a first line `sep=…` are passed over.

    UTF-8, with or without BOM. Only a file in which no line holds a UTF-8 umlaut and some line is no UTF-8 at all is
    read as Windows-1252 (`Table.encoding` says which).

    Raises RegisterTooLarge, and RegisterUnreadable for an empty file, missing columns or a column given twice.
    """
    _check_size(len(data), MAX_BYTES, "Bytes", "bytes")
    _check_size(data.count(b"\n"), MAX_LINES, "Zeilen", "lines")
    numbered = enumerate(data.removeprefix(_BOM).split(b"\n"), start=1)
    lines = [(number, line.rstrip(b"\r")) for number, line in numbered if line.strip()]
    if lines and lines[0][1].lower().startswith(b"sep="):
        lines = lines[1:]
    if not lines:
        raise RegisterUnreadable("Die Datei ist leer.", "The file is empty.", required)
    encoding = _encoding([line for _, line in lines])
    columns = _columns(lines[0][1].decode(encoding, errors="replace"), required, delimiter)
    return Table(columns, tuple(lines[1:]), encoding, delimiter)


def _check_size(size: int, limit: int, unit_de: str, unit_en: str) -> None:
    if size > limit:
        raise RegisterTooLarge(
            f"Die Datei ist zu groß: {size} {unit_de}, erlaubt sind {limit}.",
            f"The file is too large: {size} {unit_en}, the limit is {limit}.",
        )


def _encoding(lines: list[bytes]) -> str:
    beyond_ascii = [line for line in lines if not line.isascii()]
    if not beyond_ascii or any(_is_utf8(line) for line in beyond_ascii):
        return "utf-8"
    return "cp1252"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _columns(header: str, required: tuple[str, ...], delimiter: str) -> tuple[str, ...]:
    try:
        names = [_trimmed(name) for name in _cells(header, delimiter)]
    except csv.Error:
        names = []
    while names and not names[-1]:
        names.pop()
    if missing := tuple(name for name in required if name not in names):
        raise RegisterUnreadable(
            f"In der Kopfzeile fehlen Spalten: {_first_names(missing, 'und {count} weitere')}. "
            f"Erwartet wird die unveränderte Datei, getrennt durch „{delimiter}“.",
            f"The header lacks columns: {_first_names(missing, 'and {count} more')}. The unchanged file is expected, "
            f'separated by "{delimiter}".',
            missing,
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RegisterUnreadable(
            f"Spalten stehen doppelt in der Kopfzeile: {', '.join(twice)}.",
            f"The header names columns twice: {', '.join(twice)}.",
        )
    return tuple(names)


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, strict=True), [])


def _trimmed(cell: str) -> str:
    value = " ".join(cell.split())
    return "" if value == "null" else value


def shortened(value: str) -> str:
    """At most 80 characters of a value, for an error message."""
    return value if len(value) <= 80 else value[:79] + "…"


def _first_names(names: tuple[str, ...], more: str) -> str:
    """The first three; who sends another file is not helped by all that it lacks."""
    if len(names) <= NAMED + 1:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} {more.format(count=len(names) - NAMED)}"


def _shown(line: bytes) -> str:
    return shortened(line[:200].decode("utf-8", errors="replace"))


def _undecodable(number: int, line: bytes, error: UnicodeDecodeError, encoding: str) -> LineError:
    tried = "UTF-8" if encoding == "utf-8" else "UTF-8, Windows-1252"
    bad = f"0x{line[error.start]:02X}"
    return LineError(
        line=number,
        field="",
        value=_shown(line),
        reason_de=f"Das Byte {bad} an Stelle {error.start + 1} ist nicht lesbar (versucht: {tried}).",
        reason_en=f"The byte {bad} at position {error.start + 1} cannot be read (tried: {tried}).",
        hint_de="Die Datei bitte neu herunterladen und unverändert importieren.",
        hint_en="Please download the file again and import it unchanged.",
    )


def _badly_quoted(number: int, line: bytes) -> LineError:
    return LineError(
        line=number,
        field="",
        value=_shown(line),
        reason_de="Die Anführungszeichen dieser Zeile gehen nicht auf.",
        reason_en="The quotes of this line do not match.",
        hint_de="Jeder Wert steht in einer Zeile; ein Anführungszeichen im Wert wird verdoppelt.",
        hint_en="Each value stays on one line; a quote inside a value is doubled.",
    )


def _wrong_count(number: int, line: bytes, found: int, wanted: int) -> LineError:
    return LineError(
        line=number,
        field="",
        value=_shown(line),
        reason_de=f"Die Zeile hat {found} Spalten, die Kopfzeile {wanted}.",
        reason_en=f"The line has {found} columns, the header {wanted}.",
        hint_de="Fehlt ein Trennzeichen, oder steht eines zu viel in der Zeile?",
        hint_en="Is a separator missing, or is there one too many?",
    )


def _control_character(number: int, cell: str) -> LineError:
    return LineError(
        line=number,
        field="",
        value=shortened(_CONTROL_CHARACTER.sub("�", cell)),
        reason_de="Die Zeile enthält ein Steuerzeichen.",
        reason_en="The line contains a control character.",
    )
