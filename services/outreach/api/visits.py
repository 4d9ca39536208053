"""JSON in, JSON out: school visits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.outreach.domain.visit_commands import (
    AcceptVisit,
    CancelVisit,
    CompleteVisit,
    DeclineVisit,
    LeaveTeam,
    MoveVisit,
    ProposeVisit,
    RequestVisit,
)
from services.outreach.domain.visit_dates import PlannedDate
from services.outreach.domain.visits import Answer, Member, State, Visit
from services.outreach.edge import After, Limit, Listed, Now, Reader, TheStore, Writer, Zone
from services.outreach.store.core import Store
from services.outreach.store.visits import Around, around
from services.outreach.usecases import visit_proposals, visits
from shared.bounds import WallClock
from shared.schemas.outreach import Contact
from shared.web.callers import RequestId

router = APIRouter(tags=["visits"])


class DateOut(BaseModel):
    """Wall time of `zone`, and the moments; `lesson` is the school's own numbering when it gave one."""

    starts_local: WallClock
    ends_local: WallClock
    zone: str
    lesson: int | None
    starts_utc: datetime
    ends_utc: datetime

    @classmethod
    def of(cls, date: PlannedDate) -> Self:
        """As the API shows it."""
        moments = {"starts_utc": date.starts_utc, "ends_utc": date.ends_utc}
        return cls.model_validate({**date.model_dump(), **moments})


class MemberOut(BaseModel):
    """A member of the team, with the answer."""

    ambassador_id: str
    name: str
    company_id: str
    company_name: str
    answer: Answer

    @classmethod
    def of(cls, member: Member, names: Around) -> Self:
        """As the API shows it."""
        person = names.people.get(member.person_id)
        known = {"name": person.name if person else "", "company_name": names.companies.get(member.company_id, "")}
        return cls.model_validate({**member.model_dump(exclude={"person_id"}), **known})


class GroupOut(BaseModel):
    """The class that asked."""

    name: str
    pupils: int


class DeclineOut(BaseModel):
    """An earlier no."""

    ambassador_id: str
    starts_local: WallClock
    reason: str


class VisitOut(BaseModel):
    """A visit; `chosen` and `team` from the proposal on. The contact is empty for those who do not take part."""

    id: str
    campaign_id: str
    school_id: str
    school_name: str
    district_ags: str
    field: str
    grade: int
    group: GroupOut
    contact: Contact
    alternatives: list[DateOut]
    state: State
    chosen: DateOut | None
    team: list[MemberOut]
    declines: list[DeclineOut]
    reason: str
    pupils_reached: int | None
    requested_at: datetime
    version: int

    @classmethod
    def of(cls, visit: Visit, names: Around) -> Self:
        """As the API shows it."""
        school = names.schools.get(visit.school_id)
        shown = {
            "school_name": (school.short_name or school.name) if school else "",
            "group": {"name": visit.group_name, "pupils": visit.pupils},
            "alternatives": [DateOut.of(date) for date in visit.alternatives],
            "chosen": DateOut.of(visit.chosen) if visit.chosen else None,
            "team": [MemberOut.of(member, names) for member in visit.team],
        }
        return cls.model_validate({**visit.model_dump(), **shown})


@router.post("/visits", status_code=201)
async def request_visit(
    command: RequestVisit, store: TheStore, who: Writer, zone: Zone, now: Now, request_id: RequestId
) -> VisitOut:
    """Ask for a visit on one of two or three dates."""
    return await _out(store, await visits.request_visit(store, who, command, zone=zone, now=now, request_id=request_id))


@router.get("/visits")
async def list_visits(
    store: TheStore,
    who: Reader,
    campaign_id: Annotated[str | None, Query(max_length=64)] = None,
    school_id: Annotated[str | None, Query(max_length=64)] = None,
    state: Literal["requested", "proposed", "confirmed", "cancelled", "done"] | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Listed[VisitOut]:
    """Visits: what needs doing first, then by date."""
    found, cursor = await visits.list_visits(
        store, who, campaign_id=campaign_id, school_id=school_id, state=state, limit=limit, after=after
    )
    return Listed(items=await _all_out(store, found), next=cursor)


@router.get("/visits/{visit_id}")
async def get_visit(visit_id: str, store: TheStore, who: Reader) -> VisitOut:
    """One visit."""
    return await _out(store, await visits.get_visit(store, who, visit_id))


@router.post("/visits/{visit_id}/propose")
async def propose_visit(
    visit_id: str, command: ProposeVisit, store: TheStore, who: Writer, zone: Zone, now: Now, request_id: RequestId
) -> VisitOut:
    """Ask a team for one of the dates; its members are kept free for it until one declines."""
    changed = await visit_proposals.propose_visit(
        store, who, visit_id, command, zone=zone, now=now, request_id=request_id
    )
    return await _out(store, changed)


@router.post("/visits/{visit_id}/accept")
async def accept_visit(
    visit_id: str, command: AcceptVisit, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> VisitOut:
    """A member's yes; the last one confirms the visit."""
    return await _out(
        store, await visit_proposals.accept_visit(store, who, visit_id, command, now=now, request_id=request_id)
    )


@router.post("/visits/{visit_id}/decline")
async def decline_visit(
    visit_id: str, command: DeclineVisit, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> VisitOut:
    """A member's no; the whole team is free again and the visit open for another proposal."""
    return await _out(
        store, await visit_proposals.decline_visit(store, who, visit_id, command, now=now, request_id=request_id)
    )


@router.post("/visits/{visit_id}/leave")
async def leave_team(
    visit_id: str, command: LeaveTeam, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> VisitOut:
    """A member of a confirmed team drops out; the visit takes place with the others."""
    return await _out(
        store, await visit_proposals.leave_team(store, who, visit_id, command, now=now, request_id=request_id)
    )


@router.post("/visits/{visit_id}/move")
async def move_visit(
    visit_id: str, command: MoveVisit, store: TheStore, who: Writer, zone: Zone, now: Now, request_id: RequestId
) -> VisitOut:
    """Another date, on which the whole team must be free."""
    changed = await visits.move_visit(store, who, visit_id, command, zone=zone, now=now, request_id=request_id)
    return await _out(store, changed)


@router.post("/visits/{visit_id}/cancel")
async def cancel_visit(
    visit_id: str, command: CancelVisit, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> VisitOut:
    """Call the visit off."""
    return await _out(store, await visits.cancel_visit(store, who, visit_id, command, now=now, request_id=request_id))


@router.post("/visits/{visit_id}/complete")
async def complete_visit(
    visit_id: str, command: CompleteVisit, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> VisitOut:
    """Record that the visit took place."""
    return await _out(store, await visits.complete_visit(store, who, visit_id, command, now=now, request_id=request_id))


async def _out(store: Store, visit: Visit) -> VisitOut:
    return (await _all_out(store, [visit]))[0]


async def _all_out(store: Store, found: Sequence[Visit]) -> list[VisitOut]:
    names = await around(store, found)
    return [VisitOut.of(visit, names) for visit in found]
