"""Facts in the words of a mail: what the templates below mails/ can name."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from services.notify.domain import Recipient
from shared.answer_links import AnswerLinks, AsSeen
from shared.region import career_fields
from shared.schemas.events import OfferFacts, Place, RegistrationFacts
from shared.schemas.outreach import TeamMember, VisitDate, VisitFacts
from shared.ui.language import clock_time, short_day, translate

Values = dict[str, Any]
ANSWERS = ("cannot_come", "confirm_again")
WITH_ANSWERS = ("slot_reminder", "reminder_digest", "confirmation_asked")  # kinds of mail that name them


def registration_values(facts: dict[str, Any], to: Recipient, public_url: str, zone: str) -> Values:
    """For mails about a registration; `facts` holds it, and the former date when the slot was moved."""
    registration = RegistrationFacts.model_validate(facts["registration"])
    slot, offer = registration.slot, registration.slot.offer
    page = (
        f"/events/slots/{slot.slot_id}/manage"
        if to.role == "company"
        else f"/events/registrations/{registration.registration_id}"
    )
    date_ = VisitDate(starts_local=slot.starts_local, ends_local=slot.ends_local, zone=slot.zone)
    previous = facts.get("previous")
    until = registration.offer_expires_at or registration.answer_until
    return {
        "registration": registration,
        "group": registration.group,
        "school": registration.school_name,
        "teacher": registration.contact,
        "offer": offer,
        "company": offer.company_name,
        "place": offer.place,
        "address": address(offer.place),
        "contact": offer.contact,
        "reason": facts.get("reason") or registration.reason,
        "changed": facts.get("changed", []),
        "over": registration.state in ("declined", "expired", "cancelled"),
        "deadline": _deadline(until, slot.zone, to.language),
        "short_deadline": _deadline(until, slot.zone, to.language, short_day),
        "previous": when(VisitDate.model_validate(previous), to.language, zone) if previous else None,
        "link": public_url + page,
        "public_url": public_url,
        **when(date_, to.language, zone),
    }


def answer_values(registration: RegistrationFacts, to: Recipient, links: AnswerLinks | None) -> Values:
    """The addresses at which a teacher answers without signing in, bound to the registration as it is now; empty for
    everybody else."""
    if links is None or to.role != "teacher":
        return dict.fromkeys(ANSWERS, "")
    seen = AsSeen(registration.registration_id, registration.version, registration.slot.revision)
    return {"cannot_come": links.address("cannot-come", seen), "confirm_again": links.address("confirm-again", seen)}


def pupil_values(facts: dict[str, Any], to: Recipient, public_url: str, zone: str) -> Values:
    """For mails to a pupil or parent. At planning there is no participant in the `facts`: only the subject is
    written then, which names nobody."""
    participant = facts.get("participant", {"first_name": "", "under_16": False, "path": ""})
    return {
        **registration_values(facts, to, public_url, zone),
        "first_name": participant["first_name"],
        "under_16": participant["under_16"],
        "link": public_url + participant["path"],
    }


def visit_values(facts: dict[str, Any], to: Recipient, public_url: str, zone: str) -> Values:
    """For mails about a visit; `facts` holds it, and the former date when it was moved."""
    visit = VisitFacts.model_validate(facts["visit"])
    page = "/outreach/my-visits" if to.role == "ambassador" else f"/outreach/visits/{visit.visit_id}"
    previous = facts.get("previous")
    return {
        "visit": visit,
        "field": career_fields(to.language).get(visit.field, visit.field),
        "alternatives": [when(date_, to.language, zone) for date_ in visit.alternatives],
        "others": [member for member in visit.team if member.ambassador_id != to.id and member.answer != "declined"],
        "declined": [member for member in visit.team if member.answer == "declined"],
        "gone": any(member.ambassador_id == to.id and member.answer == "declined" for member in visit.team),
        "reason": visit.reason,
        "deadline": _deadline(visit.answer_by, zone, to.language),
        "late": any(member.ambassador_id == to.id and member.answer == "open" for member in visit.team),
        "over": visit.state == "cancelled",
        "previous": when(VisitDate.model_validate(previous), to.language, zone) if previous else None,
        "link": public_url + page,
        **(when(visit.chosen, to.language, zone) if visit.chosen else {"day": "", "short_day": "", "time": ""}),
    }


def named(people: Sequence[TeamMember], last: str, first: str = "") -> str:
    """Their names with the word `last` before the last one, after `first` if given; an erased name is left out."""
    names = [name for name in (first, *(person.name for person in people)) if name]
    return f" {last} ".join([each for each in (", ".join(names[:-1]), *names[-1:]) if each])


def offer_values(facts: dict[str, Any], to: Recipient, public_url: str) -> Values:
    """For mails about an offer to its company."""
    offer = OfferFacts.model_validate(facts["offer"])
    return {
        "offer": offer,
        "company": offer.company_name,
        "field": career_fields(to.language).get(offer.field, offer.field),
        "address": address(offer.place),
        "reason": facts.get("reason", ""),
        "link": f"{public_url}/events/offers/{offer.offer_id}",
    }


def sign_in_values(facts: dict[str, Any], to: Recipient, public_url: str, zone: str) -> Values:
    """For the sign-in mail."""
    expires = datetime.fromisoformat(facts["expires_at"]).astimezone(ZoneInfo(zone))
    link = f"{public_url}/outreach/sign-in/link?token={facts['token']}"
    return {"link": link, "code": facts["code"], "until": clock_time(expires.replace(tzinfo=None), to.language)}


def consent_text(text: str, facts: RegistrationFacts, language: str, first_name: str = "{first_name}") -> str:
    """One of the texts of `consent` as somebody is shown it; without the name, as it is kept."""
    day = full_day(facts.slot.starts_local.date(), language)
    return translate(text, language).format(first_name=first_name, company=facts.slot.offer.company_name, day=day)


_TASKS = {
    "de": {"teacher": "Lehrkraft", "company": "Ansprechperson", "ambassador": "Botschafter:in"},
    "en": {"teacher": "a teacher", "company": "a contact", "ambassador": "an ambassador"},
}


def invitation_values(facts: dict[str, Any], to: Recipient, public_url: str, zone: str) -> Values:
    """For the mail that invites a colleague."""
    expires = datetime.fromisoformat(facts["expires_at"]).astimezone(ZoneInfo(zone))
    return {
        "link": f"{public_url}/outreach/invitations/link?token={facts['token']}",
        "organisation": facts["organisation"],
        "invited_by": facts["invited_by"],
        "task": _TASKS[to.language].get(facts["task"], facts["task"]),
        "until": full_day(expires.date(), to.language),
    }


def suppression_values(facts: dict[str, Any], public_url: str) -> Values:
    """For the mail that tells of an address that refuses mails."""
    return {**facts["suppression"], "link": f"{public_url}/notify/suppressions/{facts['suppression']['id']}"}


def webhook_values(facts: dict[str, Any], public_url: str) -> Values:
    """For the mail that tells of a webhook that was paused."""
    webhook = facts["webhook"]
    link = f"{public_url}/notify/webhooks/{webhook['id']}"
    return {"program": webhook["name"], "reason": webhook["reason"], "link": link}


def when(date_: VisitDate, language: str, home_zone: str) -> dict[str, str]:
    """`day` with its weekday, `short_day` in figures, `time` from–to in wall time (the zone named when not home)."""
    starts, ends = date_.starts_local, date_.ends_local
    to_word = "bis" if language == "de" else "to"
    first = clock_time(starts, language).removesuffix(" Uhr")
    last = clock_time(ends, language)
    time = f"{first} {to_word} {last}"
    if ends.date() != starts.date():
        time = f"{first} {to_word} {full_day(ends.date(), language)}, {last}"
    if date_.zone != home_zone:
        time += f" ({date_.zone})"
    if date_.lesson is not None:
        time += f" ({date_.lesson}. Stunde)" if language == "de" else f" (lesson {date_.lesson})"
    return {"day": full_day(starts.date(), language), "short_day": short_day(starts.date(), language), "time": time}


@lru_cache(maxsize=1024)
def full_day(value: date, language: str) -> str:
    """`Dienstag, 1. Dezember 2026` / `Tuesday, 1 December 2026`."""
    return format_date(value, "EEEE, d. MMMM y" if language == "de" else "EEEE, d MMMM y", locale=language)


def days_until(starts_local: datetime, zone: str, now: datetime) -> int:
    """How many days lie between today and the day of the start, in the zone's calendar."""
    return (starts_local.date() - now.astimezone(ZoneInfo(zone)).date()).days


def address(place: Place) -> str:
    """The place in one line."""
    name = [place.name] if place.name else []
    return ", ".join([*name, place.street, f"{place.postal_code} {place.town}"])


def summary(values: Values, to: Recipient) -> tuple[str, str, str]:
    """(summary, description, location) of the calendar entry."""
    german = to.language == "de"
    if "visit" in values:
        visit: VisitFacts = values["visit"]
        title = (
            f"Schulbesuch: {visit.school_name}, {visit.group_name}"
            if german
            else (f"School visit: {visit.school_name}, {visit.group_name}")
        )
        phone = f", {visit.contact.phone}" if visit.contact.phone else ""
        text = f"{values['field']}\n{visit.contact.name}{phone}\n{values['link']}"
        return title, text, f"{visit.school_name}, {visit.school_address}"
    group, offer = values["group"], values["offer"]
    if to.role == "company":
        title = f"{values['school']}, {group.name}: {offer.title}"
        people = values["teacher"]
    else:
        title = f"{offer.title} ({values['company']})"
        people = values["contact"]
    phone = f", {people.phone}" if people.phone else ""
    count = (
        f"{group.pupils} Schülerinnen und Schüler, Begleitpersonen: {group.adults}"
        if german
        else (f"{group.pupils} pupils, accompanying adults: {group.adults}")
    )
    lines = [f"{group.name}: {count}", *offer.requirements, f"{people.name}{phone}", values["link"]]
    return title, "\n".join(lines), values["address"]


def _deadline(expires_at: datetime | None, zone: str, language: str, day: Callable[[date, str], str] = full_day) -> str:
    if expires_at is None:
        return ""
    aware = expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)
    local = aware.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return f"{day(local.date(), language)}, {clock_time(local, language)}"
