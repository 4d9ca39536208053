"""Calendar feeds: what a person's calendar program fetches by a secret address. Rules and words; no I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.notify import domain, words
from services.notify.calendar import Entry
from services.notify.domain import CalendarEntries, CalendarPart, Recipient
from shared.errors import Conflict, NotFound
from shared.identity import Identity
from shared.region import career_fields
from shared.schemas.events import RegistrationFacts
from shared.schemas.outreach import Contact, VisitFacts

MINE = "me"
OF_ORGANISATIONS: tuple[Literal["teacher", "company"], ...] = ("teacher", "company")
NOBODY = Contact(name="", email="")


class FeedUnknown(NotFound):
    """This calendar address does not lead anywhere (any more)."""


class FeedChangedMeanwhile(Conflict):
    """This calendar address was changed meanwhile. Please look at it again."""


@dataclass(frozen=True)
class Feed:
    """One address of a person. `scope` is `me`, or `teacher-<id>` or `company-<id>` for an organisation's dates."""

    person_id: str
    scope: str
    secret: str
    version: int
    since: datetime

    @property
    def id(self) -> str:
        """A person has one address for each scope."""
        return feed_id(self.person_id, self.scope)


def feed_id(person_id: str, scope: str) -> str:
    """The id of a person's feed."""
    return f"{person_id}:{scope}"


def scopes_of(identity: Identity) -> list[str]:
    """The feeds that somebody may have: the own dates, and those of each school and company they act for."""
    organisations = [f"{kind}-{id}" for kind in OF_ORGANISATIONS for id in identity.organisations(kind)]
    return [MINE, *dict.fromkeys(organisations)]


Item = tuple[CalendarPart, Entry]


def of_registration(
    facts: RegistrationFacts, entries: CalendarEntries, role: Literal["teacher", "company"], domain_: str, language: str
) -> Item | None:
    """The entry of a registration as `role` was told it by mail; None when it never was. Nobody's name, address or
    telephone is in it, and no link."""
    to = _to(role, language)
    slot, offer = facts.slot, facts.slot.offer
    values = {
        "group": facts.group, "offer": offer, "company": offer.company_name, "school": facts.school_name,
        "teacher": NOBODY, "contact": NOBODY, "link": "", "address": words.address(offer.place),
    }  # fmt: skip
    part = _part(f"registration:{facts.registration_id}", to, entries, domain_)
    return (part, _entry(values, to, slot.starts_local, slot.ends_local, slot.zone)) if part else None


def of_visit(facts: VisitFacts, entries: CalendarEntries, to: Recipient, domain_: str) -> Item | None:
    """The same of a visit, to the school or to one ambassador."""
    visit = facts.model_copy(update={"contact": NOBODY})
    values = {"visit": visit, "field": career_fields(to.language).get(facts.field, facts.field), "link": ""}
    part = _part(f"visit:{facts.visit_id}", to, entries, domain_)
    if part is None or facts.chosen is None:
        return None
    return part, _entry(values, to, facts.chosen.starts_local, facts.chosen.ends_local, facts.chosen.zone)


def to_school(language: str) -> Recipient:
    """Whoever a school's entries are written for."""
    return _to("teacher", language)


def to_ambassador(ambassador_id: str, language: str) -> Recipient:
    """Whoever an ambassador's entries are written for."""
    return _to("ambassador", language, ambassador_id)


def _to(role: Literal["teacher", "company", "ambassador"], language: str, id: str = "") -> Recipient:
    return Recipient(role, "", "", "en" if language == "en" else "de", id)


def _part(about: str, to: Recipient, entries: CalendarEntries, domain_: str) -> CalendarPart | None:
    entry = entries.get(to.tag)
    if entry is None:
        return None
    return CalendarPart("REQUEST" if entry.live else "CANCEL", domain.calendar_uid(about, to, domain_), entry.sequence)


def _entry(values: words.Values, to: Recipient, starts: datetime, ends: datetime, zone: str) -> Entry:
    title, description, location = words.summary(values, to)
    told = "\n".join(line for line in description.splitlines() if line.strip())
    return Entry(domain.clean(title), told, domain.clean(location), "", starts, ends, zone)
