"""Until when offered places are held: counted in school days, and never beyond the slot's start."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from services.events.domain.facts import Slot
from shared.school_calendar import local_to_utc, school_days_later

EVENING = time(18)


def offer_deadline(now: datetime, slot: Slot, movable_days: frozenset[date]) -> datetime:
    """18:00 local time of the school day that follows `now` by the slot's number of school days, or the slot's start
    when that is earlier. Where the school holidays are not known yet, Mondays to Fridays count."""
    today = now.astimezone(ZoneInfo(slot.zone)).date()
    last = school_days_later(today, slot.offer_school_days, movable_days)
    return min(local_to_utc(datetime.combine(last, EVENING), slot.zone), slot.starts_utc)
