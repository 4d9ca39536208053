"""Every mail there is: each kind to each recipient, in one language, with facts to write it from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from services.notify import domain, mails
from services.notify.domain import CalendarPart, Delivery, Letter, Recipient
from services.notify.mails import RegistrationCase, VisitCase
from shared.schemas.events import RegistrationFacts
from shared.schemas.outreach import VisitDate, VisitFacts
from tests.support.notify_builders import (
    COMPANY,
    NOW,
    STARTS,
    TEACHER,
    member,
    offer,
    participant,
    registration,
    sign_in_requested,
    slot,
    visit,
)

DEADLINE = datetime(2026, 11, 5, 17, 0, tzinfo=UTC)


def all_deliveries(language: Any) -> Iterator[Delivery]:
    """One delivery for each kind and recipient."""
    message = sign_in_requested(language=language)
    token = {"token": message.token, "code": message.code, "expires_at": message.expires_at.isoformat()}
    yield from (_delivery(letter, token) for letter in mails.sign_in(message))
    for kind, facts in _registrations(language).items():
        content = {"registration": facts.model_dump(mode="json")}
        if kind == "slot_moved":
            content |= {"previous": _date(STARTS - timedelta(days=1)), "reason": "Frühschicht"}
        for letter in getattr(mails, kind)(RegistrationCase(facts, company_knows=True)):
            yield _delivery(letter, content)
    coordinator = Recipient("coordinator", "Kora Koordination", "kora@agentur.example", language, "c1")
    for kind, visit_facts in _visits(language).items():
        content = {"visit": visit_facts.model_dump(mode="json")}
        if kind == "visit_moved":
            content["previous"] = _date(STARTS - timedelta(days=1))
        for letter in getattr(mails, kind)(VisitCase(visit_facts, (coordinator,))):
            yield _delivery(letter, content)
    yield from _to_pupils(language)


def _to_pupils(language: Any) -> Iterator[Delivery]:
    facts = _registrations(language)["slot_reminder"].model_dump(mode="json")
    pupil = participant(language=language)
    younger = participant("parent_asked", under_16=True, language=language)
    answered = participant("pupil_asked", under_16=True, language=language)
    letters = [
        (mails.pupil_question(younger), younger),
        (mails.pupil_question(answered), answered),
        (mails.pupil_question(pupil), pupil),
        (mails.pupil_reminder(pupil), pupil),
    ]
    for found, who in letters:
        link = f"https://perspektive.example/notify/mine/token-of-{who.id}"
        own = {"first_name": who.first_name, "under_16": who.under_16, "link": link}
        yield from (_delivery(letter, {"registration": facts, "participant": own}) for letter in found)


def _registrations(language: str) -> dict[str, RegistrationFacts]:
    def facts(state: str, **changes: Any) -> RegistrationFacts:
        contact = TEACHER.model_copy(update={"language": language})
        toured = slot(offer=offer(contact=COMPANY.model_copy(update={"language": language})))
        return registration(state, contact=contact, slot=toured, **changes)

    return {
        "registration_requested": facts("requested"),
        "registration_confirmed": facts("confirmed"),
        "registration_declined": facts("declined", reason="Maschine in Wartung"),
        "registration_waitlisted": facts("waitlisted"),
        "places_offered": facts("offered", offer_expires_at=DEADLINE),
        "offered_places_expired": facts("expired"),
        "registration_cancelled": facts("cancelled", cancelled_by="school", reason="Klassenfahrt"),
        "registration_resized": facts("confirmed", previous_pupils=28),
        "slot_moved": facts("confirmed"),
        "slot_reminder": facts("confirmed"),
    }


def _visits(language: str) -> dict[str, VisitFacts]:
    contact = TEACHER.model_copy(update={"language": language})
    team = [member(1, language=language), member(2, language=language)]
    declined = [member(1, "declined", language), member(2, "open", language)]
    return {
        "visit_requested": visit("requested", contact=contact),
        "visit_proposed": visit("proposed", contact=contact, team=team),
        "visit_proposal_declined": visit("requested", contact=contact, team=declined, reason="Prüfung"),
        "visit_confirmed": visit("confirmed", contact=contact, team=team),
        "visit_moved": visit("confirmed", contact=contact, team=team),
        "visit_cancelled": visit("cancelled", contact=contact, team=team, reason="Klassenfahrt"),
        "visit_reminder": visit("confirmed", contact=contact, team=team),
    }


def _date(starts: datetime) -> dict[str, Any]:
    ends = starts + timedelta(hours=3)
    return VisitDate(starts_local=starts, ends_local=ends, zone="Europe/Berlin").model_dump(mode="json")


def _delivery(letter: Letter, facts: dict[str, Any]) -> Delivery:
    key = f"{letter.kind}:1:1:{letter.to.tag}"
    return Delivery(
        key=key,
        kind=letter.kind,
        to=letter.to,
        about="registration:reg1",
        priority=domain.TRANSITION,
        due_at=NOW,
        gives_up_at=NOW + timedelta(days=3),
        erase_after=NOW + timedelta(days=90),
        planned_at=NOW,
        message_id=domain.message_id(key, "perspektive.example"),
        facts=facts,
        calendar=CalendarPart(letter.method, f"{key.replace(':', '-')}@x.example", 2) if letter.method else None,
    )
