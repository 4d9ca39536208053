"""A visit as a file for a calendar (RFC 5545)."""

from zoneinfo import ZoneInfo

from fastapi import Response
from icalendar import Calendar, Event

from services.outreach.domain.schools import School
from services.outreach.domain.visits import Visit
from services.outreach.web.desk import Desk
from shared.ui.language import translate


def calendar_file(desk: Desk, visit: Visit, school: School) -> Response:
    """The entry of a confirmed visit. Its UID is that of the mailed entry, so that a calendar holds it once; it begins
    again at SEQUENCE 0: what the mails say afterwards is always newer."""
    calendar = Calendar()
    for name, value in (("prodid", "-//Perspektive//outreach//DE"), ("version", "2.0"), ("method", "PUBLISH")):
        calendar.add(name, value)
    calendar.add_component(_event(desk, visit, school))
    calendar.add_missing_timezones()
    named = f'attachment; filename="perspektive-{visit.id[:8]}.ics"'
    headers = {"Content-Disposition": named}
    return Response(calendar.to_ical(), media_type="text/calendar; charset=utf-8", headers=headers)


def _event(desk: Desk, visit: Visit, school: School) -> Event:
    assert visit.chosen is not None
    zone = ZoneInfo(visit.chosen.zone)
    member = visit.member_of(desk.person.id)
    tag = f"ambassador-{member.ambassador_id}" if member else "teacher"
    settings = desk.request.app.state.settings
    name = school.short_name or school.name
    title = translate("School visit: {school}, {group}", desk.language, school=name, group=visit.group_name)
    event = Event()
    event.add("uid", f"visit-{visit.id}-{tag}@{settings.calendar_domain}")
    event.add("sequence", 0)
    event.add("dtstamp", desk.now)
    event.add("dtstart", visit.chosen.starts_local.replace(tzinfo=zone))
    event.add("dtend", visit.chosen.ends_local.replace(tzinfo=zone))
    event.add("summary", title)
    event.add("location", f"{school.name}, {school.street}, {school.postal_code} {school.town}")
    texts = [visit.room, visit.material if member else visit.preparation]
    event.add("description", "\n".join(text for text in (desk.fields.get(visit.field, ""), *texts) if text))
    event.add("url", f"{settings.public_url}/outreach/visits/{visit.id}")
    event.add("status", "CONFIRMED")
    return event
