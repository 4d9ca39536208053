"""The search over this service: schools, companies, people, campaigns, visits."""

from dataclasses import dataclass

from services.outreach.domain.campaigns import Campaign
from services.outreach.domain.companies import Company
from services.outreach.domain.people import Person
from services.outreach.domain.schools import School
from services.outreach.domain.visits import Visit
from services.outreach.store import schools as stored_schools
from services.outreach.store import words
from services.outreach.store.core import Store, from_document
from shared.auth import Identity
from shared.search import SHOWN


@dataclass(frozen=True)
class Found:
    """What fits, one more of each than are shown; `visit_schools` are the schools of the visits, by id."""

    schools: list[School]
    companies: list[Company]
    people: list[Person]
    campaigns: list[Campaign]
    visits: list[Visit]
    visit_schools: dict[str, School]


async def find_everything(store: Store, identity: Identity, q: str) -> Found:
    """Schools, companies and campaigns by name and town, people by name and address, visits by class, contact and
    school."""
    identity.must_coordinate()
    schools = [from_document(School, row) for row in await words.find(store, "schools", q, {})]
    visits = [from_document(Visit, row) for row in await words.find(store, "visits", q, {})]
    visits += await _visits_at(store, schools, {visit.id for visit in visits})
    return Found(
        schools,
        [from_document(Company, row) for row in await words.find(store, "companies", q, {})],
        [from_document(Person, row) for row in await words.find(store, "people", q, {"active": True})],
        [from_document(Campaign, row) for row in await words.find(store, "campaigns", q, {})],
        visits[: SHOWN + 1],
        await stored_schools.by_ids(store, [visit.school_id for visit in visits]),
    )


async def _visits_at(store: Store, schools: list[School], there: set[str]) -> list[Visit]:
    at = {"school_id": {"$in": [school.id for school in schools]}}
    rows = await store.db.visits.find(at).limit(SHOWN + 1).to_list(SHOWN + 1) if schools else []
    return [from_document(Visit, row) for row in rows if row["_id"] not in there]
