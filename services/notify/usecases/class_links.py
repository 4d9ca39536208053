"""What a teacher does with a class link: show it, print it, renew or close it, see who is on the list."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from services.notify import consent
from services.notify.consent import (
    ClassLink,
    Participant,
    ParticipantUnknown,
    RegistrationNotConfirmed,
    RegistrationUnknown,
)
from services.notify.usecases import pupil_mails
from services.notify.usecases.context import Context
from services.notify.usecases.participants import Visit, consent_of, forget, visit_of
from shared import mongo
from shared.auth import Identity
from shared.mongo import Session

Standing = Literal["comes", "no_reaction", "parent_asked", "pupil_asked", "unanswered", "failed", "cannot_come"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)


@dataclass(frozen=True)
class Entry:
    """One line of the list: no address. `standing` is what the teacher wants to know: whether the pupil comes, or why
    that is not known; `failed` is that a mail did not arrive."""

    id: str
    first_name: str
    standing: Standing


@dataclass(frozen=True)
class ClassList:
    """A registration's class link (`address` is empty while there is none that works), and who is on its list."""

    visit: Visit
    link: ClassLink | None
    address: str
    entries: list[Entry]
    room: int

    @property
    def reminded(self) -> int:
        """How many get the reminders."""
        return sum(entry.standing in ("comes", "no_reaction") for entry in self.entries)

    @property
    def counts(self) -> list[tuple[Standing, int]]:
        """How many there are of each standing; those that nobody has are left out."""
        found = Counter(entry.standing for entry in self.entries)
        return [(standing, found[standing]) for standing in STANDINGS if found[standing]]


async def show_class_list(context: Context, identity: Identity, registration_id: str, *, now: datetime) -> ClassList:
    """The class link and the list, for teachers of the school and coordinators. RegistrationUnknown, NotAllowed."""
    visit = await _visit(context, identity, registration_id, now)
    link = await context.store.class_links.of_registration(registration_id)
    people = await context.store.participants.of_registration(registration_id)
    failed = await context.store.deliveries.failed_among([pupil_mails.about(each) for each in people])
    works = link is not None and link.open and not visit.over
    address = context.tokens.class_link(link.secret) if link and works else ""
    entries = [_entry(each, pupil_mails.about(each) in failed, now) for each in people]
    return ClassList(visit, link, address, entries, consent.room(visit.facts.group.pupils))


async def renew_class_link(
    context: Context, identity: Identity, registration_id: str, version: int, *, now: datetime
) -> None:
    """Make the class link anew: the one before leads nowhere. Sent twice for the same `version`, it is made once.

    RegistrationNotConfirmed.
    """
    visit = await _visit(context, identity, registration_id, now)
    if visit.over:
        raise RegistrationNotConfirmed
    if await context.store.class_links.renew(registration_id, version, pupil_mails.new_secret()):
        return
    slot = visit.facts.slot
    fresh = ClassLink(registration_id, pupil_mails.new_secret(), True)
    await context.store.class_links.add(fresh, context.store.pupils_gone_at(slot.ends_local, slot.zone))


async def close_class_link(context: Context, identity: Identity, registration_id: str, *, now: datetime) -> None:
    """Nobody can ask any more; those on the list stay and are reminded."""
    await _visit(context, identity, registration_id, now)
    await context.store.class_links.close(registration_id)


async def show_entry(
    context: Context, identity: Identity, registration_id: str, participant_id: str, *, now: datetime
) -> Entry:
    """One line of the list; ParticipantUnknown."""
    found = await show_class_list(context, identity, registration_id, now=now)
    entry = next((each for each in found.entries if each.id == participant_id), None)
    if entry is None:
        raise ParticipantUnknown
    return entry


async def remove_entry(
    context: Context, identity: Identity, registration_id: str, participant_id: str, *, now: datetime
) -> None:
    """Take somebody off the list; everything about them is erased at once. A second time changes nothing."""
    visit = await _visit(context, identity, registration_id, now)
    participant = await context.store.participants.get(participant_id)
    if participant is None or participant.registration_id != registration_id:
        return
    withdrawn = consent_of(visit, "teacher", "withdrawn", participant.language, now)

    async def work(session: Session) -> None:
        await forget(context, participant, session, withdrawn)

    await mongo.transaction(context.store.db, work)


async def _visit(context: Context, identity: Identity, registration_id: str, now: datetime) -> Visit:
    visit = await visit_of(context, registration_id, now=now)
    if visit is None:
        raise RegistrationUnknown
    identity.must_act_for_school(visit.facts.school_id)
    return visit


def _entry(participant: Participant, failed: bool, now: datetime) -> Entry:
    return Entry(participant.id, participant.first_name, _standing(participant, failed, now))


def _standing(participant: Participant, failed: bool, now: datetime) -> Standing:
    if participant.cannot_come or participant.coming:
        return "cannot_come" if participant.cannot_come else "comes"
    if failed:
        return "failed"
    if participant.state == "confirmed":
        return "no_reaction"
    return "unanswered" if now >= participant.question_ends_at else participant.state
