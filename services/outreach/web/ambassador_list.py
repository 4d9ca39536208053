"""Ambassadors for companies and coordinators: who there is, limits and blocked days, breaks."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from starlette.datastructures import FormData

from services.outreach.domain.ambassadors import EnterAmbassador
from services.outreach.domain.common import Command
from services.outreach.edge import wrong
from services.outreach.usecases import ambassadors, colleagues
from services.outreach.usecases.visit_rights import manages, must_manage
from services.outreach.web.addresses import with_query
from services.outreach.web.ambassadors import block_for, change_for, settings_of, unblock_for
from services.outreach.web.desk import Again, Desk, FormError, TheDesk
from shared.web.pages import nested, see_other

router = APIRouter()
LIST = "/outreach/ambassadors"


@router.get("/ambassadors")
async def show_all(
    desk: TheDesk,
    company_id: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str, Query(max_length=500)] = "",
    done: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The ambassadors whom I look after, and the form for another one."""
    return await _list_page(desk, company_id=company_id, after=after, invited=done == "invited")


@router.post("/ambassadors")
async def enter(desk: TheDesk) -> Response:
    """Enter an ambassador; a company's are asked by mail first."""

    async def use(command: BaseModel, request_id: str) -> None:
        assert isinstance(command, EnterAmbassador)
        if desk.person.coordinates:
            await ambassadors.enter_ambassador(desk.store, desk.person, command, now=desk.now, request_id=request_id)
        else:
            await colleagues.invite_ambassador(
                desk.store, desk.person, command.company_id, command, now=desk.now, request_id=request_id
            )

    async def again(form: FormData, error: FormError) -> Response:
        typed = {**form, "fields": form.getlist("fields")}
        return await _list_page(desk, 422, values=typed, **wrong(desk.request, error))

    then = LIST if desk.person.coordinates else f"{LIST}?done=invited"
    return await desk.act(EnterAmbassador, lambda form: nested(form, lists=("fields",)), use, again, then)


@router.get("/ambassadors/{ambassador_id}")
async def show(ambassador_id: str, desk: TheDesk) -> Response:
    """One ambassador: limits, blocked days, visits."""
    return await _page(desk, ambassador_id)


@router.post("/ambassadors/{ambassador_id}/settings")
async def change(ambassador_id: str, desk: TheDesk) -> Response:
    """Change limits, fields and home."""
    return await change_for(desk, ambassador_id, _again(desk, ambassador_id, "fields"), _address(ambassador_id))


@router.post("/ambassadors/{ambassador_id}/block")
async def block(ambassador_id: str, desk: TheDesk) -> Response:
    """Block days or weekdays."""
    return await block_for(desk, ambassador_id, _again(desk, ambassador_id, "weekdays"), _address(ambassador_id))


@router.post("/ambassadors/{ambassador_id}/unblock")
async def unblock(ambassador_id: str, desk: TheDesk) -> Response:
    """Free days or a weekday again."""
    return await unblock_for(desk, ambassador_id, _again(desk, ambassador_id, "weekdays"), _address(ambassador_id))


@router.get("/ambassadors/{ambassador_id}/pause")
async def ask_to_pause(ambassador_id: str, desk: TheDesk) -> Response:
    """The first of two steps: what a break causes."""
    known = await ambassadors.get_ambassador(desk.store, desk.person, ambassador_id)
    must_manage(desk.person, known.ambassador)
    if known.ambassador.paused:
        return see_other(_address(ambassador_id))
    counts = (await ambassadors.visit_counts(desk.store, desk.person, [known]))[ambassador_id]
    return desk.show("visits_pause.html", known=known, counts=counts)


@router.post("/ambassadors/{ambassador_id}/pause")
async def pause(ambassador_id: str, desk: TheDesk) -> Response:
    """The second step: not asked any more."""

    async def use(_: Command, request_id: str) -> None:
        await ambassadors.pause_ambassador(desk.store, desk.person, ambassador_id, now=desk.now, request_id=request_id)

    again = _again(desk, ambassador_id, "fields")
    return await desk.act(Command, lambda form: {}, use, again, _address(ambassador_id))


@router.post("/ambassadors/{ambassador_id}/resume")
async def resume(ambassador_id: str, desk: TheDesk) -> Response:
    """Asked again."""

    async def use(_: Command, request_id: str) -> None:
        await ambassadors.resume_ambassador(desk.store, desk.person, ambassador_id, request_id=request_id)

    again = _again(desk, ambassador_id, "fields")
    return await desk.act(Command, lambda form: {}, use, again, _address(ambassador_id))


def _address(ambassador_id: str) -> str:
    return f"{LIST}/{ambassador_id}"


def _again(desk: Desk, ambassador_id: str, several: str) -> Again:
    async def again(form: FormData, error: FormError) -> Response:
        typed = {**form, several: form.getlist(several)}
        return await _page(desk, ambassador_id, 422, typed, **wrong(desk.request, error))

    return again


async def _page(
    desk: Desk, ambassador_id: str, status: int = 200, typed: Mapping[str, Any] | None = None, **more: Any
) -> Response:
    known = await ambassadors.get_ambassador(desk.store, desk.person, ambassador_id)
    return desk.show(
        "visits_ambassador.html",
        status,
        known=known,
        me=known.ambassador,
        spans=known.ambassador.blocked_spans(desk.today),
        counts=(await ambassadors.visit_counts(desk.store, desk.person, [known]))[ambassador_id],
        manages=desk.person.coordinates or manages(desk.person, known.ambassador),
        values={**settings_of(known), **(typed or {})},
        **more,
    )


async def _list_page(
    desk: Desk,
    status: int = 200,
    company_id: str = "",
    after: str = "",
    values: Mapping[str, Any] | None = None,
    **more: Any,
) -> Response:
    found, cursor = await ambassadors.list_ambassadors(
        desk.store, desk.person, company_id=company_id or None, limit=50, after=after or None
    )
    more = {"invited": False, **more}
    typed = {"limits.per_week": 1, "limits.per_campaign": 6, "fields": [], "company_id": company_id, **(values or {})}
    return desk.show(
        "visits_ambassadors.html",
        status,
        ambassadors=found,
        counts=await ambassadors.visit_counts(desk.store, desk.person, found),
        companies=await ambassadors.companies_to_act_for(desk.store, desk.person),
        asked=await colleagues.invited_ambassadors(desk.store, desk.person, now=desk.now),
        company_id=company_id,
        rest=with_query(LIST, company_id=company_id or None, after=cursor) if cursor else None,
        values=typed,
        **more,
    )
