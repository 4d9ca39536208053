"""How far the clock of a demo is to go, from what a person writes."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_END = datetime(2100, 1, 1, tzinfo=UTC)
_UNITS = {"week": "weeks", "day": "days", "hour": "hours", "minute": "minutes", "second": "seconds"}
_PART = re.compile(r"(\d{1,9}) *(week|day|hour|minute|second)s?")


def parse_span(text: str) -> timedelta:
    """A span such as "14 days 3 hours"; ValueError with a sentence when it cannot be read."""
    words = text.strip().lower()
    parts = _PART.findall(words)
    if not parts or _PART.sub("", words).replace(",", "").replace("and", "").strip():
        raise ValueError(f'"{text}" is not a span of time; write for example "14 days" or "3 hours 30 minutes".')
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in parts), timedelta())


def within_reach(span: timedelta, now: datetime) -> timedelta:
    """The `span` itself; ValueError when `now` would be moved beyond 2100, from where no calculation comes back."""
    if span > _END - now:
        raise ValueError("The clock can be moved up to the year 2100.")
    return span


def span_until(text: str, now: datetime, zone: str) -> timedelta:
    """From `now` to the local moment `text` ("2026-12-01T08:00") in the IANA `zone`; ValueError when it is past."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is not a moment; write for example "2026-12-01T08:00".') from None
    span = (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))) - now
    if span < timedelta():
        raise ValueError(
            f"{text} is past: the clock stands at {now.isoformat(timespec='minutes')} and moves forward only."
        )
    return span
