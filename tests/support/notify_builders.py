"""Messages as outreach and events say them, for tests of notify. All persons are made up."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.notify import samples
from services.notify.consent import Participant
from services.notify.samples import COMPANY, TEACHER, member, offer
from shared.schemas import events, outreach
from shared.schemas.events import RegistrationFacts, SlotFacts
from shared.schemas.outreach import ColleagueInvited, PersonChanged, Role, SignInRequested, VisitFacts

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
STARTS = datetime(2026, 12, 1, 9, 0)
__all__ = ["COMPANY", "TEACHER", "member", "offer"]


def slot(revision: int = 1, starts: datetime = STARTS, **changes: Any) -> SlotFacts:
    """Three hours at a company that does not exist."""
    return samples.slot(starts, **{"revision": revision, **changes})


def registration(state: str = "confirmed", version: int = 1, id: str = "reg1", **changes: Any) -> RegistrationFacts:
    """A class of 24 on that slot."""
    facts = {"registration_id": id, "version": version, **changes}
    return samples.registration(facts.pop("slot", None) or slot(), state, **facts)


def participant(state: Any = "confirmed", under_16: bool = False, **changes: Any) -> Participant:
    """A pupil of that class who asked to be reminded, with the consents that the state implies."""
    return samples.participant(NOW, state, under_16, **changes)


def said(message: type[events.RegistrationMessage], facts: RegistrationFacts, now: datetime = NOW) -> Any:
    """The message `message` about a registration."""
    return message.about(f"registration:{facts.registration_id}", facts.version, now=now, registration=facts)


def slot_moved(to: SlotFacts, previous: datetime = STARTS, reason: str = "Frühschicht", now: datetime = NOW) -> Any:
    """The slot has the date in `to`."""
    return events.SlotMoved.about(
        f"slot:{to.slot_id}", to.revision + 100, now=now, slot=to, previous_starts_local=previous,
        previous_ends_local=previous + timedelta(hours=3), reason=reason,
    )  # fmt: skip


def visit(state: str = "confirmed", version: int = 1, starts: datetime = STARTS, **changes: Any) -> VisitFacts:
    """A visit at a school that does not exist; `chosen` unless it is only requested."""
    return samples.visit(starts, state, **{"version": version, **changes})


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


def colleague_invited(now: datetime = NOW, **changes: Any) -> ColleagueInvited:
    """A teacher invited a colleague."""
    facts: dict[str, Any] = {
        "invitation_id": "invitation1",
        "kind": "teacher",
        "organisation_name": "Gesamtschule Musterstadt",
        "invited_by": "Tom Muster",
        "email": "tessa@schule.example",
        "name": "Tessa Muster",
        "language": "de",
        "token": "token-of-invitation",
        "expires_at": now + timedelta(days=14),
    }
    return ColleagueInvited.about("invitation:invitation1", 1, now=now, **{**facts, **changes})


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
