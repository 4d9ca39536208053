"""People: found by address, by organisation or name; erased with everything that was said of them."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.outreach.domain.common import searchable
from services.outreach.domain.people import Person, aggregate, email_key
from services.outreach.store import invitations, organisations
from services.outreach.store.core import Store, from_document
from shared.mongo import Document, Session
from shared.schemas.base import Message


async def by_email(store: Store, email: str, session: Session | None = None) -> Person | None:
    """The active person with this address, whatever its case."""
    found = await store.db.people.find_one({"email_key": email_key(email), "active": True}, session=session)
    return from_document(Person, found) if found else None


async def insert(store: Store, person: Person, messages: Sequence[Message], session: Session | None = None) -> None:
    """Write a new person; AlreadyThere when the id or the address is taken."""
    await store.insert("people", person, messages, session, email_key=email_key(person.email))


async def erase(store: Store, erased: Person, email: str, messages: Sequence[Message], session: Session) -> None:
    """Write the erased person, who had the address `email`; it also leaves what was said before, sign-in mails,
    invitations and feedback."""
    await store.db.people.update_one({"_id": erased.id}, {"$unset": {"email_key": ""}}, session=session)
    said = {"aggregate": aggregate(erased.id)}
    blank = {"$set": {"wire.data.name": "", "wire.data.email": ""}}
    await store.db.outbox.update_many(said, blank, session=session)
    await store.db.sign_ins.delete_many({"person_id": erased.id}, session=session)
    await invitations.erase_person(store, erased.id, email_key(email), session)
    await store.db.outbox.update_many(
        {"subject": "outreach.SignInRequested.v1", "wire.data.person_id": erased.id}, SIGN_IN_BLANK, session=session
    )
    wrote = {"email": {"$regex": f"^{re.escape(email)}$", "$options": "i"}}
    await store.db.feedback.update_many(wrote, {"$set": {"name": "", "email": ""}}, session=session)
    await store.save("people", erased, messages, session)


SIGN_IN_BLANK = {"$set": {f"wire.data.{name}": "" for name in ("name", "email", "token", "code")}}


async def other_coordinators(store: Store, person_id: str, session: Session | None = None) -> bool:
    """Whether somebody else coordinates too."""
    others = {"_id": {"$ne": person_id}, "active": True, "roles.kind": "coordinator"}
    return await store.db.people.find_one(others, {"_id": 1}, session=session) is not None


async def note_use(store: Store, person_id: str, now: datetime) -> None:
    """Somebody signed in: the day of erasure moves on. No new version, for nobody else needs to know."""
    await store.db.people.update_one(
        {"_id": person_id, "active": True, "roles.0": {"$exists": True}},
        {"$max": {"erase_after": now + store.keep_people}},
    )


async def due_for_erasure(store: Store, now: datetime, most: int) -> list[Person]:
    """Up to `most` people whose day of erasure has come."""
    rows = await store.db.people.find({"active": True, "erase_after": {"$lte": now}}).limit(most).to_list(most)
    return [from_document(Person, row) for row in rows]


def matching(organisation_id: str | None, q: str) -> Document:
    """The query for active people of an organisation, whose name or address holds `q`."""
    where: dict[str, Any] = {"active": True}
    if organisation_id:
        where["roles.organisation_id"] = organisation_id
    if wanted := searchable(q):
        pattern = {"$regex": re.escape(wanted), "$options": "i"}
        where["$or"] = [{"name": pattern}, {"email": pattern}]
    return where


async def organisation_names(store: Store, people: Sequence[Person]) -> dict[str, str]:
    """The names of the schools and companies in which `people` have roles, by id."""
    return await organisations.names(store, {role.organisation_id for person in people for role in person.roles})
