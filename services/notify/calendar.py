"""Calendar parts (RFC 5545, 5546): one entry in one person's calendar appears, moves or disappears; and feeds, in which
a calendar program finds many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vText
from icalendar.parser import Contentline

from services.notify.domain import CalendarPart
from services.notify.vtimezone import vtimezone

FOLDED_FROM = 75  # octets; RFC 5545, 3.1
ESCAPING = b"\\^"  # they are not parted from what they escape
REFRESHED_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Entry:
    """What the entry says. Times are naive wall time in the IANA `zone`; addresses are (name, mail address), which a
    feed's entries have not."""

    summary: str
    description: str
    location: str
    url: str
    starts_local: datetime
    ends_local: datetime
    zone: str
    organizer: tuple[str, str] | None = None
    attendee: tuple[str, str] | None = None


def ics(part: CalendarPart, entry: Entry, now: datetime) -> str:
    """The iCalendar text of `part`, its lines ending in CRLF: what `by_the_library` gives (a test compares them) for a
    tenth of the processor time, as what many mails share is written once and kept."""
    head, foot = _around(part.method, entry.zone, entry.starts_local.year)
    return head + "".join(_event_lines(part, entry, now)) + foot


def by_the_library(part: CalendarPart, entry: Entry, now: datetime) -> str:
    """The same, made of the components of icalendar."""
    calendar = _calendar(part.method)
    calendar.add_component(vtimezone(entry.zone, entry.starts_local.year))
    calendar.add_component(_event(part, entry, now))
    return calendar.to_ical().decode()


def feed_ics(items: Sequence[tuple[CalendarPart, Entry]], name: str, now: datetime) -> str:
    """The iCalendar text of a feed called `name`, to be fetched again every hour."""
    calendar = _calendar("PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESHED_AFTER, parameters={"VALUE": "DURATION"})
    years: dict[str, int] = {}
    for _, entry in items:
        years[entry.zone] = min(entry.starts_local.year, years.get(entry.zone, entry.starts_local.year))
    for zone, year in sorted(years.items()):
        calendar.add_component(vtimezone(zone, year))
    for part, entry in items:
        calendar.add_component(_event(part, entry, now))
    return calendar.to_ical().decode()


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Perspektive//notify//DE")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def _event(part: CalendarPart, entry: Entry, now: datetime) -> Event:
    zone = ZoneInfo(entry.zone)
    event = Event()
    event.add("uid", part.uid)
    event.add("sequence", part.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", entry.starts_local.replace(tzinfo=zone))
    event.add("dtend", entry.ends_local.replace(tzinfo=zone))
    event.add("summary", entry.summary)
    event.add("description", entry.description)
    event.add("location", entry.location)
    if entry.url:
        event.add("url", entry.url)
    event.add("status", "CANCELLED" if part.method == "CANCEL" else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if part.method == "CANCEL" else "OPAQUE")
    if entry.organizer:
        event.add("organizer", _address(*entry.organizer))
    if entry.attendee:
        event.add("attendee", _attendee(*entry.attendee))
    return event


@lru_cache(maxsize=64)
def _around(method: str, zone: str, year: int) -> tuple[str, str]:
    """What stands before and after the event."""
    calendar = _calendar(method)
    calendar.add_component(vtimezone(zone, year))
    whole, end = calendar.to_ical().decode(), "END:VCALENDAR\r\n"
    return whole.removesuffix(end), end


def _event_lines(part: CalendarPart, entry: Entry, now: datetime) -> list[str]:
    """The event in the order in which icalendar writes it."""
    cancelled = part.method == "CANCEL"
    return [
        "BEGIN:VEVENT\r\n",
        _text("SUMMARY", entry.summary),
        _moment("DTSTART", entry.starts_local, entry.zone),
        _moment("DTEND", entry.ends_local, entry.zone),
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}\r\n",
        _text("UID", part.uid),
        f"SEQUENCE:{part.sequence}\r\n",
        _person("ATTENDEE", _attendee, entry.attendee) if entry.attendee else "",
        _text("DESCRIPTION", entry.description),
        _text("LOCATION", entry.location),
        _person("ORGANIZER", _address, entry.organizer) if entry.organizer else "",
        f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}\r\n",
        f"TRANSP:{'TRANSPARENT' if cancelled else 'OPAQUE'}\r\n",
        _line(f"URL:{entry.url}") if entry.url else "",
        "END:VEVENT\r\n",
    ]


def _text(name: str, text: str) -> str:
    return _line(f"{name}:{vText(text).to_ical().decode()}")


def _moment(name: str, moment: datetime, zone: str) -> str:
    if zone == "UTC":
        return f"{name}:{moment:%Y%m%dT%H%M%S}Z\r\n"
    return _line(f"{name};TZID={zone}:{moment:%Y%m%dT%H%M%S}")


@lru_cache(maxsize=4096)
def _person(name: str, made_by: Callable[[str, str], vCalAddress], person: tuple[str, str]) -> str:
    address = made_by(*person)
    return _line(Contentline.from_parts(name, address.params, address))


def _line(text: str) -> str:
    """One line, folded where icalendar folds it when it is a long one."""
    octets, pieces, at = text.encode(), [], 0
    while len(octets) - at >= FOLDED_FROM:
        end = at + FOLDED_FROM - 1
        while octets[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        if end - 1 > at and octets[end - 1] in ESCAPING:
            end -= 1
        pieces.append(octets[at:end])
        at = end
    return b"\r\n ".join([*pieces, octets[at:]]).decode() + "\r\n"


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = vText(name.replace('"', "'"))
    return address


def _attendee(name: str, email: str) -> vCalAddress:
    attendee = _address(name, email)
    for parameter, value in (("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "NEEDS-ACTION"), ("RSVP", "FALSE")):
        attendee.params[parameter] = vText(value)
    return attendee
