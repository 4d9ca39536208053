"""What the coverage of a campaign is read from: schools, and who has registrations, visits or self-found places."""

import asyncio
from collections.abc import Iterable, Sequence

from services.outreach.store.core import Store
from shared.mongo import Document

REACHED = ["confirmed", "attended", "no_show"]
ASKED = ["requested", "waitlisted", "offered"]
FACTS = {
    "name": 1,
    "short_name": 1,
    "school_type": 1,
    "municipality_ags": 1,
    "district_ags": 1,
    "pupils": 1,
    "email": 1,
}


async def schools(store: Store, districts: Iterable[str], types: Document) -> list[Document]:
    """Open schools of the districts whose type fits."""
    query = {"open": True, "district_ags": {"$in": list(districts)}, "school_type": types}
    return await store.db.schools.find(query, FACTS).to_list(None)


async def reached(store: Store, campaign_id: str) -> set[str]:
    """Schools with a firm place, a visit that is confirmed or done, or a self-found place."""
    of = {"campaign_id": campaign_id}
    found = await asyncio.gather(
        store.db.report_registrations.distinct("school_id", {**of, "state": {"$in": REACHED}}),
        store.db.visits.distinct("school_id", {**of, "state": {"$in": ["confirmed", "done"]}}),
        store.db.report_self_found.distinct("school_id", {**of, "withdrawn": False}),
    )
    return {school for schools in found for school in schools}


async def asked(store: Store, campaign_id: str) -> set[str]:
    """Schools that have asked for a place or a visit and wait."""
    of = {"campaign_id": campaign_id}
    found = await asyncio.gather(
        store.db.report_registrations.distinct("school_id", {**of, "state": {"$in": ASKED}}),
        store.db.visits.distinct("school_id", {**of, "state": {"$in": ["requested", "proposed"]}}),
    )
    return {school for schools in found for school in schools}


async def teachers_of(store: Store, schools: Sequence[str]) -> dict[str, str]:
    """The address of one teacher of each school that has one, by school."""
    role = {"kind": "teacher", "organisation_id": {"$in": list(schools)}}
    found = store.db.people.find({"active": True, "roles": {"$elemMatch": role}}, {"email": 1, "roles": 1})
    people = await found.sort("_id", -1).to_list(None)
    return {
        role["organisation_id"]: row["email"] for row in people for role in row["roles"] if role["kind"] == "teacher"
    }


def name_of(row: Document) -> str:
    """The name by which people know the school."""
    return row.get("short_name") or row["name"]
