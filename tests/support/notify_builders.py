"""Messages as outreach and events say them, for tests of notify. All persons are made up."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.notify.consent import Participant
from shared.schemas import events, outreach
from shared.schemas.events import GroupFacts, OfferFacts, Place, RegistrationFacts, SlotFacts
from shared.schemas.outreach import Contact, PersonChanged, Role, SignInRequested, TeamMember, VisitDate, VisitFacts

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
STARTS = datetime(2026, 12, 1, 9, 0)
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


def slot(revision: int = 1, starts: datetime = STARTS, **changes: Any) -> SlotFacts:
    """Three hours at that company."""
    facts: dict[str, Any] = {
        "slot_id": "slot1",
        "offer": offer(),
        "starts_local": starts,
        "ends_local": starts + timedelta(hours=3),
        "zone": "Europe/Berlin",
        "places": 30,
        "groups": 2,
        "grades": [8, 9],
        "state": "open",
        "revision": revision,
    }
    return SlotFacts(**{**facts, **changes})


def registration(state: str = "confirmed", version: int = 1, id: str = "reg1", **changes: Any) -> RegistrationFacts:
    """A class of 24 on that slot."""
    facts: dict[str, Any] = {
        "registration_id": id,
        "slot": slot(),
        "school_id": "school1",
        "school_name": "Gesamtschule Musterstadt",
        "school_type": "15",
        "school_district_ags": "05966",
        "group": GroupFacts(name="8a", grade=8, pupils=24, adults=2, needs="Ein Rollstuhl"),
        "contact": TEACHER,
        "state": state,
        "version": version,
    }
    return RegistrationFacts(**{**facts, **changes})


def participant(state: Any = "confirmed", id: str = "pupil1", under_16: bool = False, **changes: Any) -> Participant:
    """A pupil of that class who asked to be reminded, with the consents that the state implies."""
    facts: dict[str, Any] = {
        "registration_id": "reg1",
        "first_name": "Lena",
        "email": "lena@post.example",
        "language": "de",
        "parent_email": "mutter@post.example" if under_16 else "",
        "nonce": "nonce1",
        "asked_at": NOW,
        "question_ends_at": NOW + timedelta(days=7),
        "erase_after": datetime(2026, 12, 2, 23, tzinfo=UTC),
        "parent_consented_at": NOW if under_16 and state != "parent_asked" else None,
        "confirmed_at": NOW if state == "confirmed" else None,
    }
    return Participant(id=id, under_16=under_16, state=state, **{**facts, **changes})


def said(message: type[events.RegistrationMessage], facts: RegistrationFacts, now: datetime = NOW) -> Any:
    """The message `message` about a registration."""
    return message.about(f"registration:{facts.registration_id}", facts.version, now=now, registration=facts)


def slot_moved(to: SlotFacts, previous: datetime = STARTS, reason: str = "Frühschicht", now: datetime = NOW) -> Any:
    """The slot has the date in `to`."""
    return events.SlotMoved.about(
        f"slot:{to.slot_id}", to.revision + 100, now=now, slot=to, previous_starts_local=previous,
        previous_ends_local=previous + timedelta(hours=3), reason=reason,
    )  # fmt: skip


def member(number: int = 1, answer: str = "accepted", language: str = "de") -> TeamMember:
    """An ambassador."""
    return TeamMember(
        ambassador_id=f"amb{number}", person_id=f"person{number}", name=f"Ada{number} Botschaft", language=language,
        email=f"ada{number}@betrieb.example", company_name="Musterwerk Siegerland (Demo)", answer=answer,
    )  # fmt: skip


def visit(state: str = "confirmed", version: int = 1, starts: datetime = STARTS, **changes: Any) -> VisitFacts:
    """A visit at a school that does not exist; `chosen` unless it is only requested."""
    days = (starts, starts + timedelta(days=1))
    hour = timedelta(hours=1)
    dates = [VisitDate(starts_local=day, ends_local=day + hour, zone="Europe/Berlin") for day in days]
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
        "version": version,
    }
    return VisitFacts(**{**facts, **changes})


def visit_said(message: type[outreach.VisitMessage], facts: VisitFacts, now: datetime = NOW) -> Any:
    """The message `message` about a visit."""
    return message.about(f"visit:{facts.visit_id}", facts.version, now=now, visit=facts)


def coordinator(number: int = 1, version: int = 1, **changes: Any) -> PersonChanged:
    """A coordinator entered."""
    facts: dict[str, Any] = {
        "person_id": f"coordinator{number}",
        "name": f"Kora{number} Koordination",
        "email": f"kora{number}@agentur.example",
        "language": "de",
        "roles": [Role(kind="coordinator", organisation_id="agency")],
        "session_epoch": 1,
        "active": True,
    }
    return PersonChanged.about(f"person:coordinator{number}", version, now=NOW, **{**facts, **changes})


def sign_in_requested(number: int = 1, now: datetime = NOW, **changes: Any) -> SignInRequested:
    """Somebody asked for a sign-in mail."""
    facts: dict[str, Any] = {
        "person_id": "person1",
        "email": "tessa@schule.example",
        "name": "Tessa Muster",
        "language": "de",
        "token": f"token-{number}",
        "code": "482913",
        "expires_at": now + timedelta(minutes=15),
    }
    return SignInRequested.about(f"sign-in:{number}", number, now=now, **{**facts, **changes})
