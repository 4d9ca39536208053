"""How a visit is changed: what every use case of visits shares."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.outreach.domain.ambassadors import Ambassador
from services.outreach.domain.campaigns import Campaign
from services.outreach.domain.schools import School
from services.outreach.domain.visit_dates import Bounds
from services.outreach.domain.visit_errors import VisitCampaignUnknown, VisitNotFound, VisitSchoolUnknown
from services.outreach.domain.visits import Visit, aggregate
from services.outreach.store import visits as stored
from services.outreach.store.core import Store
from services.outreach.usecases import visit_rights as rights
from shared.auth import Identity
from shared.log import correlation_id
from shared.mongo import Session
from shared.schemas.outreach import VisitMessage


@dataclass(frozen=True)
class Told:
    """A visit's next version, and what is said of it: `visit_told` differs when the message tells of the past."""

    visit: Visit
    message: type[VisitMessage] | None = None
    visit_told: Visit | None = None


Decide = Callable[[Visit, Session], Awaitable[Told]]


async def change(
    store: Store, identity: Identity, visit_id: str, decide: Decide, *, now: datetime, request_id: str
) -> Visit:
    """The visit after what `decide` says; a request that is repeated finds it done. VisitNotFound."""

    async def work(session: Session) -> Visit:
        visit = await load(store, visit_id, session)
        if visit.last_request_id == request_id:
            return visit
        return await decide_on(store, visit, decide, now, session)

    return rights.shown_to(identity, await store.transaction(work))


async def decide_on(store: Store, visit: Visit, decide: Decide, now: datetime, session: Session) -> Visit:
    """Write the visit's next version with its message, within a transaction."""
    told = await decide(visit, session)
    if told.visit is visit:
        return visit
    messages = []
    if told.message:
        messages = [await message_of(store, told.message, told.visit_told or told.visit, now, session)]
    await stored.save(store, told.visit, messages, session)
    return told.visit


async def keep_free(store: Store, visit: Visit, team: Sequence[Ambassador], session: Session) -> None:
    """Each member must be free at the visit's date; whoever books the same ambassador meanwhile has to wait."""
    assert visit.chosen is not None
    people, _ = await stored.people_and_companies(store, team, session)
    for ambassador in sorted(team, key=lambda each: each.id):
        await stored.claim(store, ambassador, session)
    ids = [ambassador.id for ambassador in team]
    bookings = await stored.bookings_near(
        store, ids, visit.chosen, visit.campaign_id, without_visit=visit.id, session=session
    )
    for ambassador in team:
        person = people.get(ambassador.person_id)
        current = ambassador.as_person(person)
        current.must_be_free(visit.chosen, visit.campaign_id, bookings[ambassador.id], person.name if person else "")


async def load(store: Store, visit_id: str, session: Session | None = None) -> Visit:
    """VisitNotFound."""
    visit = await store.get("visits", Visit, visit_id, session)
    if visit is None:
        raise VisitNotFound
    return visit


async def bounds_of(
    store: Store, campaign_id: str, school_id: str, zone: str, now: datetime, session: Session
) -> Bounds:
    """Within which a date of such a visit must lie. VisitCampaignUnknown, VisitSchoolUnknown."""
    campaign = await store.get("campaigns", Campaign, campaign_id, session)
    if campaign is None:
        raise VisitCampaignUnknown
    school = await store.get("schools", School, school_id, session)
    if school is None:
        raise VisitSchoolUnknown
    return Bounds(campaign, school, zone, now, store.answer_school_days)


async def message_of(
    store: Store, kind: type[VisitMessage], visit: Visit, now: datetime, session: Session
) -> VisitMessage:
    """What is said of the visit."""
    around = await stored.around(store, [visit], session)
    facts = visit.facts(around.schools[visit.school_id], around.people, around.companies)
    return kind.about(aggregate(visit.id), visit.version, now=now, correlation_id=correlation_id.get(), visit=facts)
