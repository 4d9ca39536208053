"""Whom a campaign has reached, counted afresh to prove what is kept (figures.py); and who can be written to."""

import asyncio
from collections.abc import Sequence

from services.outreach.domain.reports import ASKED, HELD
from services.outreach.store.core import Store


async def reached(store: Store, campaign_id: str) -> set[str]:
    """Schools with a firm place, a visit that is confirmed or done, or a self-found place."""
    of = {"campaign_id": campaign_id}
    found = await asyncio.gather(
        store.db.report_registrations.distinct("school_id", {**of, "state": {"$in": list(HELD)}}),
        store.db.visits.distinct("school_id", {**of, "state": {"$in": ["confirmed", "done"]}}),
        store.db.report_self_found.distinct("school_id", {**of, "withdrawn": False}),
    )
    return {school for schools in found for school in schools}


async def asked(store: Store, campaign_id: str) -> set[str]:
    """Schools that have asked for a place or a visit and wait."""
    of = {"campaign_id": campaign_id}
    found = await asyncio.gather(
        store.db.report_registrations.distinct("school_id", {**of, "state": {"$in": list(ASKED)}}),
        store.db.visits.distinct("school_id", {**of, "state": {"$in": ["requested", "proposed"]}}),
    )
    return {school for schools in found for school in schools}


async def teachers_of(store: Store, schools: Sequence[str]) -> dict[str, str]:
    """The address of one teacher of each school that has one, by school."""
    if not schools:
        return {}
    role = {"kind": "teacher", "organisation_id": {"$in": list(schools)}}
    found = store.db.people.find({"active": True, "roles": {"$elemMatch": role}}, {"email": 1, "roles": 1})
    people = await found.sort("_id", -1).to_list(None)
    return {
        role["organisation_id"]: row["email"] for row in people for role in row["roles"] if role["kind"] == "teacher"
    }
