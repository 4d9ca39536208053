"""Pages of ambassadors: my visits, blocked days and limits; and, for companies and coordinators, who there is."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import FormData

from services.outreach.domain.ambassadors import BlockDays, ChangeAmbassador, EnterAmbassador, UnblockDays
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, Zone, wrong
from services.outreach.store.core import Store
from services.outreach.store.visits import around
from services.outreach.usecases import ambassadors, visits
from services.outreach.usecases.ambassadors import Known
from services.outreach.usecases.visit_steps import steps
from services.outreach.web.addresses import with_query
from shared import region
from shared.auth import Identity
from shared.web.callers import Person
from shared.web.pages import form_request_id, language_of, nested, posted, see_other, validated

router = APIRouter()
MY_VISITS = "/outreach/my-visits"


@router.get("/my-visits")
async def my_visits(
    request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person
) -> Response:
    """An ambassador's own page: what needs an answer, what is planned, blocked days and limits."""
    return await _own_page(request, pages, store, zone, now, person)


@router.post("/my-visits/block")
async def block(request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person) -> Response:
    """Block days or weekdays."""
    form = await posted(request)
    known = await ambassadors.own_ambassador(store, person)
    try:
        command = validated(BlockDays, _block_fields(form))
        await ambassadors.block_days(
            store,
            person,
            known.ambassador.id,
            command,
            zone=zone,
            now=now,
            request_id=form_request_id(person, form),
        )
    except FORM_ERRORS as error:
        typed = {**form, "weekdays": form.getlist("weekdays")}
        return await _own_page(request, pages, store, zone, now, person, 422, typed, **wrong(request, error))
    return see_other(f"{MY_VISITS}#blocked")


@router.post("/my-visits/unblock")
async def unblock(request: Request, store: TheStore, person: Person) -> Response:
    """Free a day or weekday again."""
    form = await posted(request)
    known = await ambassadors.own_ambassador(store, person)
    command = validated(UnblockDays, nested(form, lists=("days", "weekdays")))
    await ambassadors.unblock_days(
        store, person, known.ambassador.id, command, request_id=form_request_id(person, form)
    )
    return see_other(f"{MY_VISITS}#blocked")


@router.post("/my-visits/settings")
async def change(request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person) -> Response:
    """Change limits, fields and home."""
    form = await posted(request)
    known = await ambassadors.own_ambassador(store, person)
    try:
        command = validated(ChangeAmbassador, nested(form, lists=("fields",)))
        await ambassadors.change_ambassador(
            store, person, known.ambassador.id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        typed = {**form, "fields": form.getlist("fields")}
        return await _own_page(request, pages, store, zone, now, person, 422, typed, **wrong(request, error))
    return see_other(f"{MY_VISITS}#settings")


@router.get("/ambassadors")
async def show_all(
    request: Request,
    pages: ThePages,
    store: TheStore,
    person: Person,
    after: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """The ambassadors whom I look after, and the form for another one."""
    return await _list_page(request, pages, store, person, after=after)


@router.post("/ambassadors")
async def enter(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Enter an ambassador."""
    form = await posted(request)
    try:
        command = validated(EnterAmbassador, nested(form, lists=("fields",)))
        await ambassadors.enter_ambassador(store, person, command, now=now, request_id=form_request_id(person, form))
    except FORM_ERRORS as error:
        typed = {**form, "fields": form.getlist("fields")}
        return await _list_page(request, pages, store, person, 422, values=typed, **wrong(request, error))
    return see_other("/outreach/ambassadors")


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
    return [start + timedelta(days=n) for n in range(min((end - start).days + 1, 101))]


async def _own_page(
    request: Request,
    pages: ThePages,
    store: Store,
    zone: str,
    now: Now,
    person: Identity,
    status: int = 200,
    typed: Mapping[str, Any] | None = None,
    **more: Any,
) -> Response:
    known = await ambassadors.own_ambassador(store, person)
    found = await visits.own_visits(store, person)
    shown = [(visit, steps(person, visit, now)) for visit in found]
    language = language_of(request)
    return pages.show(
        request,
        "visits_mine.html",
        status,
        me=known.ambassador,
        waiting=[entry for entry in shown if entry[1].needs_me],
        coming=[entry for entry in shown if not entry[1].needs_me and entry[0].state in ("proposed", "confirmed")],
        past=[entry for entry in shown if entry[0].state in ("cancelled", "done")],
        names=await around(store, found),
        fields=region.career_fields(language),
        today=now.astimezone(ZoneInfo(zone)).date(),
        values={**_settings_of(known), **(typed or {})},
        **more,
    )


def _settings_of(known: Known) -> dict[str, Any]:
    me = known.ambassador
    return {
        "limits.per_week": me.limits.per_week,
        "limits.per_campaign": me.limits.per_campaign,
        "fields": list(me.fields),
        "home_postal_code": me.home_postal_code or "",
    }


async def _list_page(
    request: Request,
    pages: ThePages,
    store: Store,
    person: Identity,
    status: int = 200,
    after: str = "",
    values: Mapping[str, Any] | None = None,
    **more: Any,
) -> Response:
    found, cursor = await ambassadors.list_ambassadors(store, person, limit=50, after=after or None)
    typed = {"limits.per_week": 1, "limits.per_campaign": 6, "fields": [], **(values or {})}
    return pages.show(
        request,
        "visits_ambassadors.html",
        status,
        ambassadors=found,
        companies=await ambassadors.companies_to_act_for(store, person),
        fields=region.career_fields(language_of(request)),
        rest=with_query("/outreach/ambassadors", after=cursor) if cursor else None,
        values=typed,
        **more,
    )
