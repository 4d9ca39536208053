"""Tables: the columns of every list, declared once for its export and its import.

A file's heading is the column's name in the reader's language with the technical key behind it: `Ort [town]`. The key
never changes, so that a file of either language can be imported, however its headings are worded by then.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from shared.tables import values
from shared.tables.faults import Fault, NotOneOfThese
from shared.ui.language import translate

Row = dict[str, Any]
Cell = str | int | float | bool | date | datetime | None
Kind = Literal["text", "whole", "decimal", "day", "wall", "yes_no", "choice", "texts", "choices", "wholes", "days"]
Use = Literal["written", "once", "shown"]
Options = Callable[[str], Mapping[str, str]]
LISTS = {"texts": "\n", "choices": " | ", "wholes": " | ", "days": " | "}
READERS: dict[str, Callable[[Any], Any]] = {
    "text": values.text,
    "whole": values.whole,
    "decimal": values.decimal,
    "day": values.day,
    "wall": values.wall,
    "yes_no": values.yes_no,
    "texts": str,
    "wholes": values.whole,
    "days": values.day,
}


@dataclass(frozen=True)
class Column:
    """One column. An import takes over those that are `written`; those of use `once` only for a new row, and those
    that are `shown` never. `options` gives the words of codes in a language."""

    key: str
    name: str
    kind: Kind = "text"
    use: Use = "written"
    options: Options | None = None
    width: int = 18

    def heading(self, language: str) -> str:
        """What stands above it in a file."""
        return f"{translate(self.name, language)} [{self.key}]"

    def cell(self, value: Any, language: str) -> Cell:
        """What stands in a file for `value`: a text, number, date, or None for nothing."""
        if value is None:
            return None
        if self.kind in LISTS:
            return LISTS[self.kind].join(str(self._single(each, language)) for each in value) or None
        return self._single(value, language)

    def value(self, cell: Cell) -> Any:
        """What a file's cell says; None (an empty text, an empty list) for nothing. A Fault when it cannot be meant."""
        if cell is None or cell == "":
            return [] if self.kind in LISTS else "" if self.kind == "text" else None
        if self.kind not in LISTS:
            return self._read(cell)
        if not isinstance(cell, str):
            return [self._read(cell)]
        parts = re.split(r"[\r\n]+" if self.kind == "texts" else r"[|;\r\n]+", cell)
        return [self._read(part.strip()) for part in parts if part.strip()]

    def _single(self, value: Any, language: str) -> Cell:
        if self.options is not None:
            return self.options(language).get(value, value)
        if self.kind == "yes_no":
            return translate("yes" if value else "no", language)
        return value.isoformat() if self.kind == "days" else value

    def _read(self, cell: Any) -> Any:
        if self.options is None:
            return READERS[self.kind](cell)
        wanted = values.text(cell).strip().casefold()
        for language in ("de", "en"):
            for code, label in self.options(language).items():
                if wanted in (code.casefold(), label.casefold()):
                    return code
        raise NotOneOfThese(possible_de=self._words("de"), possible_en=self._words("en"))

    def _words(self, language: str) -> str:
        assert self.options is not None
        return ", ".join(self.options(language).values())


@dataclass(frozen=True)
class Table:
    """A list: `name` in its address, `title` as people call it, `page` where it is shown. `label` is the column that
    names a row in a report about it. By a column `version` a row that was changed since its export is noticed."""

    name: str
    title: str
    columns: tuple[Column, ...]
    page: str = "/"
    label: str = "name"
    by_key: Mapping[str, Column] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_key", {column.key: column for column in self.columns})

    def headings(self, language: str) -> list[str]:
        """The file's first line."""
        return [column.heading(language) for column in self.columns]

    def cells(self, row: Row, language: str) -> list[Cell]:
        """A line of the file."""
        return [column.cell(row.get(column.key), language) for column in self.columns]

    def find(self, heading: str) -> Column | None:
        """The column below this heading, by its key or by its name in either language."""
        bracketed = re.search(r"\[([^\[\]]+)\]\s*$", heading)
        wanted = (bracketed[1] if bracketed else heading).strip().casefold()
        for column in self.columns:
            names = (column.key, column.name, translate(column.name, "de"))
            if wanted in (name.casefold() for name in names):
                return column
        return None

    def read(self, cells: Mapping[str, Cell]) -> tuple[Row, dict[str, Fault]]:
        """The row that these cells (by column key) say, and what is wrong with which of them."""
        row: Row = {}
        faults: dict[str, Fault] = {}
        for key, cell in cells.items():
            try:
                row[key] = self.by_key[key].value(cell)
            except Fault as fault:
                faults[key] = fault
        return row, faults


def labelled(**labels: str) -> Options:
    """Options with these English labels, translated by the catalogues."""
    return lambda language: {code: translate(text, language) for code, text in labels.items()}


def nested(row: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """The values of `keys` as a command's fields: `contact.email` within `contact`; those with nothing left out."""
    command: dict[str, Any] = {}
    for key in keys:
        value = row.get(key)
        if value is None or value == "" or value == []:
            continue
        *parents, last = key.split(".")
        target = command
        for parent in parents:
            target = target.setdefault(parent, {})
        target[last] = value
    return command
