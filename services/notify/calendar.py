"""Calendar parts (RFC 5545, 5546): one entry in one person's calendar appears, moves or disappears; and feeds, in which
a calendar program finds many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vText

from services.notify.domain import CalendarPart
from services.notify.vtimezone import vtimezone

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
    """The iCalendar text of `part`, its lines ending in CRLF."""
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


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = vText(name.replace('"', "'"))
    return address


def _attendee(name: str, email: str) -> vCalAddress:
    attendee = _address(name, email)
    for parameter, value in (("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "NEEDS-ACTION"), ("RSVP", "FALSE")):
        attendee.params[parameter] = vText(value)
    return attendee
