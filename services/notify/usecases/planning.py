"""From a message to deliveries: the note that it was handled, the own copy and the mails are one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.notify import domain, mails
from services.notify.domain import Letter, VisitCopy
from services.notify.mails import RegistrationCase, VisitCase
from services.notify.store.copies import RegistrationCopy
from services.notify.usecases.contacts import hand_over
from services.notify.usecases.context import Context
from services.notify.usecases.planner import Planner, cause_of
from services.notify.usecases.pupil_mails import replan_for_pupils
from services.notify.usecases.reminders import plan_slot_reminders, plan_visit_reminders
from services.notify.usecases.webhook_calls import plan_calls
from shared import inbox
from shared.mongo import Session
from shared.schemas.base import Message
from shared.schemas.events import RegistrationFacts, RegistrationMessage, SlotFacts, SlotMoved
from shared.schemas.outreach import ColleagueInvited, SignInRequested, VisitDate, VisitFacts, VisitMessage, VisitMoved

LIVE = ("requested", "waitlisted", "offered", "confirmed")
VISIT_PATIENCE = 12  # a team member's yes raises the version, and only the last one is told
SIGN_IN_KEPT = timedelta(days=7)
FIRST = 1  # the version in which a registration is heard of for the first time: nothing was planned before
Effect = Callable[[Session], Awaitable[None]]
RegistrationMail = Callable[[RegistrationCase], list[Letter]]
VisitMail = Callable[[VisitCase], list[Letter]]


async def plan_sign_in(context: Context, message: SignInRequested, *, now: datetime) -> None:
    """Plan the sign-in mail; it is worthless when the link has expired."""
    facts = {"token": message.token, "code": message.code, "expires_at": message.expires_at.isoformat()}

    async def effect(session: Session) -> None:
        about = f"person:{message.person_id}"
        planner = Planner(context, about, now, now + SIGN_IN_KEPT, cause_of(message))
        for letter in mails.sign_in(message):
            key = domain.sign_in_key(message.id)
            planner.add(letter, key, facts, due_at=now, gives_up_at=message.expires_at)
        await planner.write(session)

    await _once(context, message.id, message, effect, now)


async def plan_invitation(context: Context, message: ColleagueInvited, *, now: datetime) -> None:
    """Plan the mail that invites somebody; it is worthless when the invitation has expired, and then it is erased."""
    facts = {
        "organisation": message.organisation_name,
        "invited_by": message.invited_by,
        "task": message.kind,
        "token": message.token,
        "expires_at": message.expires_at.isoformat(),
    }

    async def effect(session: Session) -> None:
        planner = Planner(context, f"invitation:{message.invitation_id}", now, message.expires_at, cause_of(message))
        for letter in mails.invitation(message):
            planner.add(letter, domain.invitation_key(message.invitation_id), facts, gives_up_at=message.expires_at)
        await planner.write(session)

    await _once(context, message.id, message, effect, now)


async def plan_for_registration(
    context: Context, message: RegistrationMessage, mail: RegistrationMail, *, now: datetime
) -> None:
    """Keep the registration and plan its transition's mails and reminders.

    A message older than the copy changes nothing: its mails are recorded as cancelled, `superseded`.
    """

    async def effect(session: Session) -> None:
        copies = context.store.copies
        slot = await copies.newest_slot(message.registration.slot, session)
        contact = await context.store.former_addresses.contact(message.registration.contact, session)
        facts = message.registration.model_copy(update={"slot": slot, "contact": contact})
        before, held = await copies.held_registration(facts.registration_id, session)
        inbox.in_turn(held, facts.version)
        outdated = facts.version < held
        case = RegistrationCase(facts, before.company_knows if before else False)
        after = before if outdated else _registration_after(before, facts, message.occurred_at)
        erase_after = copies.erase_after(slot.ends_local, slot.zone)
        planner = Planner(context, _about(facts), now, erase_after, cause_of(message), first=not held)
        await _plan_registration(planner, mail(case), facts, before, None if outdated else after, session)

    first = message.registration.version == FIRST
    await _once_in_turn(context, message.registration.slot, message, effect, now, with_others=first)


async def plan_for_moved_slot(context: Context, message: SlotMoved, *, now: datetime) -> None:
    """Tell everyone on the slot who does not know its newest date yet, and move the reminders."""

    async def effect(session: Session) -> None:
        copies = context.store.copies
        slot = await copies.newest_slot(message.slot, session)
        for copy in await copies.registrations_of(slot.slot_id, LIVE, session):
            if copy.told < message.slot.revision:
                await _plan_slot_moved(context, copy, slot, message, now, session)

    await _once_in_turn(context, message.slot, message, effect, now)


async def plan_for_visit(context: Context, message: VisitMessage, mail: VisitMail, *, now: datetime) -> None:
    """Keep the visit and plan its transition's mails and reminders; an older message only leaves a trace."""

    async def effect(session: Session) -> None:
        copies = context.store.copies
        contact = await context.store.former_addresses.contact(message.visit.contact, session)
        facts = message.visit.model_copy(update={"contact": contact})
        before, held = await copies.held_visit(facts.visit_id, session)
        inbox.in_turn(held, facts.version, VISIT_PATIENCE)
        outdated = facts.version < held
        case = VisitCase(facts, tuple(await copies.coordinators(session)))
        after = before if outdated else _visit_after(before, facts)
        dates = [facts.chosen] if facts.chosen else facts.alternatives
        erase_after = max(copies.erase_after(date.ends_local, date.zone) for date in dates)
        planner = Planner(context, f"visit:{facts.visit_id}", now, erase_after, cause_of(message))
        previous = before.facts.chosen if before and isinstance(message, VisitMoved) else None
        await _plan_visit(planner, mail(case), case, after, previous, outdated, session)

    await _once(context, message.visit.visit_id, message, effect, now)


async def keep_slot(context: Context, message: Message, slot: SlotFacts, *, now: datetime) -> None:
    """Keep what is said of a slot, when it is the newest."""
    await _once_in_turn(
        context, slot, message, lambda session: _ignore(context.store.copies.newest_slot(slot, session)), now
    )


async def _once_in_turn(
    context: Context, slot: SlotFacts, message: Message, effect: Effect, now: datetime, with_others: bool = False
) -> None:
    """Those about one slot one after the other; those that make a slot known, within its offer, which they write.

    `with_others` when the effect can share a transaction with others that come at the same time, also about one slot.
    """
    known = await context.store.copies.knows(slot)
    if known and with_others:
        if await context.store.inbox.once(message, _with_calls(context, message, effect, now)):
            context.store.deliveries.planned()
    elif known:
        await _once(context, slot.slot_id, message, effect, now)
    else:
        async with context.turns.of(f"offer:{slot.offer.offer_id}"):
            await _once(context, slot.slot_id, message, effect, now)


async def _once(context: Context, thing: str, message: Message, effect: Effect, now: datetime) -> None:
    """Run `effect` in one transaction with the note that the message was handled, and with what webhooks are told."""
    async with context.turns.of(thing):
        if await inbox.once(context.store.db, message, "mails", _with_calls(context, message, effect, now)):
            context.store.deliveries.planned()


def _with_calls(context: Context, message: Message, effect: Effect, now: datetime) -> Effect:
    async def with_calls(session: Session) -> None:
        await effect(session)
        await plan_calls(context, message, now=now, session=session)

    return with_calls


async def _ignore(work: Any) -> None:
    await work


def _about(facts: RegistrationFacts) -> str:
    return f"registration:{facts.registration_id}"


def _registration_after(
    before: RegistrationCopy | None, facts: RegistrationFacts, said_at: datetime
) -> RegistrationCopy:
    if before is None:
        return RegistrationCopy(facts, told=facts.slot.revision, since=said_at)
    return replace(before, facts=facts)


def _visit_after(before: VisitCopy | None, facts: VisitFacts) -> VisitCopy:
    if before is None:
        return VisitCopy(facts, revision=facts.version)
    same_date = before.facts.chosen == facts.chosen and before.facts.state == facts.state
    return replace(before, facts=facts, revision=before.revision if same_date else facts.version)


async def _plan_registration(
    planner: Planner,
    letters: list[Letter],
    facts: RegistrationFacts,
    before: RegistrationCopy | None,
    after: RegistrationCopy | None,
    session: Session,
) -> None:
    def key(letter: Letter) -> str:
        return domain.registration_key(letter.kind, facts.registration_id, facts.version, letter.to)

    # At once, or by accepting offered places; else somebody approved or moved the group up.
    own_act = before is None or before.facts.state == "offered"
    content = {"registration": facts.model_dump(mode="json"), "own_act": own_act}
    based_on = {"based_on": facts.version, "revision": facts.slot.revision}
    if after is None:
        planner.add_superseded(letters, key, content, **based_on)
    else:
        entries = hand_over(planner, before, facts, letters) if before else after.calendar
        entries = planner.add_all(letters, key, content, entries, **based_on, gives_up_at=facts.answer_until)
        told_company = after.company_knows or any(letter.to.role == "company" for letter in letters)
        after = replace(after, calendar=entries, company_knows=told_company)
        await planner.copies.put_registrations([after], session)
        await plan_slot_reminders(planner, facts, session)
        await replan_for_pupils(planner.context, facts, now=planner.now, session=session)
    await planner.write(session)


async def _plan_slot_moved(
    context: Context, copy: RegistrationCopy, slot: SlotFacts, message: SlotMoved, now: datetime, session: Session
) -> None:
    facts = copy.facts.model_copy(update={"slot": slot})
    erase_after = context.store.copies.erase_after(slot.ends_local, slot.zone)
    planner = Planner(context, _about(facts), now, erase_after, cause_of(message))
    before = VisitDate(
        starts_local=message.previous_starts_local, ends_local=message.previous_ends_local, zone=slot.zone
    )
    content = {
        "registration": facts.model_dump(mode="json"),
        "previous": before.model_dump(mode="json"),
        "reason": message.reason,
    }
    letters = mails.slot_moved(RegistrationCase(facts, copy.company_knows))
    entries = planner.add_all(
        letters,
        lambda letter: domain.slot_moved_key(facts.registration_id, slot.revision, letter.to),
        content,
        hand_over(planner, copy, facts, letters),
        based_on=facts.version,
        revision=slot.revision,
    )
    told = replace(copy, facts=facts, told=slot.revision, calendar=entries)
    await planner.copies.put_registrations([told], session)
    await plan_slot_reminders(planner, facts, session)
    await replan_for_pupils(context, facts, now=now, session=session)
    await planner.write(session)


async def _plan_visit(
    planner: Planner,
    letters: list[Letter],
    case: VisitCase,
    after: VisitCopy | None,
    previous: VisitDate | None,
    outdated: bool,
    session: Session,
) -> None:
    facts = case.facts

    def key(letter: Letter) -> str:
        return domain.visit_key(letter.kind, facts.visit_id, facts.version, letter.to)

    content: dict[str, Any] = {"visit": facts.model_dump(mode="json")}
    content |= {"previous": previous.model_dump(mode="json")} if previous else {}
    if outdated or after is None:
        planner.add_superseded(letters, key, content, based_on=facts.version, revision=facts.version)
    else:
        based_on = {"based_on": facts.version, "revision": after.revision}
        entries = planner.add_all(letters, key, content, after.calendar, **based_on)
        await planner.copies.put_visit(replace(after, calendar=entries), session)
        await plan_visit_reminders(planner, case, after.revision, session)
    await planner.write(session)
