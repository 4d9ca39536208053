"""Changing what is known of a person: name, address, phone and the language of the mails."""

from datetime import datetime
from typing import Literal

from pydantic import EmailStr

from services.outreach.domain.common import Command, Line, OptionalLine
from services.outreach.domain.people import Person, PersonNotFound, email_key
from services.outreach.store import people as stored
from services.outreach.store.core import Store
from shared.auth import Identity
from shared.errors import Conflict
from shared.log import correlation_id
from shared.mongo import AlreadyThere, Session


class AddressTaken(Conflict):
    """Somebody else has this e-mail address already."""

    field = "email"


class ChangePersonFacts(Command):
    """A person's facts as they shall be."""

    name: Line
    email: EmailStr
    phone: OptionalLine = ""
    language: Literal["de", "en"] = "de"


async def change_person_facts(
    store: Store, identity: Identity, person_id: str, command: ChangePersonFacts, *, now: datetime, request_id: str
) -> Person:
    """The person with other facts; another address ends every session. PersonNotFound, AddressTaken."""
    identity.must_coordinate()

    async def work(session: Session) -> Person:
        person = await store.get("people", Person, person_id, session)
        if person is None or not person.active:
            raise PersonNotFound
        if person.last_request_id == request_id:
            return person
        other = await stored.by_email(store, command.email, session)
        if other and other.id != person_id:
            raise AddressTaken
        moved = email_key(command.email) != email_key(person.email)
        epoch = {"session_epoch": person.session_epoch + 1} if moved else {}
        changed = person.changed(request_id, **command.model_dump(), **epoch)
        messages = [changed.message(now, correlation_id.get())]
        await store.save("people", changed, messages, session, email_key=email_key(command.email))
        return changed

    try:
        return await store.transaction(work)
    except AlreadyThere as error:
        raise AddressTaken from error
