"""What a register file turns into."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal


class OperatingStatus(StrEnum):
    """Whether a school runs on (register key 1), closes with this school year (0) or later (2)."""

    RUNS = "runs"
    CLOSES_THIS_YEAR = "closes_this_year"
    CLOSES_LATER = "closes_later"


@dataclass(frozen=True, slots=True)
class School:
    """A school as the register knows it.

    id: the official six-digit Schulnummer. name: the full official name; short_name: town and short form, up to 40
    characters. school_type: code of `shared.region.school_types`. lat, lon: WGS84 degrees, 5 decimals (about a metre).
    legal_form: Rechtsform, "1" public or "2" private. authority: number of the Schulträger. running_since is known of a
    school that runs on, closes_on of one that closes. pupils: rounded to 5 by the office; None when unknown.
    email, phone and website are the school office's public ones; None when the file has none.
    """

    id: str
    name: str
    short_name: str
    school_type: str
    street: str
    postal_code: str
    town: str
    municipality_ags: str
    district_ags: str
    lat: float
    lon: float
    operating_status: OperatingStatus
    running_since: date | None = None
    closes_on: date | None = None
    legal_form: str | None = None
    authority: str | None = None
    website: str | None = None
    email: str | None = None
    phone: str | None = None
    pupils: int | None = None


@dataclass(frozen=True, slots=True)
class SetAside:
    """A good line that is no school: an authority or a teacher-training seminar."""

    line: int
    school_id: str
    name: str
    school_type: str
    reason_de: str
    reason_en: str


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong with one field of one line.

    line: physical line number in the file, from 1. field: the file's own column name, "" for the whole line.
    value: what stands there, at most 80 characters. hint_*: what to do about it, "" when nothing helps.
    school_id: the line's Schulnummer when it could be read. file: which of the two files.
    """

    line: int
    field: str
    value: str
    reason_de: str
    reason_en: str
    hint_de: str = ""
    hint_en: str = ""
    school_id: str | None = None
    file: Literal["register", "pupils"] = "register"


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A parsed register, each list in the order of the file.

    errors: lines that were not taken; a line with several faults appears once per fault.
    warnings: lines that were taken although a field was odd (no reference system, an unusable mail address).
    has_pupils: whether a file of pupil numbers was given; without it `pupils` of every school is None.
    """

    schools: tuple[School, ...]
    set_aside: tuple[SetAside, ...]
    errors: tuple[LineError, ...]
    warnings: tuple[LineError, ...]
    has_pupils: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A known school as the new file has it, and the names of the fields of `School` that differ."""

    school: School
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What importing a file would change. unchanged and missing_from_file hold school ids."""

    created: tuple[School, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[str, ...]
    missing_from_file: tuple[str, ...]


class RegisterUnreadable(Exception):
    """This file is not the ministry's school register, or not complete.

    missing: the columns that were looked for in vain; reason_de and reason_en: a sentence for a person.
    """

    def __init__(self, reason_de: str, reason_en: str, missing: tuple[str, ...] = ()) -> None:
        self.reason_de, self.reason_en, self.missing = reason_de, reason_en, missing
        super().__init__(reason_en)


class RegisterTooLarge(RegisterUnreadable):
    """This file is larger than a school register can be."""
