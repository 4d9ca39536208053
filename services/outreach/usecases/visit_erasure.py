"""Erasure of what is personal in visits: contacts after the campaign's end, ambassadors with the person or the role."""

from contextlib import suppress
from datetime import datetime

from services.outreach.domain.ambassadors import Ambassador
from services.outreach.domain.people import Person
from services.outreach.store import visits as stored
from services.outreach.store.core import Store
from services.outreach.usecases.visit_proposals import withdraw_member
from shared.errors import RuleBroken
from shared.mongo import Session
from shared.ui.language import translate

AT_ONCE = 200
NO_LONGER = "An ambassador of the team no longer takes part."


async def erase_visit_contacts(store: Store, now: datetime) -> int:
    """Blank contacts and reasons of the visits whose day has come; returns how many visits."""
    await stored.refresh_erasure(store)
    count = 0
    for visit in await stored.due_for_erasure(store, now, AT_ONCE):
        try:
            await store.transaction(lambda session, visit=visit: stored.erase_contact(store, visit, session))
        except RuleBroken:  # somebody changed this visit in this moment: looked at again in an hour
            continue
        count += 1
    return count


async def forget_erased_ambassadors(store: Store, now: datetime) -> int:
    """Forget ambassadors whose person has been erased or lost the role, and free the visits that count on them;
    returns how many."""
    count = 0
    for ambassador in await stored.without_person(store, AT_ONCE):
        try:
            await _forget(store, ambassador, now)
        except RuleBroken:  # somebody changed one of the visits in this moment: looked at again in an hour
            continue
        count += 1
    return count


async def forget_former(store: Store, person_id: str, now: datetime) -> None:
    """The same at once for this person, should it be an ambassador without the role; the hourly worker repeats it."""
    held = await stored.ambassador_of(store, person_id)
    if held and not held.as_person(await store.get("people", Person, person_id)).active:
        with suppress(RuleBroken):
            await _forget(store, held, now)


async def free_visits(store: Store, ambassador: Ambassador, now: datetime) -> None:
    """Decline or call off what still counts on an ambassador who no longer takes part; school and team are told."""
    for visit in await stored.of_ambassador(store, ambassador.id):
        member = visit.member_of(ambassador.person_id)
        if member:
            await withdraw_member(store, visit, member, translate(NO_LONGER, visit.contact.language), now)


async def _forget(store: Store, ambassador: Ambassador, now: datetime) -> None:
    await free_visits(store, ambassador, now)

    async def work(session: Session) -> None:
        current = await store.get("ambassadors", Ambassador, ambassador.id, session)
        person = await store.get("people", Person, ambassador.person_id, session)
        if current is None or (current.active and current.as_person(person).active):
            return
        there = person is not None and person.active  # whose name stays in what was said until the person is erased
        await store.save("ambassadors", current.forgotten("erasure"), session=session, named_still=there)
        if not there:
            await stored.erase_member(store, current, session)

    await store.transaction(work)
