"""Mails to pupils and parents: planned like all others, and checked against the consents at the moment of sending."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.notify import consent, domain, mails, timing
from services.notify.consent import ClassLink, Participant
from services.notify.domain import Delivery, Known
from services.notify.usecases.context import Context
from services.notify.usecases.planner import Planner
from services.notify.usecases.tokens import Action
from shared.mongo import Session
from shared.schemas.events import RegistrationFacts

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are mixed up when somebody types a link from paper
LINK_LETTERS = 16
CALLED_OFF = ("cancelled", "declined", "expired")
LEADS_TO: dict[str, Action] = {"parent_question": "parent", "pupil_confirmation": "confirm"}


def about(participant: Participant) -> str:
    """What deliveries to this participant, or to the parent, are about."""
    return f"participant:{participant.id}"


def new_secret() -> str:
    """The random end of a class link."""
    return "".join(secrets.choice(LETTERS) for _ in range(LINK_LETTERS))


async def replan_for_pupils(context: Context, facts: RegistrationFacts, *, now: datetime, session: Session) -> None:
    """A registration or its date changed: make the class link, move or cancel the pupils' reminders.

    When the visit was called off, what is known of pupils goes soon, not only after the date it would have had."""
    store, slot = context.store, facts.slot
    expected = facts.state == "confirmed" and slot.state == "open"
    gone_at = store.pupils_gone_at(slot.ends_local, slot.zone)
    if slot.state != "open" or facts.state in CALLED_OFF:
        gone_at = min(gone_at, now + consent.CALLED_OFF_KEPT)
    link = await store.class_links.of_registration(facts.registration_id, session)
    if link is None:
        if expected:
            await store.class_links.add(ClassLink(facts.registration_id, new_secret(), True), gone_at, session)
        return
    await store.class_links.keep_until(facts.registration_id, gone_at, session)
    if not link.taken:
        return
    await store.participants.keep_until(facts.registration_id, gone_at, session)
    everybody = await store.participants.of_registration(facts.registration_id, session)
    keep = slot.revision if expected else None
    await store.deliveries.cancel_waiting([about(each) for each in everybody], "pupil_reminder", session, keep)
    if expected:
        await plan_reminders(context, facts, everybody, now=now, session=session)


async def plan_reminders(
    context: Context, facts: RegistrationFacts, participants: Sequence[Participant], *, now: datetime, session: Session
) -> None:
    """The reminders of all who have every consent; those that are planned already stay as they are.

    Who began anew with the consents gets new ones: the former were cancelled then, and stay so."""
    slot = facts.slot
    off = timing.off_days("pupil", await context.store.copies.movable_days(facts.school_id, session))
    times = timing.reminder_times(slot.starts_local, slot.zone, consent.OFFSETS, now, off, context.quiet)
    starts, content = domain.instant(slot.starts_local, slot.zone), _content(facts)
    for participant in participants:
        if participant.state != "confirmed" or not participant.complete:
            continue
        planner = _planner(context, participant, facts, now)
        again = f":{participant.rounds}" if participant.rounds > 1 else ""
        for letter in mails.pupil_reminder(participant):
            for offset, due_at in times:
                key = f"{letter.kind}:{participant.id}:{slot.revision}:{offset}{again}"
                planner.add_reminder(letter, key, content, due_at, starts, participant.version, slot.revision)
        await planner.write(session)


async def plan_question(
    context: Context, facts: RegistrationFacts, participant: Participant, *, now: datetime, session: Session
) -> None:
    """The mail that this participant's state asks for: to the parent, or to the pupil: please confirm, or welcome."""
    planner = _planner(context, participant, facts, now)
    over = domain.instant(facts.slot.starts_local, facts.slot.zone)
    ends = over if participant.state == "confirmed" else participant.question_ends_at
    for letter in mails.pupil_question(participant):
        key = f"{letter.kind}:{participant.id}:{participant.version}"
        gives_up_at = min(now + domain.TRANSITION_HORIZON, ends)
        planner.add(letter, key, _content(facts), gives_up_at=gives_up_at, keep_facts=False)
    await planner.write(session)


async def known_of_participant(context: Context, delivery: Delivery) -> Known | None:
    """What decides whether a mail to a pupil or parent may go out: every consent, the address, the registration."""
    participant = await _participant(context, delivery)
    if participant is None:
        return None
    registration = await context.store.copies.known(f"registration:{participant.registration_id}")
    if registration is None:
        return None
    address = participant.parent_email if delivery.to.role == "parent" else participant.email
    true = registration.state == "confirmed" and address == delivery.to.email
    return Known(participant.standing if true else "over", participant.version, registration.revision)


async def facts_for(context: Context, delivery: Delivery) -> dict[str, Any] | None:
    """What such a mail is written from, the link in it included; None when the participant is gone."""
    participant = await _participant(context, delivery)
    copy = await context.store.copies.registration(participant.registration_id) if participant else None
    if participant is None or copy is None:
        return None
    path = context.tokens.path(LEADS_TO.get(delivery.kind, "mine"), participant)
    facts = await context.store.copies.with_newest_slot(copy.facts)
    own = {"first_name": participant.first_name, "under_16": participant.under_16, "path": path}
    return {**_content(facts), "participant": own}


async def _participant(context: Context, delivery: Delivery) -> Participant | None:
    return await context.store.participants.get(delivery.about.partition(":")[2])


def _planner(context: Context, participant: Participant, facts: RegistrationFacts, now: datetime) -> Planner:
    gone_at = context.store.pupils_gone_at(facts.slot.ends_local, facts.slot.zone)
    return Planner(context, about(participant), now, gone_at)


def _content(facts: RegistrationFacts) -> dict[str, Any]:
    return {"registration": facts.model_dump(mode="json")}
