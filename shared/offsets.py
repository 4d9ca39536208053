"""How long before a date a reminder comes: a value, its short text in messages and stores, and people's words for it.

Short texts: `14d` (14 days before, at 8:00 of the date's wall time), `2d@17:30`, `1h` (an hour before the start).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import time

from shared.errors import Invalid

USUAL_TIME = time(8)
MOST_DAYS, MOST_HOURS, MOST_OFFSETS = 60, 48, 5


class OffsetUnclear(Invalid):
    """“{text}” does not say when to remind. For example: 14 and 2 days before at 8:00, 1 hour before."""

    field = "reminders"


class TooManyOffsets(Invalid):
    """Five reminders of one date are the most."""

    field = "reminders"


class OffsetTooLong(Invalid):
    """Reminders come at most 60 days or 48 hours before."""

    field = "reminders"


@dataclass(frozen=True)
class DaysBefore:
    """So many calendar days before the day of the date, at a wall time in the date's zone."""

    days: int
    at: time = USUAL_TIME

    def __str__(self) -> str:
        return f"{self.days}d" + ("" if self.at == USUAL_TIME else f"@{self.at:%H:%M}")


@dataclass(frozen=True)
class HoursBefore:
    """So many hours before the start, whatever day that is."""

    hours: int

    def __str__(self) -> str:
        return f"{self.hours}h"


Offset = DaysBefore | HoursBefore
USUAL_DAYS = (14, 2)
USUAL: tuple[Offset, ...] = tuple(DaysBefore(days) for days in USUAL_DAYS)

_NONE = {"keine", "keine erinnerung", "keine erinnerungen", "none", "no reminder", "no reminders"}
_ITEM = re.compile(
    r"(?P<number>\d{1,3}) ?(?P<unit>d|days?|tage?n?|h|hours?|stunden?|std\.?)?"
    r"(?: (?:vorher|davor|before))?(?: ?(?:um|at|@) ?(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?(?: uhr)?)?"
)


def offsets_of(texts: Iterable[str]) -> tuple[Offset, ...]:
    """The values of short texts; OffsetUnclear for any other text."""
    return tuple(each for text in texts for each in parse(text))


def texts_of(offsets: Iterable[Offset]) -> list[str]:
    """The short texts."""
    return [str(offset) for offset in offsets]


def parse(text: str) -> tuple[Offset, ...]:
    """What somebody wrote in German or English (or as short texts), the earliest first, each once.

    `14 and 2 days before at 8:00`: a unit or time that is left out is the one that follows; at the end it is days and
    8:00. An empty text and “none” are no reminders. OffsetUnclear, OffsetTooLong, TooManyOffsets.
    """
    plain = " ".join(text.lower().split())
    if not plain or plain in _NONE:
        return ()
    found: list[Offset] = []
    unit, at = "", USUAL_TIME
    for item in reversed(re.split(r" ?[,;] ?| und | and ", plain)):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise OffsetUnclear(text=text)
        unit = match["unit"] or unit
        if unit.startswith(("h", "s")):
            found.append(_hours(match, text))
        else:
            at = _time(match, text) or at
            alone = match["unit"] == "d" and not match["hour"]  # a short text stands for itself
            found.append(_days(match, USUAL_TIME if alone else at))
    if len(set(found)) > MOST_OFFSETS:
        raise TooManyOffsets
    return in_order(found)


def given(text: str) -> list[str] | None:
    """The short texts of what somebody typed; None for an empty text, which leaves it to the next wider rule (an
    offer to its campaign, a campaign to the usual). The errors of `parse`."""
    return texts_of(parse(text)) if text.strip() else None


def own_offsets(reminders: Sequence[str] | None, days: Sequence[int]) -> tuple[Offset, ...] | None:
    """What an offer itself says: its short texts, or the days of one from before there were any; None when it leaves
    it to the campaign."""
    if reminders is not None:
        return offsets_of(reminders)
    own = bool(days) and sorted(days) != sorted(USUAL_DAYS)
    return in_order(DaysBefore(each) for each in days) if own else None


def in_words(offsets: Sequence[Offset], language: str) -> str:
    """`14 und 2 Tage vorher um 8:00, 1 Stunde vorher` / `14 and 2 days before at 8:00, 1 hour before`; `parse` reads
    it again."""
    german = language == "de"
    if not offsets:
        return "keine" if german else "none"
    parts = [_days_in_words([each for each in offsets if _at(each) == at], at, german) for at in _times(offsets)]
    for offset in offsets:
        if isinstance(offset, HoursBefore):
            one = offset.hours == 1
            word = ("Stunde" if one else "Stunden") if german else ("hour" if one else "hours")
            parts.append(f"{offset.hours} {word} {'vorher' if german else 'before'}")
    return ", ".join(parts)


def _times(offsets: Sequence[Offset]) -> list[time]:
    return list(dict.fromkeys(offset.at for offset in offsets if isinstance(offset, DaysBefore)))


def _at(offset: Offset) -> time | None:
    return offset.at if isinstance(offset, DaysBefore) else None


def _days_in_words(offsets: Sequence[Offset], at: time, german: bool) -> str:
    numbers = [offset.days for offset in offsets if isinstance(offset, DaysBefore)]
    *others, last = [str(number) for number in numbers]
    listed = f"{', '.join(others)} {'und' if german else 'and'} {last}" if others else last
    word = ("Tag" if numbers == [1] else "Tage") if german else ("day" if numbers == [1] else "days")
    return f"{listed} {word} {'vorher um' if german else 'before at'} {at.hour}:{at:%M}"


def _hours(match: re.Match[str], text: str) -> HoursBefore:
    hours = int(match["number"])
    if match["hour"] or not hours:
        raise OffsetUnclear(text=text)
    if hours > MOST_HOURS:
        raise OffsetTooLong
    return HoursBefore(hours)


def _days(match: re.Match[str], at: time) -> DaysBefore:
    if int(match["number"]) > MOST_DAYS:
        raise OffsetTooLong
    return DaysBefore(int(match["number"]), at)


def _time(match: re.Match[str], text: str) -> time | None:
    try:
        return time(int(match["hour"]), int(match["minute"] or 0)) if match["hour"] else None
    except ValueError as error:
        raise OffsetUnclear(text=text) from error


def in_order(offsets: Iterable[Offset]) -> tuple[Offset, ...]:
    """Each once, the one that comes first at the front."""
    return tuple(sorted(set(offsets), key=_lead, reverse=True))


def _lead(offset: Offset) -> tuple[float, float]:
    """About how many hours before the start it comes; of two on one day the earlier one leads more."""
    if isinstance(offset, HoursBefore):
        return offset.hours, 0
    return offset.days * 24, -(offset.at.hour + offset.at.minute / 60)
