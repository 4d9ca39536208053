"""Asking for a school visit, proposing a team, answering, moving, calling off, recording it as done."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.outreach.domain.ambassadors import Ambassador, AmbassadorUnknown
from services.outreach.domain.campaigns import Campaign
from services.outreach.domain.schools import School
from services.outreach.domain.visit_dates import Bounds
from services.outreach.domain.visit_errors import (
    NotInTeam,
    VisitCampaignUnknown,
    VisitNotFound,
    VisitSchoolUnknown,
)
from services.outreach.domain.visits import (
    AcceptVisit,
    CancelVisit,
    CompleteVisit,
    DeclineVisit,
    Member,
    MoveVisit,
    ProposeVisit,
    RequestVisit,
    Visit,
    aggregate,
)
from services.outreach.store import visits as stored
from services.outreach.store.core import Store
from services.outreach.usecases import visit_rights as rights
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.ids import derived_id
from shared.log import correlation_id
from shared.mongo import Document, Session
from shared.schemas.outreach import (
    Contact,
    VisitCancelled,
    VisitCompleted,
    VisitConfirmed,
    VisitMessage,
    VisitMoved,
    VisitProposalDeclined,
    VisitProposed,
    VisitRequested,
)


@dataclass(frozen=True)
class Told:
    """A visit's next version, and what is said of it: `visit_told` differs when the message tells of the past."""

    visit: Visit
    message: type[VisitMessage] | None = None
    visit_told: Visit | None = None


Decide = Callable[[Visit, Session], Awaitable[Told]]


async def request_visit(
    store: Store, identity: Identity, command: RequestVisit, *, zone: str, now: datetime, request_id: str
) -> Visit:
    """A school's new visit; `zone` is the region's. Errors of campaign, school, field and of each date."""
    identity.must_act_for_school(command.school_id)

    async def work(session: Session) -> Visit:
        there = await store.get("visits", Visit, derived_id(request_id, "visit"), session)
        if there:
            return there
        bounds = await _bounds(store, command.campaign_id, command.school_id, zone, now, session)
        erase_after = stored.erase_after(bounds.campaign, store.keep_visits)
        visit = Visit.requested(derived_id(request_id, "visit"), command, bounds, erase_after, request_id)
        message = await _message(store, VisitRequested, visit, now, session)
        await store.insert("visits", visit, [message], session, rank=stored.rank(visit))
        return visit

    return await store.transaction(work)


async def propose_visit(
    store: Store, identity: Identity, visit_id: str, command: ProposeVisit, *, zone: str, now: datetime, request_id: str
) -> Visit:
    """Ask a team for one of the dates; each member is kept free for it until the proposal is declined.

    AmbassadorUnknown, AlreadyProposed, the errors of a member who is not free, those of the date.
    """

    async def decide(visit: Visit, session: Session) -> Told:
        found = await stored.ambassadors(store, command.ambassador_ids, session)
        if set(found) != set(command.ambassador_ids):
            if not identity.coordinates:
                raise NotAllowed
            raise AmbassadorUnknown
        rights.must_propose(identity, found.values())
        bounds = await _bounds(store, visit.campaign_id, visit.school_id, zone, now, session)
        team = [found[id] for id in command.ambassador_ids]
        proposed = visit.proposed(command.alternative, team, bounds, request_id)
        await _keep_free(store, proposed, team, session)
        return Told(proposed, VisitProposed)

    return await _change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def accept_visit(
    store: Store, identity: Identity, visit_id: str, command: AcceptVisit, *, now: datetime, request_id: str
) -> Visit:
    """A member's yes; the last one confirms the visit. AlreadyAccepted, NotInTeam, NothingProposed, VisitHasStarted."""

    async def decide(visit: Visit, session: Session) -> Told:
        ambassador = await _answering(store, identity, command.ambassador_id, session)
        accepted = visit.accepted(ambassador.id, now, request_id)
        return Told(accepted, VisitConfirmed if accepted.state == "confirmed" else None)

    return await _change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def decline_visit(
    store: Store, identity: Identity, visit_id: str, command: DeclineVisit, *, now: datetime, request_id: str
) -> Visit:
    """A member's no: the whole team is free again. NotInTeam, NothingProposed, ConfirmedCannotBeDeclined."""

    async def decide(visit: Visit, session: Session) -> Told:
        ambassador = await _answering(store, identity, command.ambassador_id, session)
        declined, told = visit.declined(ambassador.id, command.reason, request_id)
        return Told(declined, VisitProposalDeclined, told)

    return await _change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def move_visit(
    store: Store, identity: Identity, visit_id: str, command: MoveVisit, *, zone: str, now: datetime, request_id: str
) -> Visit:
    """Another date, on which the whole team must be free; a team that has only been asked is asked anew.

    Errors of the date and of members, NothingPlannedToMove, NothingToMove, VisitHasStarted.
    """
    identity.must_coordinate()

    async def decide(visit: Visit, session: Session) -> Told:
        bounds = await _bounds(store, visit.campaign_id, visit.school_id, zone, now, session)
        moved = visit.moved(command, bounds, request_id)
        found = await stored.ambassadors(store, [member.ambassador_id for member in visit.team], session)
        await _keep_free(store, moved, list(found.values()), session)
        return Told(moved, VisitMoved if moved.state == "confirmed" else VisitProposed)

    return await _change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def cancel_visit(
    store: Store, identity: Identity, visit_id: str, command: CancelVisit, *, now: datetime, request_id: str
) -> Visit:
    """Call the visit off; the team is free again. AlreadyCancelled, VisitIsDone."""

    async def decide(visit: Visit, _: Session) -> Told:
        rights.must_call_off(identity, visit)
        return Told(visit.cancelled(command.reason, request_id), VisitCancelled)

    return await _change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def complete_visit(
    store: Store, identity: Identity, visit_id: str, command: CompleteVisit, *, now: datetime, request_id: str
) -> Visit:
    """Record that the visit took place. AlreadyDone, NotConfirmedYet, VisitHasNotStarted."""

    async def decide(visit: Visit, _: Session) -> Told:
        rights.must_complete(identity, visit)
        return Told(visit.completed(command.pupils_reached, now, request_id), VisitCompleted)

    return await _change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def get_visit(store: Store, identity: Identity, visit_id: str) -> Visit:
    """One visit, for those concerned; the contact only for those who take part. VisitNotFound."""
    visit = await _load(store, visit_id)
    rights.must_see(identity, visit)
    return shown_to(identity, visit)


async def list_visits(
    store: Store,
    identity: Identity,
    *,
    campaign_id: str | None = None,
    school_id: str | None = None,
    state: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> tuple[list[Visit], str | None]:
    """The visits that `identity` may see: what needs doing first, then by date."""
    asked = {"campaign_id": campaign_id, "school_id": school_id, "state": state}
    where: Document = {name: value for name, value in asked.items() if value}
    both = {"$and": [rights.visible(identity), where]}
    visits, following = await store.page("visits", Visit, both, "rank", limit, after)
    return [shown_to(identity, visit) for visit in visits], following


async def own_visits(store: Store, identity: Identity) -> list[Visit]:
    """All visits of the ambassador who asks, what needs an answer first. NotAllowed when it is none."""
    ambassador = await stored.ambassador_of(store, identity.id)
    if ambassador is None or not rights.is_own(identity, ambassador):
        raise NotAllowed
    return await stored.of_ambassador(store, ambassador.id)


async def schools_to_ask_for(store: Store, identity: Identity) -> list[tuple[str, str]]:
    """(id, name) of the schools for which `identity` may ask for a visit, by name."""
    teaches = None if identity.coordinates else identity.organisations("teacher")
    return await stored.open_schools(store, teaches)


def shown_to(identity: Identity, visit: Visit) -> Visit:
    """The visit without contact and reasons, unless this is somebody who takes part in it."""
    if rights.sees_contact(identity, visit):
        return visit
    contact = Contact(name="", email="", language=visit.contact.language)
    return visit.model_copy(update={"contact": contact, "declines": (), "reason": ""})


async def withdraw_member(store: Store, visit: Visit, member: Member, reason: str, now: datetime) -> None:
    """A member no longer takes part: an open proposal is declined, a confirmed visit to come is called off."""
    request_id = derived_id("withdrawn", visit.id, member.ambassador_id)

    async def decide(current: Visit, _: Session) -> Told:
        if all(each.ambassador_id != member.ambassador_id for each in current.team) or current.chosen is None:
            return Told(current)
        if current.state == "proposed":
            declined, told = current.declined(member.ambassador_id, reason, request_id)
            return Told(declined, VisitProposalDeclined, told)
        if current.state == "confirmed" and current.chosen.starts_utc > now:
            return Told(current.cancelled(reason, request_id), VisitCancelled)
        return Told(current)

    async def work(session: Session) -> None:
        await _decide(store, await _load(store, visit.id, session), decide, now, session)

    await store.transaction(work)


async def _change(
    store: Store, identity: Identity, visit_id: str, decide: Decide, *, now: datetime, request_id: str
) -> Visit:
    async def work(session: Session) -> Visit:
        visit = await _load(store, visit_id, session)
        if visit.last_request_id == request_id:
            return visit
        return await _decide(store, visit, decide, now, session)

    return shown_to(identity, await store.transaction(work))


async def _decide(store: Store, visit: Visit, decide: Decide, now: datetime, session: Session) -> Visit:
    told = await decide(visit, session)
    if told.visit is visit:
        return visit
    messages = []
    if told.message:
        messages = [await _message(store, told.message, told.visit_told or told.visit, now, session)]
    await stored.save(store, told.visit, messages, session)
    return told.visit


async def _keep_free(store: Store, visit: Visit, team: Sequence[Ambassador], session: Session) -> None:
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


async def _answering(store: Store, identity: Identity, ambassador_id: str | None, session: Session) -> Ambassador:
    if ambassador_id is None:
        ambassador = await stored.ambassador_of(store, identity.id, session)
    else:
        ambassador = (await stored.ambassadors(store, [ambassador_id], session)).get(ambassador_id)
    rights.must_answer_for(identity, ambassador)
    if ambassador is None:
        raise NotInTeam
    return ambassador


async def _load(store: Store, visit_id: str, session: Session | None = None) -> Visit:
    visit = await store.get("visits", Visit, visit_id, session)
    if visit is None:
        raise VisitNotFound
    return visit


async def _bounds(store: Store, campaign_id: str, school_id: str, zone: str, now: datetime, session: Session) -> Bounds:
    campaign = await store.get("campaigns", Campaign, campaign_id, session)
    if campaign is None:
        raise VisitCampaignUnknown
    school = await store.get("schools", School, school_id, session)
    if school is None:
        raise VisitSchoolUnknown
    return Bounds(campaign, school, zone, now)


async def _message(
    store: Store, kind: type[VisitMessage], visit: Visit, now: datetime, session: Session
) -> VisitMessage:
    around = await stored.around(store, [visit], session)
    facts = visit.facts(around.schools[visit.school_id], around.people, around.companies)
    return kind.about(aggregate(visit.id), visit.version, now=now, correlation_id=correlation_id.get(), visit=facts)
