"""What people do with their own account: facts, sessions, the names of where they belong."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.outreach.domain.common import ChangedMeanwhile
from services.outreach.domain.people import ChangeOwnFacts, Person
from services.outreach.store.core import Store
from services.outreach.store.people import organisation_names
from services.outreach.usecases.people import active_person
from shared.auth import SESSION_SECONDS, session_id
from shared.errors import NotAllowed
from shared.identity import Identity
from shared.ids import derived_id, random_id
from shared.log import correlation_id

TRIES = 3


async def change_own_facts(
    store: Store, identity: Identity, command: ChangeOwnFacts, *, now: datetime, request_id: str
) -> Person:
    """The person who asks, with another name, telephone and language of mails. ChangedMeanwhile."""
    facts = command.model_dump()
    return await _change(store, identity, lambda person: person.changed(request_id, **facts), now, request_id)


async def sign_out(store: Store, identity: Identity, *, now: datetime) -> Person:
    """End the one session with which the person asks, for every service; each session ends once."""
    until = now + timedelta(seconds=SESSION_SECONDS)
    session = session_id(identity.csrf)
    request_id = derived_id("sign-out", session)
    return await _change(
        store, identity, lambda person: person.signed_out(session, until, now, request_id), now, request_id
    )


async def sign_out_everywhere(store: Store, identity: Identity, *, now: datetime, request_id: str) -> Person:
    """End every session of the person who asks; a program has none (NotAllowed)."""
    return await _change(store, identity, lambda person: person.signed_out_everywhere(request_id), now, request_id)


async def refresh_names(store: Store, person: Person, *, now: datetime) -> None:
    """Schools and companies get other names: whoever signs in has the present ones."""
    names = await organisation_names(store, [person])
    changed = person.named(names, random_id())
    if changed is person:
        return
    try:
        await store.save("people", changed, [changed.message(now, correlation_id.get())])
    except ChangedMeanwhile:  # the next sign-in does it
        return


async def _change(
    store: Store, identity: Identity, change: Callable[[Person], Person], now: datetime, request_id: str
) -> Person:
    if identity.kind != "person":
        raise NotAllowed
    for attempt in range(TRIES):
        person = await active_person(store, identity.id)
        if person.last_request_id == request_id:
            return person
        changed = change(person)
        try:
            await store.save("people", changed, [changed.message(now, correlation_id.get())])
        except ChangedMeanwhile:
            if attempt == TRIES - 1:
                raise
            continue
        return changed
    raise AssertionError("unreachable")
