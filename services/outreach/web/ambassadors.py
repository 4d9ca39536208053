"""An ambassador's own pages: proposals, visits with route, blocked days and limits."""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel
from starlette.datastructures import FormData

from services.outreach.domain.ambassadors import BlockDays, BlockEndsBeforeItStarts, ChangeAmbassador, UnblockDays
from services.outreach.domain.visits import Visit
from services.outreach.edge import wrong
from services.outreach.store.visits import around
from services.outreach.usecases import ambassadors, visits
from services.outreach.usecases.ambassadors import Known
from services.outreach.usecases.visit_steps import Steps, steps
from services.outreach.web.desk import Again, Desk, FormError, TheDesk
from shared.web.pages import nested

router = APIRouter()
MY_VISITS = "/outreach/my-visits"
MOST_AT_ONCE = 101  # one more than BlockDays takes, so that a longer range is refused


@router.get("/my-visits")
async def my_visits(desk: TheDesk) -> Response:
    """An ambassador's own page: what needs an answer, what is planned, blocked days and limits."""
    done = desk.request.query_params.get("done")
    return await _own_page(desk, declined=done == "declined", left=done == "left")


@router.post("/my-visits/block")
async def block(desk: TheDesk) -> Response:
    """Block days or weekdays."""
    me = (await ambassadors.own_ambassador(desk.store, desk.person)).ambassador
    return await block_for(desk, me.id, _own_again(desk, "weekdays"), f"{MY_VISITS}#blocked")


@router.post("/my-visits/unblock")
async def unblock(desk: TheDesk) -> Response:
    """Free days or a weekday again."""
    me = (await ambassadors.own_ambassador(desk.store, desk.person)).ambassador
    return await unblock_for(desk, me.id, _own_again(desk, "weekdays"), f"{MY_VISITS}#blocked")


@router.post("/my-visits/settings")
async def change(desk: TheDesk) -> Response:
    """Change limits, fields and home."""
    me = (await ambassadors.own_ambassador(desk.store, desk.person)).ambassador
    return await change_for(desk, me.id, _own_again(desk, "fields"), f"{MY_VISITS}#settings")


async def block_for(desk: Desk, ambassador_id: str, again: Again, then: str) -> Response:
    """Block days of an ambassador, by a form."""

    async def use(command: BlockDays, request_id: str) -> None:
        await ambassadors.block_days(
            desk.store, desk.person, ambassador_id, command, zone=desk.zone, now=desk.now, request_id=request_id
        )

    return await desk.act(BlockDays, _block_fields, use, again, then)


async def unblock_for(desk: Desk, ambassador_id: str, again: Again, then: str) -> Response:
    """Free days of an ambassador again, by a form."""

    async def use(command: UnblockDays, request_id: str) -> None:
        await ambassadors.unblock_days(desk.store, desk.person, ambassador_id, command, request_id=request_id)

    return await desk.act(UnblockDays, _lists("days", "weekdays"), use, again, then)


async def change_for(desk: Desk, ambassador_id: str, again: Again, then: str) -> Response:
    """Change an ambassador's limits, fields and home, by a form."""

    async def use(command: BaseModel, request_id: str) -> None:
        assert isinstance(command, ChangeAmbassador)
        await ambassadors.change_ambassador(
            desk.store, desk.person, ambassador_id, command, now=desk.now, request_id=request_id
        )

    return await desk.act(ChangeAmbassador, _lists("fields"), use, again, then)


def _lists(*names: str) -> Any:
    return lambda form: nested(form, lists=names)


def settings_of(known: Known) -> dict[str, Any]:
    """What the form of limits, fields and home shows."""
    me = known.ambassador
    return {
        "limits.per_week": me.limits.per_week,
        "limits.per_campaign": me.limits.per_campaign,
        "fields": list(me.fields),
        "home_postal_code": me.home_postal_code or "",
    }


def _block_fields(form: FormData) -> dict[str, Any]:
    """The fields of BlockDays; `day` to `until` are all days between, both included."""
    weekdays = [value for value in form.getlist("weekdays") if value]
    return {"days": _days(form), "weekdays": weekdays, "reason": str(form.get("reason", ""))}


def _days(form: Mapping[str, Any]) -> list[Any]:
    first, last = str(form.get("day", "")).strip(), str(form.get("until", "")).strip()
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        return [typed for typed in (first, last) if typed]
    if end < start:
        raise BlockEndsBeforeItStarts
    return [start + timedelta(days=n) for n in range(min((end - start).days + 1, MOST_AT_ONCE))]


def _own_again(desk: Desk, several: str) -> Again:
    async def again(form: FormData, error: FormError) -> Response:
        typed = {**form, several: form.getlist(several)}
        return await _own_page(desk, 422, typed, **wrong(desk.request, error))

    return again


async def _own_page(desk: Desk, status: int = 200, typed: Mapping[str, Any] | None = None, **more: Any) -> Response:
    known, found = await asyncio.gather(
        ambassadors.own_ambassador(desk.store, desk.person), visits.own_visits(desk.store, desk.person)
    )
    shown = [(visit, steps(desk.person, visit, desk.now)) for visit in found]
    more = {"declined": False, "left": False, **more}
    names = await around(desk.store, found)
    me = known.ambassador
    schools = {id: me.distance_km(school.lat, school.lon) for id, school in names.schools.items()}
    return desk.show(
        "visits_mine.html",
        status,
        me=me,
        spans=me.blocked_spans(desk.today),
        distances=schools,
        answers=[entry for entry in shown if entry[1].next == "answer"],
        reports=[entry for entry in shown if entry[1].next == "record"],
        coming=[entry for entry in shown if _is_coming(*entry)],
        past=[entry for entry in shown if entry[0].state in ("cancelled", "done")],
        names=names,
        values={**settings_of(known), **(typed or {})},
        **more,
    )


def _is_coming(visit: Visit, step: Steps) -> bool:
    return visit.state in ("proposed", "confirmed") and step.next not in ("answer", "record")
