"""Erasure of what is personal in visits: contacts after the campaign's end, ambassadors with the person."""

from datetime import datetime

from services.outreach.domain.ambassadors import Ambassador
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
    """Forget ambassadors whose person has been erased, and free the visits that count on them; returns how many."""
    count = 0
    for ambassador in await stored.without_person(store, AT_ONCE):
        await _forget(store, ambassador, now)
        count += 1
    return count


async def _forget(store: Store, ambassador: Ambassador, now: datetime) -> None:
    for visit in await stored.of_ambassador(store, ambassador.id):
        member = visit.member_of(ambassador.person_id)
        if member:
            await withdraw_member(store, visit, member, translate(NO_LONGER, visit.contact.language), now)

    async def work(session: Session) -> None:
        current = await store.get("ambassadors", Ambassador, ambassador.id, session)
        if current:
            await store.save("ambassadors", current.forgotten("erasure"), session=session)
            await stored.erase_member(store, current, session)

    await store.transaction(work)
