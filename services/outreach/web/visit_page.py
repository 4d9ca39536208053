"""Pages of one school visit, with all that can be done with it."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.datastructures import FormData

from services.outreach.domain.visit_commands import (
    AcceptVisit,
    CancelVisit,
    CompleteVisit,
    DeclineVisit,
    LeaveTeam,
    MoveVisit,
    ProposeVisit,
    RequestDates,
    WithdrawProposal,
)
from services.outreach.domain.visit_dates import DateGiven
from services.outreach.domain.visits import Member, Visit
from services.outreach.edge import wrong
from services.outreach.store.visits import around
from services.outreach.usecases import ambassadors, visit_proposals, visits
from services.outreach.usecases.visit_rights import takes_out
from services.outreach.usecases.visit_steps import steps
from services.outreach.web.calendar_file import calendar_file
from services.outreach.web.desk import Again, Desk, FormError, TheDesk
from services.outreach.web.visit_forms import LESSONS, date_fields, dates_fields, with_lessons, wrong_dates
from shared.errors import NotFound
from shared.ui.language import sentence
from shared.web.pages import nested, see_other

router = APIRouter()
Alternative = Annotated[int, Query(ge=0, le=2)]
AmbassadorId = Annotated[str, Query(max_length=64)]
SUGGESTED = 2


@router.get("/visits/{visit_id}")
async def show(visit_id: str, desk: TheDesk, alternative: Alternative = 0) -> Response:
    """One visit: its state in plain words, and the next step."""
    return await _page(desk, visit_id, alternative)


@router.post("/visits/{visit_id}/propose")
async def propose(visit_id: str, desk: TheDesk) -> Response:
    """Propose a team for one of the dates."""

    async def use(command: ProposeVisit, request_id: str) -> None:
        await visit_proposals.propose_visit(
            desk.store, desk.person, visit_id, command, zone=desk.zone, now=desk.now, request_id=request_id
        )

    async def again(form: FormData, error: FormError) -> Response:
        chosen = str(form.get("alternative", "0"))
        alternative = int(chosen) if chosen in ("0", "1", "2") else 0
        typed = {**form, "ambassador_ids": form.getlist("ambassador_ids")}
        reasons = wrong(desk.request, error)["errors"]
        # Which of the dates is no field that one could go to.
        shown = {"" if name == "alternative" else name: reason for name, reason in reasons.items()}
        return await _page(desk, visit_id, alternative, 422, values=typed, errors=shown)

    return await desk.act(ProposeVisit, _team_fields, use, again, _address(visit_id))


@router.post("/visits/{visit_id}/accept")
async def accept(visit_id: str, desk: TheDesk) -> Response:
    """My yes, or a coordinator's on behalf of a member."""

    async def use(command: AcceptVisit, request_id: str) -> None:
        await visit_proposals.accept_visit(
            desk.store, desk.person, visit_id, command, now=desk.now, request_id=request_id
        )

    return await desk.act(AcceptVisit, nested, use, _page_again(desk, visit_id), _address(visit_id))


@router.post("/visits/{visit_id}/decline")
async def decline(visit_id: str, desk: TheDesk) -> Response:
    """My no, or a coordinator's on behalf of a member."""

    async def use(command: DeclineVisit, request_id: str) -> None:
        await visit_proposals.decline_visit(
            desk.store, desk.person, visit_id, command, now=desk.now, request_id=request_id
        )

    then = _address(visit_id) if desk.person.coordinates else "/outreach/my-visits?done=declined"
    return await desk.act(DeclineVisit, nested, use, _page_again(desk, visit_id), then)


@router.post("/visits/{visit_id}/agree")
async def agree(visit_id: str, desk: TheDesk) -> Response:
    """The school's yes to a date that it had not asked for."""

    async def use(_: AcceptVisit, request_id: str) -> None:
        await visit_proposals.accept_date(desk.store, desk.person, visit_id, now=desk.now, request_id=request_id)

    return await desk.act(AcceptVisit, nested, use, _page_again(desk, visit_id), _address(visit_id))


@router.post("/visits/{visit_id}/complete")
async def complete(visit_id: str, desk: TheDesk) -> Response:
    """Record that it took place, and how it was."""

    async def use(command: CompleteVisit, request_id: str) -> None:
        await visits.complete_visit(desk.store, desk.person, visit_id, command, now=desk.now, request_id=request_id)

    return await desk.act(CompleteVisit, nested, use, _page_again(desk, visit_id), _address(visit_id))


@router.get("/visits/{visit_id}/move")
async def edit_date(visit_id: str, desk: TheDesk) -> Response:
    """The form for another date, with the present one in it."""
    visit = await visits.get_visit(desk.store, desk.person, visit_id)
    if not steps(desk.person, visit, desk.now).can_move or visit.chosen is None:
        return see_other(_address(visit_id))
    date = visit.chosen
    times = {"starts": date.starts_local.strftime("%H:%M"), "ends": date.ends_local.strftime("%H:%M")}
    return await _step(desk, "visits_move.html", visit_id, values={"day": date.day.isoformat(), **times})


@router.post("/visits/{visit_id}/move")
async def move(visit_id: str, desk: TheDesk) -> Response:
    """Move a visit to another date."""

    async def use(command: MoveVisit, request_id: str) -> None:
        await visits.move_visit(
            desk.store, desk.person, visit_id, command, zone=desk.zone, now=desk.now, request_id=request_id
        )

    def fields(form: FormData) -> dict[str, Any]:
        return {**date_fields(form), "reason": str(form.get("reason", ""))}

    again = _step_again(desk, "visits_move.html", visit_id)
    return await desk.act(MoveVisit, fields, use, again, _address(visit_id))


@router.get("/visits/{visit_id}/dates")
async def edit_dates(visit_id: str, desk: TheDesk) -> Response:
    """The first of two steps: other dates, and what that causes."""
    visit = await visits.get_visit(desk.store, desk.person, visit_id)
    if not steps(desk.person, visit, desk.now).can_change_dates:
        return see_other(_address(visit_id))
    return await _step(desk, "visits_dates.html", visit_id)


@router.post("/visits/{visit_id}/dates")
async def change_dates(visit_id: str, desk: TheDesk) -> Response:
    """The second step: these are the dates."""

    async def use(command: RequestDates, request_id: str) -> None:
        await visit_proposals.request_dates(
            desk.store, desk.person, visit_id, command, zone=desk.zone, now=desk.now, request_id=request_id
        )

    again = _step_again(desk, "visits_dates.html", visit_id)
    return await desk.act(RequestDates, lambda form: dates_fields(with_lessons(form)), use, again, _address(visit_id))


@router.get("/visits/{visit_id}/withdraw")
async def ask_to_withdraw(visit_id: str, desk: TheDesk) -> Response:
    """The first of two steps: what taking the proposal back causes."""
    visit = await visits.get_visit(desk.store, desk.person, visit_id)
    if not steps(desk.person, visit, desk.now).can_withdraw:
        return see_other(_address(visit_id))
    return await _step(desk, "visits_withdraw.html", visit_id)


@router.post("/visits/{visit_id}/withdraw")
async def withdraw(visit_id: str, desk: TheDesk) -> Response:
    """The second step: the team is free again."""

    async def use(command: WithdrawProposal, request_id: str) -> None:
        await visit_proposals.withdraw_proposal(
            desk.store, desk.person, visit_id, command, now=desk.now, request_id=request_id
        )

    again = _step_again(desk, "visits_withdraw.html", visit_id)
    return await desk.act(WithdrawProposal, nested, use, again, _address(visit_id))


@router.get("/visits/{visit_id}/leave")
async def ask_to_leave(visit_id: str, desk: TheDesk, ambassador_id: AmbassadorId = "") -> Response:
    """The first of two steps: what it causes that one of the team does not come."""
    visit = await visits.get_visit(desk.store, desk.person, visit_id)
    if _leaving(desk, visit, ambassador_id) is None:
        return see_other(_address(visit_id))
    return await _leave_step(desk, visit, ambassador_id)


@router.post("/visits/{visit_id}/leave")
async def leave(visit_id: str, desk: TheDesk) -> Response:
    """The second step: the visit takes place with the others."""

    async def use(command: LeaveTeam, request_id: str) -> None:
        await visit_proposals.leave_team(
            desk.store, desk.person, visit_id, command, now=desk.now, request_id=request_id
        )

    async def again(form: FormData, error: FormError) -> Response:
        visit = await visits.get_visit(desk.store, desk.person, visit_id)
        reasons = wrong(desk.request, error)
        if _leaving(desk, visit, str(form.get("ambassador_id", ""))) is None:
            return await _page(desk, visit_id, 0, 422, values=dict(form), **reasons)
        return await _leave_step(desk, visit, str(form.get("ambassador_id", "")), 422, values=dict(form), **reasons)

    return await desk.act(LeaveTeam, nested, use, again, _after_leaving(desk, visit_id))


def _after_leaving(desk: Desk, visit_id: str) -> str:
    """The visit, for those who still see it: a company whose only member has left does not."""
    if desk.person.coordinates:
        return _address(visit_id)
    return "/outreach/visits?done=left" if desk.person.has("company") else "/outreach/my-visits?done=left"


@router.get("/visits/{visit_id}/cancel")
async def ask_to_cancel(visit_id: str, desk: TheDesk) -> Response:
    """The first of two steps: what will happen, and why it is called off."""
    visit = await visits.get_visit(desk.store, desk.person, visit_id)
    if not steps(desk.person, visit, desk.now).can_cancel:
        return see_other(_address(visit_id))
    return await _step(desk, "visits_cancel.html", visit_id)


@router.post("/visits/{visit_id}/cancel")
async def cancel(visit_id: str, desk: TheDesk) -> Response:
    """The second step: call it off."""

    async def use(command: CancelVisit, request_id: str) -> None:
        await visits.cancel_visit(desk.store, desk.person, visit_id, command, now=desk.now, request_id=request_id)

    again = _step_again(desk, "visits_cancel.html", visit_id)
    return await desk.act(CancelVisit, nested, use, again, _address(visit_id))


@router.get("/visits/{visit_id}/sheet")
async def sheet(visit_id: str, desk: TheDesk) -> Response:
    """The visit on one sheet of paper."""
    return await _step(desk, "visits_sheet.html", visit_id)


@router.get("/visits/{visit_id}/calendar.ics")
async def calendar(visit_id: str, desk: TheDesk) -> Response:
    """The entry for a calendar, once the date is certain."""
    visit = await visits.get_visit(desk.store, desk.person, visit_id)
    if visit.chosen is None or visit.state not in ("confirmed", "done"):
        raise NotFound
    names = await around(desk.store, [visit])
    return calendar_file(desk, visit, names.schools[visit.school_id])


def _leaving(desk: Desk, visit: Visit, ambassador_id: str) -> Member | None:
    """The member of a confirmed team whom this person can take out: with this id, else the person."""
    step = steps(desk.person, visit, desk.now)
    if not ambassador_id:
        return visit.member_of(desk.person.id) if step.can_leave else None
    member = next((each for each in visit.team if each.ambassador_id == ambassador_id), None)
    return member if member and step.can_take_out and takes_out(desk.person, member) else None


async def _leave_step(desk: Desk, visit: Visit, ambassador_id: str, status: int = 200, **more: Any) -> Response:
    leaving = _leaving(desk, visit, ambassador_id)
    return await _step(desk, "visits_leave.html", visit.id, status, leaving=leaving, own=not ambassador_id, **more)


def _address(visit_id: str) -> str:
    return f"/outreach/visits/{visit_id}"


def _team_fields(form: FormData) -> dict[str, Any]:
    return nested(form, lists=("ambassador_ids",))


def _page_again(desk: Desk, visit_id: str) -> Again:
    async def again(form: FormData, error: FormError) -> Response:
        return await _page(desk, visit_id, 0, 422, values=dict(form), **wrong(desk.request, error))

    return again


def _step_again(desk: Desk, template: str, visit_id: str) -> Again:
    async def again(form: FormData, error: FormError) -> Response:
        found = wrong_dates(desk.request, error, with_lessons(form))
        return await _step(desk, template, visit_id, 422, values=dict(form), **found)

    return again


async def _step(desk: Desk, template: str, visit_id: str, status: int = 200, **more: Any) -> Response:
    visit = await visits.get_visit(desk.store, desk.person, visit_id)
    names = await around(desk.store, [visit])
    return desk.show(template, status, **{"visit": visit, "names": names, "lessons": LESSONS, **more})


async def _page(desk: Desk, visit_id: str, alternative: int, status: int = 200, **more: Any) -> Response:
    visit = await visits.get_visit(desk.store, desk.person, visit_id)
    step = steps(desk.person, visit, desk.now)
    chosen = min(alternative, len(visit.alternatives) - 1)
    typed = more.pop("values", {})
    candidates = await _candidates(desk, visit, chosen) if step.can_propose else []
    return desk.show(
        "visits_one.html",
        status,
        visit=visit,
        step=step,
        names=await around(desk.store, [visit]),
        candidates=candidates,
        alternative=chosen,
        me=visit.member_of(desk.person.id),
        out={each.ambassador_id for each in visit.team if step.can_take_out and takes_out(desk.person, each)},
        values={"pupils_reached": str(visit.pupils), **await _suggested(desk, visit, candidates), **typed},
        **more,
    )


async def _candidates(desk: Desk, visit: Visit, alternative: int) -> list[tuple[ambassadors.Candidate, str]]:
    """Each ambassador with why not, in the person's language; empty for who is free."""
    date = DateGiven(**visit.alternatives[alternative].model_dump())
    found = await ambassadors.free_ambassadors(desk.store, desk.person, date, visit_id=visit.id, zone=desk.zone)
    return [(each, sentence(each.why_not, desk.language) if each.why_not else "") for each in found]


async def _suggested(
    desk: Desk, visit: Visit, candidates: list[tuple[ambassadors.Candidate, str]]
) -> Mapping[str, Any]:
    """What the form for a team begins with: the two that suit best, and what was written last for this field."""
    if not candidates:
        return {}
    free = [each for each, why in candidates if not why and not each.refused_before]
    material, preparation = await visit_proposals.texts_to_begin_with(desk.store, desk.person, visit)
    team = [each.known.ambassador.id for each in free[:SUGGESTED]]
    return {"ambassador_ids": team, "material": material, "preparation": preparation}
