"""Asking for a school visit, moving it, calling it off, recording it as done, and looking at visits."""

from datetime import datetime

from services.outreach.domain.schools import School
from services.outreach.domain.visit_commands import CancelVisit, CompleteVisit, MoveVisit, RequestVisit
from services.outreach.domain.visit_errors import NotAskedAnyMore
from services.outreach.domain.visits import Visit
from services.outreach.store import visits as stored
from services.outreach.store.core import Store
from services.outreach.usecases import visit_rights as rights
from services.outreach.usecases.visit_changes import Told, bounds_of, change, keep_free, load, message_of
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.ids import derived_id
from shared.mongo import Document, Session
from shared.schemas.outreach import (
    VisitCancelled,
    VisitCompleted,
    VisitMoved,
    VisitProposed,
    VisitRequested,
)


async def request_visit(
    store: Store, identity: Identity, command: RequestVisit, *, zone: str, now: datetime, request_id: str
) -> Visit:
    """A school's new visit; `zone` is the region's. Errors of campaign, school, field and of each date."""
    identity.must_act_for_school(command.school_id)

    async def work(session: Session) -> Visit:
        there = await store.get("visits", Visit, derived_id(request_id, "visit"), session)
        if there:
            return there
        bounds = await bounds_of(store, command.campaign_id, command.school_id, zone, now, session)
        erase_after = stored.erase_after(bounds.campaign, store.keep_visits)
        visit = Visit.requested(derived_id(request_id, "visit"), command, bounds, erase_after, request_id)
        message = await message_of(store, VisitRequested, visit, now, session)
        await store.insert("visits", visit, [message], session, rank=stored.rank(visit))
        return visit

    return await store.transaction(work)


async def move_visit(
    store: Store, identity: Identity, visit_id: str, command: MoveVisit, *, zone: str, now: datetime, request_id: str
) -> Visit:
    """Another date, on which the whole team must be free; a team that has only been asked is asked anew.

    Errors of the date and of members, NothingPlannedToMove, NothingToMove, VisitHasStarted.
    """
    identity.must_coordinate()

    async def decide(visit: Visit, session: Session) -> Told:
        bounds = await bounds_of(store, visit.campaign_id, visit.school_id, zone, now, session)
        moved = visit.moved(command, bounds, request_id)
        found = await stored.ambassadors(store, [member.ambassador_id for member in visit.team], session)
        await keep_free(store, moved, list(found.values()), session)
        return Told(moved, VisitMoved if moved.state == "confirmed" else VisitProposed)

    return await change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def cancel_visit(
    store: Store, identity: Identity, visit_id: str, command: CancelVisit, *, now: datetime, request_id: str
) -> Visit:
    """Call the visit off; the team is free again. AlreadyCancelled, VisitIsDone."""

    async def decide(visit: Visit, _: Session) -> Told:
        rights.must_call_off(identity, visit)
        return Told(visit.cancelled(command.reason, request_id), VisitCancelled)

    return await change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def complete_visit(
    store: Store, identity: Identity, visit_id: str, command: CompleteVisit, *, now: datetime, request_id: str
) -> Visit:
    """Record that the visit took place. AlreadyDone, NotConfirmedYet, VisitHasNotStarted."""

    async def decide(visit: Visit, _: Session) -> Told:
        rights.must_complete(identity, visit)
        texts = command.model_dump(exclude={"pupils_reached"})
        return Told(visit.completed(command.pupils_reached, now, request_id, **texts), VisitCompleted)

    return await change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def get_visit(store: Store, identity: Identity, visit_id: str) -> Visit:
    """One visit, for those concerned; the contact only for those who take part. VisitNotFound, NotAskedAnyMore."""
    visit = await load(store, visit_id)
    if identity.has("ambassador") and visit.member_of(identity.id) is None:
        await _must_not_have_left(store, identity, visit)
    rights.must_see(identity, visit)
    return rights.shown_to(identity, visit)


async def _must_not_have_left(store: Store, identity: Identity, visit: Visit) -> None:
    ambassador = await stored.ambassador_of(store, identity.id)
    if ambassador and any(each.ambassador_id == ambassador.id for each in visit.declines):
        raise NotAskedAnyMore


async def list_visits(
    store: Store,
    identity: Identity,
    *,
    campaign_id: str | None = None,
    school_id: str | None = None,
    state: str | None = None,
    field: str | None = None,
    district: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> tuple[list[Visit], str | None]:
    """The visits that `identity` may see: what needs doing first, then by date."""
    asked = {
        "campaign_id": campaign_id, "school_id": school_id, "state": state, "field": field, "district_ags": district,
    }  # fmt: skip
    where: Document = {name: value for name, value in asked.items() if value}
    both = {"$and": [rights.visible(identity), where]}
    visits, following = await store.page("visits", Visit, both, "rank", limit, after)
    return [rights.shown_to(identity, visit) for visit in visits], following


async def own_visits(store: Store, identity: Identity) -> list[Visit]:
    """All visits of the ambassador who asks, what needs an answer first. NotAllowed when it is none."""
    ambassador = await stored.ambassador_of(store, identity.id)
    if ambassador is None or not rights.is_own(identity, ambassador):
        raise NotAllowed
    return await stored.of_ambassador(store, ambassador.id)


async def school_to_ask_for(store: Store, identity: Identity, school_id: str) -> School | None:
    """The open school, when `identity` may ask for a visit to it."""
    if not (identity.coordinates or identity.has("teacher", school_id)):
        return None
    school = await store.get("schools", School, school_id)
    return school if school and school.open else None


async def schools_to_ask_for(store: Store, identity: Identity) -> list[tuple[str, str]]:
    """(id, name) of the schools for which `identity` may ask for a visit, by name."""
    teaches = None if identity.coordinates else identity.organisations("teacher")
    return await stored.open_schools(store, teaches)


async def count_without_team(store: Store, identity: Identity) -> int:
    """How many visits a school has asked for and no team has been proposed for yet."""
    identity.must_coordinate()
    return await stored.count_requested(store)
