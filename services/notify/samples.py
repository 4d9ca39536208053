"""Made-up facts from which every kind of mail can be written: for the preview of the mails, and for tests.

Nobody here exists, and all addresses end in `.example`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

from services.notify import domain, mails
from services.notify.consent import Participant
from services.notify.domain import CalendarPart, Delivery, Letter, Recipient
from services.notify.mails import RegistrationCase, VisitCase
from services.notify.urgency import TRANSITION
from shared.schemas.events import GroupFacts, OfferFacts, Place, RegistrationFacts, SlotFacts
from shared.schemas.outreach import Contact, TeamMember, VisitDate, VisitFacts

Language = Literal["de", "en"]
ZONE = "Europe/Berlin"
TEACHER = Contact(name="Tessa Muster", email="tessa@schule.example", phone="02761 1234", language="de")
COMPANY = Contact(name="Konrad Beispiel", email="konrad@betrieb.example", phone="0271 98765", language="de")


def offer(**changes: Any) -> OfferFacts:
    """A tour of a company that does not exist."""
    facts: dict[str, Any] = {
        "offer_id": "offer1",
        "campaign_id": "campaign1",
        "company_id": "company1",
        "company_name": "Musterwerk Siegerland (Demo)",
        "title": "Ein Vormittag in der Gießerei",
        "description": "Rundgang und Ausprobieren",
        "field": "M",
        "place": Place(
            name="Werk 2", street="Beispielweg 1", postal_code="57072", town="Siegen", directions="Bus R16 bis Tor 1"
        ),
        "requirements": ["Feste, geschlossene Schuhe", "Mindestalter 14 Jahre"],
        "contact": COMPANY,
        "reminder_days": [14, 2],
        "state": "published",
    }
    return OfferFacts(**{**facts, **changes})


def slot(starts: datetime, **changes: Any) -> SlotFacts:
    """Three hours at that company."""
    facts: dict[str, Any] = {
        "slot_id": "slot1",
        "offer": offer(),
        "starts_local": starts,
        "ends_local": starts + timedelta(hours=3),
        "zone": ZONE,
        "places": 30,
        "groups": 2,
        "grades": [8, 9],
        "state": "open",
        "revision": 1,
    }
    return SlotFacts(**{**facts, **changes})


def registration(slot: SlotFacts, state: str, **changes: Any) -> RegistrationFacts:
    """A class of 24 on that slot."""
    facts: dict[str, Any] = {
        "registration_id": "reg1",
        "slot": slot,
        "school_id": "school1",
        "school_name": "Gesamtschule Musterstadt",
        "school_type": "15",
        "school_district_ags": "05966",
        "group": GroupFacts(name="8a", grade=8, pupils=24, adults=2, needs="Ein Rollstuhl"),
        "contact": TEACHER,
        "state": state,
        "version": 1,
    }
    return RegistrationFacts(**{**facts, **changes})


def participant(now: datetime, state: Any = "confirmed", under_16: bool = False, **changes: Any) -> Participant:
    """A pupil of that class who asked to be reminded, with the consents that the state implies."""
    facts: dict[str, Any] = {
        "id": "pupil1",
        "registration_id": "reg1",
        "first_name": "Lena",
        "email": "lena@post.example",
        "language": "de",
        "parent_email": "mutter@post.example" if under_16 else "",
        "nonce": "nonce1",
        "asked_at": now,
        "question_ends_at": now + timedelta(days=7),
        "erase_after": now + timedelta(days=30),
        "parent_consented_at": now if under_16 and state != "parent_asked" else None,
        "confirmed_at": now if state == "confirmed" else None,
    }
    return Participant(under_16=under_16, state=state, **{**facts, **changes})


def member(number: int = 1, answer: str = "accepted", language: str = "de") -> TeamMember:
    """An ambassador."""
    return TeamMember(
        ambassador_id=f"amb{number}", person_id=f"person{number}", name=f"Ada{number} Botschaft", language=language,
        email=f"ada{number}@betrieb.example", company_name="Musterwerk Siegerland (Demo)", answer=answer,
    )  # fmt: skip


def visit(starts: datetime, state: str, **changes: Any) -> VisitFacts:
    """A visit at a school that does not exist; `chosen` unless it is only requested."""
    days, hour = (starts, starts + timedelta(days=1)), timedelta(hours=1)
    dates = [VisitDate(starts_local=day, ends_local=day + hour, zone=ZONE) for day in days]
    facts: dict[str, Any] = {
        "visit_id": "visit1",
        "campaign_id": "campaign1",
        "school_id": "school1",
        "school_name": "Gesamtschule Musterstadt",
        "school_address": "Schulweg 3, 57462 Olpe",
        "district_ags": "05966",
        "field": "M",
        "grade": 8,
        "group_name": "8a",
        "pupils": 24,
        "contact": TEACHER,
        "alternatives": dates,
        "chosen": None if state == "requested" else dates[0],
        "team": [] if state == "requested" else [member(1), member(2, language="en")],
        "state": state,
        "version": 1,
    }
    return VisitFacts(**{**facts, **changes})


def sample_deliveries(language: Language, starts: datetime, now: datetime) -> Iterator[Delivery]:
    """One delivery for each kind and recipient, about something that starts at the wall time `starts`."""
    token = {"token": "muster", "code": "482913", "expires_at": (now + timedelta(minutes=15)).isoformat()}
    person = Recipient("person", TEACHER.name, TEACHER.email, language)
    yield _delivery(Letter("sign_in", person), token, now)
    invited = {"organisation": "Gesamtschule Musterstadt", "invited_by": TEACHER.name, "task": "teacher"}
    invited |= {"token": "muster", "expires_at": (now + timedelta(days=14)).isoformat()}
    yield _delivery(Letter("invitation", person), invited, now)
    before = {"previous": _date(starts - timedelta(days=1))}
    for kind, facts in _registrations(language, starts, now).items():
        content = {"registration": facts.model_dump(mode="json")}
        content |= {**before, "reason": "Frühschicht"} if kind == "slot_moved" else {}
        if kind == "offer_changed":
            content |= {"changed": ["place", "requirements"], "reason": "Wir sind umgezogen."}
        for letter in getattr(mails, kind)(RegistrationCase(facts, company_knows=True)):
            yield _delivery(letter, content, now)
    facts = _registrations(language, starts, now)["slot_reminder"]
    for letter in mails.contact_changed(*[RegistrationCase(facts, company_knows=True)] * 2):
        yield _delivery(letter, {"registration": facts.model_dump(mode="json")}, now)
    toured = offer(contact=COMPANY.model_copy(update={"language": language}))
    told = {"offer": toured.model_dump(mode="json"), "reason": "Bitte nennen Sie die Bushaltestelle."}
    for write in (mails.offer_published, mails.offer_sent_back):
        yield from (_delivery(letter, told, now) for letter in write(toured))
    coordinator = Recipient("coordinator", "Kora Koordination", "kora@agentur.example", language, "c1")
    for kind, visit_facts in _visits(language, starts, now).items():
        content = {"visit": visit_facts.model_dump(mode="json"), **(before if kind == "visit_moved" else {})}
        for letter in getattr(mails, kind)(VisitCase(visit_facts, (coordinator,))):
            yield _delivery(letter, content, now)
    yield from _several_reminders(language, starts, now)
    yield from _to_pupils(language, starts, now)
    trouble = {
        "id": "muster",
        "masked": "te…@schule.example",
        "answer": "550 5.1.1 No such user",
        "subject": "Bestätigt: 8a",
    }
    for letter in mails.address_suppressed([coordinator]):
        yield _delivery(letter, {"suppression": trouble}, now)
    webhook = {"id": "muster", "name": "Schulportal", "reason": "failing"}
    for letter in mails.webhook_paused([coordinator]):
        yield _delivery(letter, {"webhook": webhook}, now)


def _several_reminders(language: Language, starts: datetime, now: datetime) -> Iterator[Delivery]:
    """Two classes of one teacher on two days, and two classes that come to one company."""
    days = (starts, starts + timedelta(days=1))
    facts = [_registrations(language, day, now)["slot_reminder"] for day in days]
    content = {"reminders": [{"registration": each.model_dump(mode="json")} for each in facts]}
    for single in mails.slot_reminder(RegistrationCase(facts[0], True)):
        for letter in mails.reminder_digest(single.to):
            yield _delivery(letter, content, now)


def _to_pupils(language: Language, starts: datetime, now: datetime) -> Iterator[Delivery]:
    facts = _registrations(language, starts, now)["slot_reminder"].model_dump(mode="json")
    pupil = participant(now, language=language)
    younger = [participant(now, state, True, language=language) for state in ("parent_asked", "pupil_asked")]
    letters = [(each, letter) for each in (*younger, pupil) for letter in mails.pupil_question(each)]
    letters += [(pupil, letter) for letter in mails.pupil_reminder(pupil)]
    for each, letter in letters:
        own = {"first_name": each.first_name, "under_16": each.under_16, "path": "/notify/mine/muster"}
        yield _delivery(letter, {"registration": facts, "participant": own}, now)


def _registrations(language: Language, starts: datetime, now: datetime) -> dict[str, RegistrationFacts]:
    def facts(state: str, **changes: Any) -> RegistrationFacts:
        contact = TEACHER.model_copy(update={"language": language})
        toured = slot(starts, offer=offer(contact=COMPANY.model_copy(update={"language": language})))
        return registration(toured, state, contact=contact, **changes)

    return {
        "registration_requested": facts("requested"),
        "registration_confirmed": facts("confirmed"),
        "registration_declined": facts("declined", reason="Maschine in Wartung"),
        "registration_waitlisted": facts("waitlisted"),
        "places_offered": facts("offered", offer_expires_at=now + timedelta(days=3, hours=8)),
        "offered_places_expired": facts("expired"),
        "registration_cancelled": facts("cancelled", cancelled_by="school", reason="Klassenfahrt"),
        "registration_resized": facts("confirmed", previous_pupils=28),
        "confirmation_asked": facts("confirmed", answer_until=now + timedelta(days=3, hours=8)),
        "registration_released": facts("cancelled", cause="not_confirmed_again"),
        "slot_moved": facts("confirmed"),
        "offer_changed": facts("confirmed"),
        "slot_reminder": facts("confirmed"),
    }


def _visits(language: Language, starts: datetime, now: datetime) -> dict[str, VisitFacts]:
    contact = TEACHER.model_copy(update={"language": language})
    team = [member(1, language=language), member(2, language=language)]
    declined = [member(1, "declined", language), member(2, "open", language)]
    left = [member(1, "declined", language), member(2, "accepted", language)]
    late = [member(1, "accepted", language), member(2, "open", language)]
    chosen = visit(starts, "confirmed").chosen
    texts = {"answer_by": now + timedelta(days=3, hours=8), "room": "Aula", "material": "Werkstücke"}
    texts["preparation"] = "Beamer"
    fallen = {"contact": contact, "chosen": chosen}
    return {
        "visit_requested": visit(starts, "requested", contact=contact),
        "visit_proposed": visit(starts, "proposed", contact=contact, team=team, **texts),
        "visit_date_proposed": visit(starts, "proposed", contact=contact, team=team, **texts),
        "visit_proposal_withdrawn": visit(starts, "requested", team=team, reason="Ferien", **fallen),
        "visit_proposal_expired": visit(starts, "requested", team=late, **fallen),
        "visit_proposal_declined": visit(starts, "requested", team=declined, reason="Prüfung", **fallen),
        "visit_confirmed": visit(starts, "confirmed", contact=contact, team=team),
        "visit_moved": visit(starts, "confirmed", contact=contact, team=team, reason="Klausuren"),
        "visit_member_left": visit(starts, "confirmed", contact=contact, team=left, reason="Prüfung"),
        "visit_cancelled": visit(starts, "cancelled", contact=contact, team=team, reason="Klassenfahrt"),
        "visit_reminder": visit(starts, "confirmed", contact=contact, team=team),
    }


def _date(starts: datetime) -> dict[str, Any]:
    ends = starts + timedelta(hours=3)
    return VisitDate(starts_local=starts, ends_local=ends, zone=ZONE).model_dump(mode="json")


def _delivery(letter: Letter, facts: dict[str, Any], now: datetime) -> Delivery:
    key = f"{letter.kind}:1:1:{letter.to.tag}"
    return Delivery(
        key=key,
        kind=letter.kind,
        to=letter.to,
        about="registration:reg1",
        priority=TRANSITION,
        due_at=now,
        gives_up_at=now + timedelta(days=3),
        erase_after=now + timedelta(days=90),
        planned_at=now,
        message_id=domain.message_id(key, "perspektive.example"),
        facts=facts,
        calendar=CalendarPart(letter.method, f"{key.replace(':', '-')}@x.example", 2) if letter.method else None,
    )
