"""Proposals: a team is asked for a date, answers, or does not; what was proposed is taken back or runs out."""

from datetime import datetime

from services.outreach.domain.ambassadors import Ambassador, AmbassadorUnknown
from services.outreach.domain.visit_commands import (
    AcceptVisit,
    DeclineVisit,
    LeaveTeam,
    ProposeVisit,
    RequestDates,
    WithdrawProposal,
)
from services.outreach.domain.visit_errors import NotInTeam
from services.outreach.domain.visits import Member, Visit
from services.outreach.store import visits as stored
from services.outreach.store.core import Store
from services.outreach.usecases import visit_rights as rights
from services.outreach.usecases.visit_changes import Told, bounds_of, change, decide_on, keep_free, load
from shared.auth import Identity
from shared.errors import NotAllowed, RuleBroken
from shared.ids import derived_id
from shared.mongo import Session
from shared.schemas.outreach import (
    VisitCancelled,
    VisitConfirmed,
    VisitMemberLeft,
    VisitProposalDeclined,
    VisitProposalExpired,
    VisitProposalWithdrawn,
    VisitProposed,
    VisitRequested,
)

AT_ONCE = 200


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
        bounds = await bounds_of(store, visit.campaign_id, visit.school_id, zone, now, session)
        team = [rights.as_seen(identity, found[id]) for id in command.ambassador_ids]
        proposed = visit.proposed(
            command.alternative, team, bounds, request_id, material=command.material, preparation=command.preparation
        )
        await keep_free(store, proposed, team, session)
        return Told(proposed, VisitProposed)

    return await change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def texts_to_begin_with(store: Store, identity: Identity, visit: Visit) -> tuple[str, str]:
    """(material, preparation) as last written for this field: by anybody for coordinators, else by the own companies.

    NotAllowed for who cannot propose a team.
    """
    if identity.coordinates:
        return await stored.last_texts(store, visit.campaign_id, visit.field, None)
    if not identity.has("company"):
        raise NotAllowed
    return await stored.last_texts(store, visit.campaign_id, visit.field, identity.organisations("company"))


async def accept_visit(
    store: Store, identity: Identity, visit_id: str, command: AcceptVisit, *, now: datetime, request_id: str
) -> Visit:
    """A member's yes; the last one confirms the visit. AlreadyAccepted, NotInTeam, NothingProposed, VisitHasStarted."""

    async def decide(visit: Visit, session: Session) -> Told:
        ambassador = await _answering(store, identity, command.ambassador_id, session)
        accepted = visit.accepted(ambassador.id, now, request_id)
        return Told(accepted, VisitConfirmed if accepted.state == "confirmed" else None)

    return await change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def decline_visit(
    store: Store, identity: Identity, visit_id: str, command: DeclineVisit, *, now: datetime, request_id: str
) -> Visit:
    """A member's no: the whole team is free again. NotInTeam, NothingProposed, ConfirmedCannotBeDeclined."""

    async def decide(visit: Visit, session: Session) -> Told:
        ambassador = await _answering(store, identity, command.ambassador_id, session)
        declined, told = visit.declined(ambassador.id, command.reason, request_id)
        return Told(declined, VisitProposalDeclined, told)

    return await change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def accept_date(store: Store, identity: Identity, visit_id: str, *, now: datetime, request_id: str) -> Visit:
    """The school's yes to a date that it had not asked for. DateAccepted, NothingProposed, VisitHasStarted."""

    async def decide(visit: Visit, _: Session) -> Told:
        rights.must_answer_for_school(identity, visit)
        accepted = visit.school_accepted(now, request_id)
        return Told(accepted, VisitConfirmed if accepted.state == "confirmed" else None)

    return await change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def request_dates(
    store: Store, identity: Identity, visit_id: str, command: RequestDates, *, zone: str, now: datetime, request_id: str
) -> Visit:
    """The school gives other dates; a team that has been asked is free again. ConfirmedHasItsDate, errors of dates."""

    async def decide(visit: Visit, session: Session) -> Told:
        rights.must_answer_for_school(identity, visit)
        bounds = await bounds_of(store, visit.campaign_id, visit.school_id, zone, now, session)
        changed, told = visit.with_dates(command, bounds, request_id)
        return Told(changed, VisitProposalWithdrawn if told else VisitRequested, told)

    return await change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def withdraw_proposal(
    store: Store, identity: Identity, visit_id: str, command: WithdrawProposal, *, now: datetime, request_id: str
) -> Visit:
    """Take a proposal back before it is confirmed: the team is free again. ConfirmedCannotBeWithdrawn, …"""

    async def decide(visit: Visit, _: Session) -> Told:
        rights.must_withdraw(identity, visit)
        withdrawn, told = visit.withdrawn(command.reason, request_id)
        return Told(withdrawn, VisitProposalWithdrawn, told)

    return await change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def expire_proposals(store: Store, *, now: datetime) -> int:
    """Proposals whose answers are not complete in time fall: the team is free again. A worker runs it every minute.

    Returns how many fell.
    """
    count = 0
    for found in await stored.overdue_proposals(store, now, AT_ONCE):
        try:
            count += await store.transaction(lambda session, id=found.id: _expire(store, id, now, session))
        except RuleBroken:  # somebody changed this visit in this moment: looked at again in a minute
            continue
    return count


async def _expire(store: Store, visit_id: str, now: datetime, session: Session) -> bool:
    async def decide(visit: Visit, _: Session) -> Told:
        fallen = visit.expired(now, derived_id("expired", visit.id, visit.version))
        return Told(fallen[0], VisitProposalExpired, fallen[1]) if fallen else Told(visit)

    before = await load(store, visit_id, session)
    return await decide_on(store, before, decide, now, session) is not before


async def leave_team(
    store: Store, identity: Identity, visit_id: str, command: LeaveTeam, *, now: datetime, request_id: str
) -> Visit:
    """A member of a confirmed team drops out, and the visit takes place with the others.

    LastOfTheTeam, NotConfirmedYet, NotInTeam, VisitHasStarted.
    """

    async def decide(visit: Visit, session: Session) -> Told:
        ambassador = await _ambassador(store, identity, command.ambassador_id, session)
        rights.must_take_out(identity, ambassador, visit)
        if ambassador is None:
            raise NotInTeam
        staying, told = visit.left_by(ambassador.id, command.reason, now, request_id)
        return Told(staying, VisitMemberLeft, told)

    return await change(store, identity, visit_id, decide, now=now, request_id=request_id)


async def withdraw_member(
    store: Store, visit: Visit, member: Member, reason: str, now: datetime, *, only_proposed: bool = False
) -> None:
    """A member no longer takes part: an open proposal is declined; a confirmed visit to come takes place with the
    others, or is called off when there are none (unless `only_proposed`)."""
    request_id = derived_id("withdrawn", visit.id, member.ambassador_id)

    async def decide(current: Visit, _: Session) -> Told:
        if all(each.ambassador_id != member.ambassador_id for each in current.team) or current.chosen is None:
            return Told(current)
        if current.state == "proposed":
            declined, told = current.declined(member.ambassador_id, reason, request_id)
            return Told(declined, VisitProposalDeclined, told)
        if only_proposed or current.state != "confirmed" or current.chosen.starts_utc <= now:
            return Told(current)
        if len(current.team) == 1:
            return Told(current.cancelled(reason, request_id), VisitCancelled)
        staying, told = current.left_by(member.ambassador_id, reason, now, request_id)
        return Told(staying, VisitMemberLeft, told)

    async def work(session: Session) -> None:
        await decide_on(store, await load(store, visit.id, session), decide, now, session)

    await store.transaction(work)


async def _answering(store: Store, identity: Identity, ambassador_id: str | None, session: Session) -> Ambassador:
    ambassador = await _ambassador(store, identity, ambassador_id, session)
    rights.must_answer_for(identity, ambassador)
    if ambassador is None:
        raise NotInTeam
    return ambassador


async def _ambassador(store: Store, identity: Identity, id: str | None, session: Session) -> Ambassador | None:
    """The one with this id; without an id, the person who asks."""
    if id is None:
        return await stored.ambassador_of(store, identity.id, session)
    return (await stored.ambassadors(store, [id], session)).get(id)
