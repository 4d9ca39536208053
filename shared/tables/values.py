"""What people and spreadsheet programs write for numbers, dates and yes or no, in German and English."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from shared.tables.faults import NeitherYesNorNo, NotADay, NotANumber, NotAWallTime, NotAWholeNumber

YES = {"yes", "ja", "true", "wahr", "x", "1"}
NO = {"no", "nein", "false", "falsch", "0", "-"}
DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y")
MOMENTS = tuple(f"{day} {hour}" for day in DAYS for hour in ("%H:%M", "%H:%M:%S"))


def text(cell: Any) -> str:
    """The text, also of a number or date that a spreadsheet program made of it."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "minutes")
    return cell if isinstance(cell, str) else str(cell)


def whole(cell: Any) -> int:
    """A whole number; NotAWholeNumber."""
    if isinstance(cell, bool):
        raise NotAWholeNumber
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, int):
        return cell
    if isinstance(cell, str) and re.fullmatch(r"[+-]?[0-9]{1,15}([.,]0)?", cell.strip()):
        return int(re.split("[.,]", cell.strip())[0])
    raise NotAWholeNumber


def decimal(cell: Any) -> float:
    """A number with a decimal point or comma; NotANumber."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell)
    if isinstance(cell, str) and re.fullmatch(r"[+-]?[0-9]{1,15}([.,][0-9]{0,15})?(e[+-]?[0-9]{1,3})?", cell.strip()):
        return float(cell.strip().replace(",", "."))
    raise NotANumber


def day(cell: Any) -> date:
    """A date; NotADay."""
    if isinstance(cell, datetime):
        if cell.time() != time():
            raise NotADay
        return cell.date()
    if isinstance(cell, date):
        return cell
    found = _parsed(cell, DAYS)
    if found is None:
        raise NotADay
    return found.date()


def wall(cell: Any) -> datetime:
    """A wall time to the second; NotAWallTime."""
    if isinstance(cell, datetime) and cell.tzinfo is None:
        return (cell + timedelta(microseconds=500_000)).replace(microsecond=0)
    found = _parsed(cell.replace("T", " ") if isinstance(cell, str) else cell, MOMENTS)
    if found is None:
        raise NotAWallTime
    return found


def yes_no(cell: Any) -> bool:
    """Yes or no; NeitherYesNorNo."""
    word = text(cell).strip().casefold()
    if word not in YES | NO:
        raise NeitherYesNorNo
    return word in YES


def _parsed(cell: Any, patterns: Any) -> datetime | None:
    if isinstance(cell, str):
        for pattern in patterns:
            try:
                return datetime.strptime(re.sub(r"\s+", " ", cell.strip()), pattern)
            except ValueError:
                continue
    return None
