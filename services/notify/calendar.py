"""Calendar parts (RFC 5545, 5546): one entry in one person's calendar appears, moves or disappears."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vText

from services.notify.domain import CalendarPart
from services.notify.vtimezone import vtimezone


@dataclass(frozen=True)
class Entry:
    """What the entry says. Times are naive wall time in the IANA `zone`; addresses are (name, mail address)."""

    summary: str
    description: str
    location: str
    url: str
    starts_local: datetime
    ends_local: datetime
    zone: str
    organizer: tuple[str, str]
    attendee: tuple[str, str]


def ics(part: CalendarPart, entry: Entry, now: datetime) -> str:
    """The iCalendar text of `part`, its lines ending in CRLF."""
    calendar = Calendar()
    calendar.add("prodid", "-//Perspektive//notify//DE")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", part.method)
    calendar.add_component(vtimezone(entry.zone, entry.starts_local.year))
    calendar.add_component(_event(part, entry, now))
    return calendar.to_ical().decode()


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
    event.add("url", entry.url)
    event.add("status", "CANCELLED" if part.method == "CANCEL" else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if part.method == "CANCEL" else "OPAQUE")
    event.add("organizer", _address(*entry.organizer))
    event.add("attendee", _attendee(*entry.attendee))
    return event


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = vText(name.replace('"', "'"))
    return address


def _attendee(name: str, email: str) -> vCalAddress:
    attendee = _address(name, email)
    for parameter, value in (("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "NEEDS-ACTION"), ("RSVP", "FALSE")):
        attendee.params[parameter] = vText(value)
    return attendee
