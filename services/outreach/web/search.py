"""Page: the search over schools, companies, people, campaigns and visits."""

from datetime import datetime

from fastapi import Request

from services.outreach.domain.visits import Visit
from services.outreach.usecases.find import Found, find_everything
from shared.auth import Identity
from shared.search import Hit, Hits, hits
from shared.ui.language import Language, day, short_day, translate
from shared.web.search import search_router

STATES = {
    "requested": "Asked for", "proposed": "Team is asked", "confirmed": "Confirmed", "cancelled": "Called off",
    "done": "Took place",
}  # fmt: skip


async def _find(request: Request, person: Identity, q: str, now: datetime, language: Language) -> list[Hits]:
    found = await find_everything(request.app.state.store, person, q)
    schools = [
        Hit(f"/outreach/schools/{each.id}", each.name, (each.id, f"{each.postal_code} {each.town}"))
        for each in found.schools
    ]
    companies = [Hit(f"/outreach/companies/{each.id}", each.name, (each.town,)) for each in found.companies]
    people = [Hit(f"/outreach/people/{each.id}", each.name, (each.email,)) for each in found.people]
    campaigns = [
        Hit(f"/outreach/campaigns/{each.id}", each.name, (_period(each.starts_on, each.ends_on, language),))
        for each in found.campaigns
    ]
    visits = [_visit(each, found, language) for each in found.visits]
    parts = {"Schools": schools, "Companies": companies, "People": people, "School visits": visits}
    return [hits(heading, part) for heading, part in {**parts, "Campaigns": campaigns}.items()]


def _visit(visit: Visit, found: Found, language: Language) -> Hit:
    school = found.visit_schools.get(visit.school_id)
    when = day(visit.chosen.starts_local.date(), language) if visit.chosen else ""
    about = (translate(STATES[visit.state], language), when, visit.contact.name)
    title = f"{school.name if school else visit.school_id}, {visit.group_name}"
    return Hit(f"/outreach/visits/{visit.id}", title, tuple(each for each in about if each))


def _period(first: object, last: object, language: Language) -> str:
    return f"{short_day(first, language)} – {short_day(last, language)}"  # type: ignore[arg-type]


router = search_router(_find, Identity.must_coordinate)
