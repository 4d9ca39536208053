"""Pages of school visits: what needs doing, asking for one, one visit with all that can be done with it."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from services.outreach.domain.visit_commands import (
    AcceptVisit,
    CancelVisit,
    CompleteVisit,
    DeclineVisit,
    MoveVisit,
    ProposeVisit,
    RequestVisit,
)
from services.outreach.domain.visit_dates import DateGiven
from services.outreach.domain.visits import Visit
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, Zone, wrong
from services.outreach.store.core import Store
from services.outreach.store.visits import around
from services.outreach.usecases import ambassadors, campaigns, visit_proposals, visits
from services.outreach.usecases.visit_steps import steps
from services.outreach.web.addresses import with_query
from services.outreach.web.visit_forms import date_fields, request_fields, wrong_dates
from shared import region
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.ui.language import sentence
from shared.web.callers import Person
from shared.web.pages import form_request_id, language_of, nested, posted, see_other, validated

router = APIRouter()
Alternative = Annotated[int, Query(ge=0, le=2)]


@router.get("/visits")
async def show_all(
    request: Request,
    pages: ThePages,
    store: TheStore,
    now: Now,
    person: Person,
    after: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """My visits: what needs me first, then what is open, then the rest."""
    found, cursor = await visits.list_visits(store, person, limit=50, after=after or None)
    shown = [(visit, steps(person, visit, now)) for visit in found]
    return pages.show(
        request,
        "visits.html",
        mine=[(visit, step) for visit, step in shown if step.needs_me],
        others=[(visit, step) for visit, step in shown if not step.needs_me],
        names=await around(store, found),
        fields=region.career_fields(language_of(request)),
        can_ask=person.coordinates or person.has("teacher"),
        rest=with_query("/outreach/visits", after=cursor) if cursor else None,
    )


@router.get("/visits/new")
async def new(
    request: Request,
    pages: ThePages,
    store: TheStore,
    zone: Zone,
    now: Now,
    person: Person,
    school_id: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """An empty form."""
    contact = {} if person.coordinates else {"contact.name": person.name, "contact.email": person.email}
    typed = {"school_id": school_id, "contact.language": person.language, **contact}
    return await _form(request, pages, store, zone, now, person, values=typed)


@router.post("/visits/new")
async def ask(request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person) -> Response:
    """Ask for a visit."""
    form = await posted(request)
    try:
        command = validated(RequestVisit, request_fields(form))
        request_id = form_request_id(person, form)
        visit = await visits.request_visit(store, person, command, zone=zone, now=now, request_id=request_id)
    except FORM_ERRORS as error:
        return await _form(
            request, pages, store, zone, now, person, 422, values=dict(form), **wrong_dates(request, error, form)
        )
    return see_other(f"/outreach/visits/{visit.id}")


@router.get("/visits/{visit_id}")
async def show(
    visit_id: str,
    request: Request,
    pages: ThePages,
    store: TheStore,
    zone: Zone,
    now: Now,
    person: Person,
    alternative: Alternative = 0,
) -> Response:
    """One visit: its state in plain words, and the next step."""
    return await _page(request, pages, store, zone, now, person, visit_id, alternative)


@router.post("/visits/{visit_id}/propose")
async def propose(
    visit_id: str, request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person
) -> Response:
    """Propose a team for one of the dates."""
    form = await posted(request)
    chosen = str(form.get("alternative", "0"))
    try:
        command = validated(ProposeVisit, nested(form, lists=("ambassador_ids",)))
        await visit_proposals.propose_visit(
            store, person, visit_id, command, zone=zone, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        alternative = int(chosen) if chosen in ("0", "1", "2") else 0
        return await _page(
            request, pages, store, zone, now, person, visit_id, alternative, 422, **wrong(request, error)
        )
    return see_other(f"/outreach/visits/{visit_id}")


@router.post("/visits/{visit_id}/accept")
async def accept(
    visit_id: str, request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person
) -> Response:
    """My yes, or a coordinator's on behalf of a member."""
    form = await posted(request)
    try:
        command = validated(AcceptVisit, nested(form))
        await visit_proposals.accept_visit(
            store, person, visit_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        return await _page(request, pages, store, zone, now, person, visit_id, 0, 422, **wrong(request, error))
    return see_other(f"/outreach/visits/{visit_id}")


@router.post("/visits/{visit_id}/decline")
async def decline(
    visit_id: str, request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person
) -> Response:
    """My no, or a coordinator's on behalf of a member."""
    form = await posted(request)
    try:
        command = validated(DeclineVisit, nested(form))
        await visit_proposals.decline_visit(
            store, person, visit_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        return await _page(request, pages, store, zone, now, person, visit_id, 0, 422, **wrong(request, error))
    return see_other("/outreach/visits" if person.coordinates else "/outreach/my-visits")


@router.get("/visits/{visit_id}/move")
async def edit_date(
    visit_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The form for another date, with the present one in it."""
    visit = await visits.get_visit(store, person, visit_id)
    if not steps(person, visit, now).can_move or visit.chosen is None:
        return see_other(f"/outreach/visits/{visit_id}")
    date = visit.chosen
    typed = {
        "day": date.day.isoformat(),
        "starts": date.starts_local.strftime("%H:%M"),
        "ends": date.ends_local.strftime("%H:%M"),
    }
    return pages.show(request, "visits_move.html", visit=visit, names=await around(store, [visit]), values=typed)


@router.post("/visits/{visit_id}/move")
async def move(
    visit_id: str, request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person
) -> Response:
    """Move a visit to another date."""
    form = await posted(request)
    try:
        command = validated(MoveVisit, {**date_fields(form), "reason": str(form.get("reason", ""))})
        await visits.move_visit(
            store, person, visit_id, command, zone=zone, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        visit = await visits.get_visit(store, person, visit_id)
        found = {"visit": visit, "names": await around(store, [visit]), "values": dict(form)}
        return pages.show(request, "visits_move.html", 422, **found, **wrong_dates(request, error, form))
    return see_other(f"/outreach/visits/{visit_id}")


@router.get("/visits/{visit_id}/cancel")
async def ask_to_cancel(
    visit_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The first of two steps: what will happen, and why it is called off."""
    visit = await visits.get_visit(store, person, visit_id)
    if not steps(person, visit, now).can_cancel:
        return see_other(f"/outreach/visits/{visit_id}")
    return pages.show(request, "visits_cancel.html", visit=visit, names=await around(store, [visit]))


@router.post("/visits/{visit_id}/cancel")
async def cancel(
    visit_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The second step: call it off."""
    form = await posted(request)
    try:
        command = validated(CancelVisit, nested(form))
        await visits.cancel_visit(store, person, visit_id, command, now=now, request_id=form_request_id(person, form))
    except FORM_ERRORS as error:
        visit = await visits.get_visit(store, person, visit_id)
        found = {"visit": visit, "names": await around(store, [visit]), "values": dict(form)}
        return pages.show(request, "visits_cancel.html", 422, **found, **wrong(request, error))
    return see_other(f"/outreach/visits/{visit_id}")


@router.post("/visits/{visit_id}/complete")
async def complete(
    visit_id: str, request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person
) -> Response:
    """Record that it took place."""
    form = await posted(request)
    try:
        command = validated(CompleteVisit, nested(form))
        await visits.complete_visit(store, person, visit_id, command, now=now, request_id=form_request_id(person, form))
    except FORM_ERRORS as error:
        typed = {"values": dict(form), **wrong(request, error)}
        return await _page(request, pages, store, zone, now, person, visit_id, 0, 422, **typed)
    return see_other(f"/outreach/visits/{visit_id}")


async def _page(
    request: Request,
    pages: ThePages,
    store: Store,
    zone: str,
    now: Now,
    person: Identity,
    visit_id: str,
    alternative: int,
    status: int = 200,
    **more: Any,
) -> Response:
    visit = await visits.get_visit(store, person, visit_id)
    step = steps(person, visit, now)
    chosen = min(alternative, len(visit.alternatives) - 1)
    candidates = await _candidates(store, person, visit, chosen, zone) if step.can_propose else []
    language = language_of(request)
    values = {"pupils_reached": str(visit.pupils), **more.pop("values", {})}
    return pages.show(
        request,
        "visits_one.html",
        status,
        visit=visit,
        step=step,
        names=await around(store, [visit]),
        candidates=[(each, sentence(each.why_not, language) if each.why_not else "") for each in candidates],
        alternative=chosen,
        now=now,
        field=region.career_fields(language).get(visit.field, visit.field),
        me=visit.member_of(person.id),
        values=values,
        **more,
    )


async def _candidates(
    store: Store, person: Identity, visit: Visit, alternative: int, zone: str
) -> list[ambassadors.Candidate]:
    date = DateGiven(**visit.alternatives[alternative].model_dump())
    return await ambassadors.free_ambassadors(store, person, date, visit_id=visit.id, zone=zone)


async def _form(
    request: Request,
    pages: ThePages,
    store: Store,
    zone: str,
    now: Now,
    person: Identity,
    status: int = 200,
    **more: Any,
) -> Response:
    if not (person.coordinates or person.has("teacher")):
        raise NotAllowed
    found, _ = await campaigns.list_campaigns(store, person, limit=200)
    with_visits = [campaign for campaign in found if "visit" in campaign.kinds]
    return pages.show(
        request,
        "visits_new.html",
        status,
        campaigns=[(each.id, each.name) for each in with_visits if each.phase(now) == "booking"],
        coming=[
            (each.name, each.booking_from.astimezone(ZoneInfo(zone))) for each in with_visits if now < each.booking_from
        ],
        schools=await visits.schools_to_ask_for(store, person),
        fields=sorted(region.career_fields(language_of(request)).items(), key=lambda entry: entry[1]),
        **more,
    )
