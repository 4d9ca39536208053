"""Schools: found by words, compared and written in bulk."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pymongo import UpdateOne

from services.outreach.domain.common import ChangedMeanwhile, searchable
from services.outreach.domain.schools import School
from services.outreach.school_register import School as RegisterSchool
from services.outreach.store.core import Store, from_document, to_document, with_words
from services.outreach.store.remembered import note_changed
from shared import outbox
from shared.mongo import Document, Session
from shared.schemas.base import Message
from shared.tally import changed_again


async def register_entries(store: Store) -> Mapping[str, RegisterSchool]:
    """What the register said of every known school, by id."""
    return {row["_id"]: from_document(School, row).register_entry() async for row in store.db.schools.find()}


async def by_ids(store: Store, ids: list[str], session: Session | None = None) -> dict[str, School]:
    """Those of the schools `ids` that are known."""
    rows = store.db.schools.find({"_id": {"$in": ids}}, session=session)
    return {row["_id"]: from_document(School, row) async for row in rows}


async def write_many(
    store: Store, created: Sequence[School], changed: Sequence[School], messages: Sequence[Message], session: Session
) -> None:
    """Write new schools and next versions with their messages, in one transaction."""
    if created:
        await store.db.schools.insert_many([document(school) for school in created], session=session)
    if changed:
        updates = [
            UpdateOne({"_id": school.id, "version": school.version - 1}, {"$set": document(school)})
            for school in changed
        ]
        written = await store.db.schools.bulk_write(updates, ordered=False, session=session)
        if written.matched_count < len(changed):
            raise ChangedMeanwhile
        visited = {"school_id": {"$in": [school.id for school in changed]}}  # they count in its district and type
        await store.db.visits.update_many(visited, {"$set": changed_again()}, session=session)
    await note_changed(store.db, session)
    await outbox.add(store.db, messages, session)


async def past_their_last_day(store: Store, today: date) -> list[School]:
    """Open schools whose last day lies before `today`."""
    rows = store.db.schools.find({"open": True, "closes_on": {"$ne": None, "$lt": today.isoformat()}})
    return [from_document(School, row) async for row in rows]


def matching(district: str | None, school_type: str | None, q: str) -> Document:
    """The query for schools of a district and type in which every word of `q` occurs."""
    where: dict[str, Any] = {}
    if district:
        where["district_ags"] = district
    if school_type:
        where["school_type"] = school_type
    if words := searchable(q).casefold().split():
        where["$and"] = [{"search": {"$regex": re.escape(word)}} for word in words]
    return where


def document(school: School) -> Document:
    """The school's document, with the text in which searches look."""
    return {**with_words("schools", to_document(school)), "search": school.search}
