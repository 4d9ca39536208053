"""Dates as files for a calendar (RFC 5545): a teacher's registration, and any date that can be booked."""

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from icalendar import Calendar, Event

from services.events.api.parts import Now, TheStore
from services.events.usecases import search
from services.events.usecases.paper import show_confirmed
from services.events.usecases.results import SlotView
from shared.ui.language import translate
from shared.web.callers import Person
from shared.web.pages import language_of

router = APIRouter()


@router.get("/registrations/{registration_id}/calendar.ics")
async def registration_file(
    registration_id: str, request: Request, store: TheStore, now: Now, person: Person
) -> Response:
    """The entry of a confirmed registration. Its UID is that of the mailed entry, so that a calendar holds it once. It
    begins again at SEQUENCE 0: what the mails say afterwards is always newer."""
    found = await show_confirmed(store, person, registration_id)
    slot = await search.show_slot(store, found.slot_id)
    group = translate("Class {name}", language_of(request), name=found.group.name)
    uid = f"registration-{found.id}-teacher@{request.app.state.mail_domain}"
    address = f"{request.app.state.public_url}/events/registrations/{found.id}"
    return _file(slot, uid, f"{slot.offer.title} ({group})", address, now, "CONFIRMED", language_of(request))


@router.get("/slots/{slot_id}/calendar.ics")
async def slot_file(slot_id: str, request: Request, store: TheStore, now: Now) -> Response:
    """The entry of a date, for anybody who plans with it; nothing is booked by it."""
    slot = await search.show_slot(store, slot_id)
    uid = f"slot-{slot.id}@{request.app.state.mail_domain}"
    address = f"{request.app.state.public_url}/events/slots/{slot.id}"
    status: Literal["CANCELLED", "TENTATIVE"] = "CANCELLED" if slot.state == "cancelled" else "TENTATIVE"
    return _file(slot, uid, slot.offer.title, address, now, status, language_of(request))


def _file(
    slot: SlotView, uid: str, summary: str, address: str, now: datetime,
    status: Literal["CONFIRMED", "CANCELLED", "TENTATIVE"], language: str,
) -> Response:  # fmt: skip
    calendar = Calendar()
    for name, value in (("prodid", "-//Perspektive//events//DE"), ("version", "2.0"), ("method", "PUBLISH")):
        calendar.add(name, value)
    calendar.add_component(_event(slot, uid, summary, address, now, status, language))
    calendar.add_missing_timezones()
    named = f'attachment; filename="perspektive-{slot.starts_local:%Y-%m-%d}.ics"'
    return Response(
        calendar.to_ical(), media_type="text/calendar; charset=utf-8", headers={"Content-Disposition": named}
    )


def _event(
    slot: SlotView, uid: str, summary: str, address: str, now: datetime, status: str, language: str
) -> Event:  # fmt: skip
    zone, place = ZoneInfo(slot.zone), slot.offer.place
    event = Event()
    event.add("uid", uid)
    event.add("sequence", 0)
    event.add("dtstamp", now)
    event.add("dtstart", slot.starts_local.replace(tzinfo=zone))
    event.add("dtend", slot.ends_local.replace(tzinfo=zone))
    event.add("summary", summary)
    event.add("location", f"{slot.offer.company_name}, {place.street}, {place.postal_code} {place.town}")
    event.add("description", _description(slot, language))
    event.add("url", address)
    event.add("status", status)
    return event


def _description(slot: SlotView, language: str) -> str:
    lines = [slot.offer.place.directions]
    if slot.offer.requirements:
        lines.append(f"{translate('To observe', language)}: {'; '.join(slot.offer.requirements)}")
    return "\n".join(line for line in lines if line)
