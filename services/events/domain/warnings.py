"""What a teacher should know before sending a registration, with the reason. A warning forbids nothing by itself."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.events.domain.facts import Slot
from services.events.domain.planning import LONGEST_UNDER_15
from shared.school_calendar import CalendarUnknown, day_off

OLDEST_GRADE_WITH_14 = 9

Kind = Literal[
    "day_off", "movable_day", "under_15", "never_fits", "full", "does_not_fit", "others_first", "away", "registered"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:
    """One of them: its kind and the facts that its sentence needs."""

    kind: Kind
    name_de: str = ""
    name_en: str = ""
    number: int = 0
    of: int = 0


def warnings_of_day(slot: Slot, movable_days: frozenset[date]) -> list[Warning]:
    """Holidays, weekends and the school's own movable day on the slot's day."""
    try:
        off = day_off(slot.starts_local.date(), movable_days)
    except CalendarUnknown:
        return []
    if off is None:
        return []
    kind: Kind = "movable_day" if off.kind == "movable_day" else "day_off"
    return [Warning(kind=kind, name_de=off.name_de, name_en=off.name_en)]


def warnings_of_group(slot: Slot, grade: int | None, pupils: int | None) -> list[Warning]:
    """Too many hours for pupils who may be under 15, and a group that the free places do not hold."""
    found = []
    if grade and grade <= OLDEST_GRADE_WITH_14 and slot.ends_utc - slot.starts_utc > LONGEST_UNDER_15:
        found.append(Warning(kind="under_15", number=grade))
    if pupils and pupils > slot.places:
        found.append(Warning(kind="never_fits", number=pupils, of=slot.places))
    elif not slot.fits(1):
        found.append(Warning(kind="full"))
    elif pupils and not slot.fits(pupils):
        found.append(Warning(kind="does_not_fit", number=pupils, of=slot.free))
    elif slot.waiting and slot.waiting_list == "strict_order":
        found.append(Warning(kind="others_first", number=slot.waiting))
    return found
