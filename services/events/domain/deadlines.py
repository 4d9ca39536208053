"""Until when offered places are held, and when a school is asked whether its group still comes: counted in school days,
and never beyond the slot's start."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.events.domain.facts import ConfirmAgain, Registration, Slot
from shared.school_calendar import local_to_utc, school_days_earlier, school_days_later

MORNING, EVENING = time(8), time(18)
TIME_TO_ANSWER = timedelta(days=1)
MOVABLE_DAYS = 5  # as many as a school can have


def offer_deadline(now: datetime, slot: Slot, movable_days: frozenset[date]) -> datetime:
    """18:00 local time of the school day that follows `now` by the slot's number of school days, or the slot's start
    when that is earlier. Where the school holidays are not known yet, Mondays to Fridays count."""
    today = now.astimezone(ZoneInfo(slot.zone)).date()
    last = school_days_later(today, slot.offer_school_days, movable_days)
    return min(local_to_utc(datetime.combine(last, EVENING), slot.zone), slot.starts_utc)


def question_times(slot: Slot, rule: ConfirmAgain, movable_days: frozenset[date]) -> tuple[datetime, datetime]:
    """When the school is asked whether its group still comes (8:00), and until when it can answer (18:00, or the start
    of the slot): local time of the school days that lie so many before the date."""
    day = slot.starts_local.date()
    asked = datetime.combine(school_days_earlier(day, rule.asked, movable_days), MORNING)
    until = datetime.combine(school_days_earlier(day, rule.until, movable_days), EVENING)
    return local_to_utc(asked, slot.zone), min(local_to_utc(until, slot.zone), slot.starts_utc)


def question_due(
    registration: Registration, slot: Slot, rule: ConfirmAgain | None, movable_days: frozenset[date], now: datetime
) -> datetime | None:
    """Until when the school can answer, when it has to be asked now; None when not, or not yet.

    It is asked once about each date, and anew when the date moves; not when it said that it comes after the moment of
    asking, and not when less than a day would be left to answer.
    """
    if rule is None or registration.state != "confirmed" or slot.state != "open":
        return None
    if registration.question and registration.question.revision == slot.revision:
        return None
    asks_at, until = question_times(slot, rule, movable_days)
    said_at = registration.said_at or registration.created_at
    in_time = max(asks_at, said_at) <= now <= until - TIME_TO_ANSWER
    return until if in_time and said_at < asks_at else None


def may_be_asked(slot: Slot, rule: ConfirmAgain | None, now: datetime) -> bool:
    """Whether schools on this slot may have to be asked now, whatever their movable days are."""
    if rule is None:
        return False
    _, until = question_times(slot, rule, frozenset())
    asks_at, _ = question_times(slot, ConfirmAgain(rule.asked + MOVABLE_DAYS, rule.until), frozenset())
    return asks_at <= now <= until - TIME_TO_ANSWER
