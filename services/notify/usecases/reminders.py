"""Which reminders there are of a date, planned with every message that may change them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from services.notify import domain, mails, timing
from services.notify.domain import Letter, Recipient
from services.notify.mails import RegistrationCase, VisitCase
from services.notify.usecases.contacts import hand_over
from services.notify.usecases.context import Context
from services.notify.usecases.planner import Planner, cause_of
from services.notify.usecases.pupil_mails import replan_for_pupils
from shared.mongo import Session, put_if_newer, transaction
from shared.offsets import DaysBefore, Offset, own_offsets
from shared.schemas.events import OfferChanged, OfferFacts, RegistrationFacts
from shared.schemas.outreach import CampaignChanged, SchoolChanged

KeyOf = Callable[[Offset, Recipient], str]


async def plan_slot_reminders(planner: Planner, facts: RegistrationFacts, session: Session) -> None:
    """Plan the reminders of the present date and offsets, and cancel all others; all when there are no places."""
    slot, context = facts.slot, planner.context
    letters = mails.slot_reminder(RegistrationCase(facts, True))
    if facts.state != "confirmed" or slot.state != "open":
        letters = []
    offsets = await _offsets(planner, slot.offer, session) if letters else ()
    movable = await planner.copies.movable_days(facts.school_id, session) if offsets else frozenset()

    def key(offset: Offset, to: Recipient) -> str:
        return domain.slot_reminder_key(facts.registration_id, slot.revision, offset, to)

    kept = [key(offset, letter.to) for letter in letters for offset in offsets]
    if not planner.first:
        await context.store.reminders.keep_only(planner.about, "slot_reminder", kept, session)
    content = {"registration": facts.model_dump(mode="json")}
    based_on = {"based_on": facts.version, "revision": slot.revision}
    await _add(planner, letters, key, offsets, movable, slot.starts_local, slot.zone, content, based_on, session)


async def _offsets(planner: Planner, offer: OfferFacts, session: Session) -> tuple[Offset, ...]:
    own = own_offsets(offer.reminders, offer.reminder_days)
    if own is not None:
        return own
    return timing.offsets_for(offer, await planner.copies.campaign_reminders(offer.campaign_id, session))


async def plan_visit_reminders(planner: Planner, case: VisitCase, revision: int, session: Session) -> None:
    """The same for a visit, as its version `revision` dates it."""
    facts, date_ = case.facts, case.facts.chosen
    letters = mails.visit_reminder(case) if facts.state == "confirmed" and date_ else []

    def key(offset: Offset, to: Recipient) -> str:
        return domain.visit_reminder_key(facts.visit_id, revision, offset, to)

    offsets = timing.visit_offsets(await planner.copies.campaign_reminders(facts.campaign_id, session))
    kept = [key(offset, letter.to) for letter in letters for offset in offsets]
    await planner.context.store.reminders.keep_only(planner.about, "visit_reminder", kept, session)
    if not letters or date_ is None:
        return
    movable = await planner.copies.movable_days(facts.school_id, session)
    content = {"visit": facts.model_dump(mode="json")}
    based_on = {"based_on": facts.version, "revision": revision}
    await _add(planner, letters, key, offsets, movable, date_.starts_local, date_.zone, content, based_on, session)


async def _add(
    planner: Planner,
    letters: Sequence[Letter],
    key: KeyOf,
    offsets: Iterable[Offset],
    movable: frozenset[date],
    starts_local: datetime,
    zone: str,
    content: dict[str, object],
    based_on: dict[str, int],
    session: Session,
) -> None:
    """Nobody is reminded twice of one date on one day, whatever the offset was called before."""
    starts, context = domain.instant(starts_local, zone), planner.context
    kind = letters[0].kind if letters else ""
    went: set[tuple[str, str]] = set()
    if kind and not planner.first:
        went = await context.store.reminders.days_of(planner.about, kind, based_on["revision"], session)
    for letter in letters:
        off = timing.off_days(letter.to.role, movable)
        for offset, due_at in timing.reminder_times(starts_local, zone, offsets, planner.now, off, context.quiet):
            day = timing.local_day(due_at, context.writer.zone) if isinstance(offset, DaysBefore) else ""
            if not day or (letter.to.email.strip().lower(), day) not in went:
                planner.add_reminder(letter, key(offset, letter.to), content, due_at, starts, day=day, **based_on)


async def keep_school(context: Context, message: SchoolChanged, *, now: datetime) -> None:
    """Keep a school's movable days, and plan the reminders of its dates anew when they have changed. Safe to repeat:
    the change counts as done when every date had its turn."""
    schools, id, copies = context.store.db.schools, message.school_id, context.store.copies
    days = sorted(day.isoformat() for day in message.movable_days)
    async with context.turns.of(f"school:{id}"):
        held = await schools.find_one({"_id": id}) or {"movable_days": []}
        same = sorted(held["movable_days"]) == days and held.get("planned", True)
        await put_if_newer(schools, id, message.aggregate_version, {"movable_days": days, "planned": same})
        found = await schools.find_one({"_id": id})
        if found is None or found.get("planned", True):
            return
        for slot_id in await copies.slots_of_school(id):
            await _replan_slot(context, slot_id, cause_of(message), now)
        for visit_id in await copies.visits_with("school_id", id):
            await _replan_visit(context, visit_id, cause_of(message), now)
        await schools.update_one({"_id": id, "version": found["version"]}, {"$set": {"planned": True}})


async def replan_for_campaign(context: Context, message: CampaignChanged, *, now: datetime) -> None:
    """Keep when a campaign reminds, and plan the reminders of its dates anew when that has changed. Safe to repeat:
    the change counts as done when every date had its turn."""
    copies = context.store.copies
    await copies.keep_campaign(message.campaign_id, message.reminders, message.aggregate_version)
    version = await copies.campaign_to_plan(message.campaign_id)
    if version is None:
        return
    for slot_id in await copies.slots_of_campaign(message.campaign_id):
        await _replan_slot(context, slot_id, cause_of(message), now)
    for visit_id in await copies.visits_with("campaign_id", message.campaign_id):
        await _replan_visit(context, visit_id, cause_of(message), now)
    await copies.campaign_planned(message.campaign_id, version)


async def replan_for_offer(context: Context, message: OfferChanged, *, now: datetime) -> None:
    """Plan the reminders of an offer's dates anew: it may remind at other times now, or somebody else."""
    for slot_id in await context.store.copies.slots_of(message.offer.offer_id):
        await _replan_slot(context, slot_id, cause_of(message), now)


async def _replan_slot(context: Context, slot_id: str, cause: str, now: datetime) -> None:
    """One transaction that also writes the slot, so that a registration handled at the same time comes before or
    after."""
    copies = context.store.copies

    async def work(session: Session) -> None:
        slot = await copies.slot(slot_id, session)
        if slot is None or domain.instant(slot.starts_local, slot.zone) <= now:
            return
        slot = await copies.newest_slot(slot, session)
        for copy in await copies.registrations_of(slot_id, ["confirmed"], session):
            facts = copy.facts.model_copy(update={"slot": slot})
            erase_after = copies.erase_after(slot.ends_local, slot.zone)
            planner = Planner(context, f"registration:{facts.registration_id}", now, erase_after, cause)
            entries = hand_over(planner, copy, facts)
            if facts != copy.facts:
                await copies.put_registrations([replace(copy, facts=facts, calendar=entries)], session)
            await plan_slot_reminders(planner, facts, session)
            await replan_for_pupils(context, facts, now=now, session=session)
            await planner.write(session)

    async with context.turns.of(slot_id):
        await transaction(context.store.db, work)
    context.store.deliveries.planned()


async def _replan_visit(context: Context, visit_id: str, cause: str, now: datetime) -> None:
    copies = context.store.copies

    async def work(session: Session) -> None:
        visit = await copies.visit(visit_id, session)
        if visit is None or visit.facts.chosen is None:
            return
        date_ = visit.facts.chosen
        if domain.instant(date_.starts_local, date_.zone) <= now:
            return
        await copies.look_at_visit(visit_id, session)
        erase_after = copies.erase_after(date_.ends_local, date_.zone)
        planner = Planner(context, f"visit:{visit_id}", now, erase_after, cause)
        await plan_visit_reminders(planner, VisitCase(visit.facts, ()), visit.revision, session)
        await planner.write(session)

    async with context.turns.of(visit_id):
        await transaction(context.store.db, work)
    context.store.deliveries.planned()
