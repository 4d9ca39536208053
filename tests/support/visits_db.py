"""A database of the service `outreach` with a campaign, schools, companies and ambassadors in it."""

from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

from services.outreach.domain.ambassadors import Ambassador
from services.outreach.domain.visit_commands import ProposeVisit
from services.outreach.domain.visit_dates import DateGiven
from services.outreach.domain.visits import Visit
from services.outreach.store import collections
from services.outreach.store.core import Store
from services.outreach.usecases import visit_proposals, visits
from shared.ids import random_id
from shared.mongo import database
from tests.support.visits import (
    COORDINATOR,
    NOW,
    ZONE,
    ambassador,
    campaign,
    company,
    limits,
    person_of,
    request,
    school,
)

OTHER_SCHOOL = school(id="100002", name="Andere Schule", short_name="Siegen, Andere")


@asynccontextmanager
async def visits_store(mongodb_url: str, name: str):
    """An empty store but for what visits refer to: ambassadors a and b of `works`, c of `other`; a takes one a week."""
    async with database(mongodb_url, name) as db:
        store = Store(db)
        await collections.prepare(store)
        for collection in await db.list_collection_names():  # ten times as fast as making all of them anew
            await db[collection].delete_many({})
        await fill(store)
        yield store


async def fill(store: Store) -> None:
    """Write what visits refer to."""
    for collection, found in (
        ("campaigns", [campaign()]),
        ("schools", [school(), OTHER_SCHOOL]),
        ("companies", [company("works"), company("other")]),
    ):
        for each in found:
            await store.insert(collection, each)
    await add_ambassadors(store, [ambassador("a"), ambassador("b"), ambassador("c", "other")])


async def add_ambassadors(store: Store, found: Sequence[Ambassador]) -> None:
    """Each with the person."""
    for who in found:
        person = person_of(who)
        await store.insert("people", person, email_key=person.email)
        await store.insert("ambassadors", who)


async def often(store: Store, ambassador_id: str, per_week: int = 7, per_campaign: int = 200) -> None:
    """Let an ambassador take many visits."""
    fields = {"limits": limits(per_week, per_campaign).model_dump()}
    await store.db.ambassadors.update_one({"_id": ambassador_id}, {"$set": fields})


async def asked(store: Store, *dates: DateGiven, **fields: Any) -> Visit:
    """A visit that a school has asked for."""
    return await visits.request_visit(
        store, COORDINATOR, request(*dates, **fields), zone=ZONE, now=NOW, request_id=random_id()
    )


async def propose(
    store: Store, visit: Visit, *ambassador_ids: str, alternative: int = 0, who=COORDINATOR, request_id: str = ""
) -> Visit:
    """A team for one of the dates."""
    command = ProposeVisit(alternative=alternative, ambassador_ids=list(ambassador_ids))
    return await visit_proposals.propose_visit(
        store, who, visit.id, command, zone=ZONE, now=NOW, request_id=request_id or random_id()
    )


async def said(store: Store, visit_id: str) -> list[str]:
    """The names of the messages about a visit, in their order."""
    rows = await store.db.outbox.find({"aggregate": f"visit:{visit_id}"}).sort("order", 1).to_list(None)
    return [row["subject"].split(".")[1] for row in rows]


async def booked(store: Store, ambassador_id: str | None = None) -> list[dict[str, Any]]:
    """The bookings, of one ambassador when given."""
    where = {"ambassador_id": ambassador_id} if ambassador_id else {}
    return await store.db.bookings.find(where).sort("starts_utc", 1).to_list(None)
