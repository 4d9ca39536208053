"""What can be wrong with a file and with a value in it: the sentence says what, `hint` the way out."""

from shared.errors import Conflict, Invalid

CORRECT = "Correct this line and import the file again; lines that are in already stay as they are."


class Fault(Invalid):
    """This value cannot be read."""

    hint = CORRECT


class NotAWholeNumber(Fault):
    """This is not a whole number."""

    hint = "Write it in digits only, for example 12."


class NotANumber(Fault):
    """This is not a number."""

    hint = "Write it in digits, for example 51.4 or 51,4, without separators of thousands."


class NotADay(Fault):
    """This is not a date."""

    hint = "Write it like 2026-12-01 or 01.12.2026."


class NotAWallTime(Fault):
    """This is not a date with a time."""

    hint = "Write it like 2026-12-01 09:00 or 01.12.2026 09:00."


class NeitherYesNorNo(Fault):
    """This is neither yes nor no."""

    hint = "Write yes or no."


class NotOneOfThese(Fault):
    """This must be one of: {possible_en}."""

    hint = "Choose one of the words that are named; several are separated by |."


class IdUnknown(Fault):
    """There is nothing with this id."""

    hint = "Take the id from a fresh export. For a new entry leave the column empty."


class IdTwice(Fault):
    """This id stands in line {line} already."""

    hint = "Keep one of the two lines."


class ChangedSinceExport(Fault):
    """This has been changed since the file was exported."""

    hint = "Export the list again and make your change there."


class NotWritten(Fault):
    """This line could not be written."""

    hint = "Import the file again; lines that are in already stay as they are."


class FileFault(Invalid):
    """This file cannot be read."""

    field = "file"


class FileTooLarge(FileFault):
    """This file is too large: at most {most} MB are allowed. Please split it."""


class UnpackedTooLarge(FileFault):
    """This file unpacks to more than {most} MB, which no list needs. Please save the list again as XLSX or CSV."""


class TooManyLines(FileFault):
    """This file has more than {most} lines. Please split it."""


class LineTooLong(FileFault):
    """Line {line} is too long for a list. Please check whether this is the right file."""


class TooManyColumns(FileFault):
    """This file has more than {most} columns. Please check whether this is the right file."""


class QuoteNotClosed(FileFault):
    """From line {line} on a quotation mark is opened and not closed, or stands within a text. Please save the list
    again in your spreadsheet program."""


class FileIsEmpty(FileFault):
    """There is nothing in this file. Its first line must hold the headings, as in an exported list."""


class NotATable(FileFault):
    """This is neither a CSV nor an XLSX file, or it is damaged. Please save the list again as XLSX or CSV."""


class OtherTable(FileFault):
    """The headings of this file do not belong to this list. Please export the list once and use its headings."""


class HeadingTwice(FileFault):
    """The heading “{heading}” stands there twice. Please remove one of the two columns."""


class NoLongerAllowed(Conflict):
    """Whoever confirmed this import may no longer import. Another coordinator can upload the file again."""
