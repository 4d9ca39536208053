"""Erasure of what is personal in visits: contacts after the campaign's end, ambassadors with the person or the role."""

from collections.abc import Sequence
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
    if held and held.as_person(await store.get("people", Person, person_id)) != held:
        with suppress(RuleBroken):
            await _forget(store, held, now)


async def free_visits(store: Store, ambassador: Ambassador, now: datetime, staying: Sequence[str] = ()) -> None:
    """Decline or call off what still counts on an ambassador who no longer takes part, but for the companies `staying`;
    school and team are told."""
    for visit in await stored.of_ambassador(store, ambassador.id):
        member = visit.member_of(ambassador.person_id)
        if member and member.company_id not in staying:
            await withdraw_member(store, visit, member, translate(NO_LONGER, visit.contact.language), now)


async def _forget(store: Store, ambassador: Ambassador, now: datetime) -> None:
    present = ambassador.as_person(await store.get("people", Person, ambassador.person_id))
    await free_visits(store, ambassador, now, present.companies if present.active else ())

    async def work(session: Session) -> None:
        current = await store.get("ambassadors", Ambassador, ambassador.id, session)
        person = await store.get("people", Person, ambassador.person_id, session)
        if current is None or await _goes_on(store, current, person, session):
            return
        there = person is not None and person.active  # whose name stays in what was said until the person is erased
        await store.save("ambassadors", current.forgotten("erasure"), session=session, named_still=there)
        if not there:
            await stored.erase_member(store, current, session)

    await store.transaction(work)


async def _goes_on(store: Store, ambassador: Ambassador, person: Person | None, session: Session) -> bool:
    """Whether there is a company left for which this ambassador visits schools; the others leave the record."""
    present = ambassador.as_person(person)
    if not (ambassador.active and present.active):
        return False
    if present != ambassador:
        await store.save("ambassadors", present.changed("left"), session=session)
    return True
