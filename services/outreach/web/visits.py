"""Pages of school visits: what needs doing, with filters, and asking for one."""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from services.outreach.domain.visit_commands import RequestVisit
from services.outreach.edge import FORM_ERRORS
from services.outreach.store.visits import around
from services.outreach.usecases import campaigns, schools, visits
from services.outreach.usecases.visit_steps import steps
from services.outreach.web.addresses import with_query
from services.outreach.web.desk import Desk, TheDesk
from services.outreach.web.visit_forms import LESSONS, request_fields, with_lessons, wrong_dates
from shared import region
from shared.errors import NotAllowed
from shared.web.pages import form_request_id, posted, see_other, validated

router = APIRouter()
LIST = "/outreach/visits"
COMING = 20
Filter = Annotated[str, Query(max_length=64)]
State = Literal["", "requested", "proposed", "confirmed", "done", "cancelled"]


@router.get("/visits")
async def show_all(
    desk: TheDesk,
    campaign_id: Filter = "",
    school_id: Filter = "",
    state: State = "",
    field: Filter = "",
    district: Filter = "",
    after: Annotated[str, Query(max_length=500)] = "",
    done: Filter = "",
) -> Response:
    """My visits: what needs me first, then what is open, then the rest; filters stay in the address."""
    asked = {
        "campaign_id": campaign_id, "school_id": school_id, "state": state, "field": field, "district": district,
    }  # fmt: skip
    given = {name: value or None for name, value in asked.items()}
    found, cursor = await visits.list_visits(desk.store, desk.person, **given, limit=50, after=after or None)
    shown = [(visit, steps(desk.person, visit, desk.now)) for visit in found]
    return desk.show(
        "visits.html",
        mine=[(visit, step) for visit, step in shown if step.needs_me],
        others=[(visit, step) for visit, step in shown if not step.needs_me],
        names=await around(desk.store, found),
        can_ask=desk.person.coordinates or desk.person.has("teacher"),
        rest=with_query(LIST, **given, after=cursor) if cursor else None,
        filters=await _filters(desk),
        filtered=any(asked.values()),
        values=asked,
        left=done == "left",
    )


@router.get("/visits/coming")
async def show_coming(desk: TheDesk) -> Response:
    """The visits to a teacher's school that are asked for an answer or planned, for her home to take in; empty without
    any."""
    if not desk.person.has("teacher"):
        raise NotAllowed
    found, _ = await visits.list_visits(desk.store, desk.person, limit=COMING)
    shown = [(visit, steps(desk.person, visit, desk.now)) for visit in found]
    coming = [(visit, step) for visit, step in shown if step.next in ("agree", "wait_for_answers", "come")]
    return desk.show("visits_coming.html", coming=coming, names=await around(desk.store, found))


@router.get("/visits/new")
async def new(desk: TheDesk, school_id: Filter = "", q: Annotated[str, Query(max_length=100)] = "") -> Response:
    """An empty form; a coordinator finds the school first."""
    person = desk.person
    contact = {} if person.coordinates else {"contact.name": person.name, "contact.email": person.email}
    typed = {"school_id": school_id, "contact.language": person.language, "q": q, **contact}
    return await _form(desk, values=typed)


@router.post("/visits/new")
async def ask(desk: TheDesk) -> Response:
    """Ask for a visit."""
    form = await posted(desk.request)
    filled = with_lessons(form)
    try:
        command = validated(RequestVisit, request_fields(filled))
        request_id = form_request_id(desk.person, form)
        visit = await visits.request_visit(
            desk.store, desk.person, command, zone=desk.zone, now=desk.now, request_id=request_id
        )
    except FORM_ERRORS as error:
        return await _form(desk, 422, values=dict(form), **wrong_dates(desk.request, error, filled))
    return see_other(f"{LIST}/{visit.id}")


async def _filters(desk: Desk) -> dict[str, list[tuple[str, str]]]:
    """What can be chosen in the list's filters, for those with many visits."""
    if not (desk.person.coordinates or desk.person.has("company")):
        return {}
    found, _ = await campaigns.list_campaigns(desk.store, desk.person, limit=200)
    return {
        "campaigns": [(each.id, each.name) for each in found if "visit" in each.kinds],
        "districts": [(each.ags, each.name) for each in region.districts()],
        "fields": sorted(desk.fields.items(), key=lambda entry: entry[1]),
    }


async def _form(desk: Desk, status: int = 200, **more: Any) -> Response:
    person, store, values = desk.person, desk.store, more["values"]
    if not (person.coordinates or person.has("teacher")):
        raise NotAllowed
    found, _ = await campaigns.list_campaigns(store, person, limit=200)
    with_visits = [campaign for campaign in found if "visit" in campaign.kinds]
    return desk.show(
        "visits_new.html",
        status,
        campaigns=[(each.id, each.name) for each in with_visits if each.phase(desk.now) == "booking"],
        coming=[
            (each.name, each.booking_from.astimezone(ZoneInfo(desk.zone)))
            for each in with_visits
            if desk.now < each.booking_from
        ],
        schools=[] if person.coordinates else await visits.schools_to_ask_for(store, person),
        school=await visits.school_to_ask_for(store, person, str(values.get("school_id", ""))),
        found=await schools.find_schools(store, person, str(values.get("q", ""))) if person.coordinates else [],
        sorted_fields=sorted(desk.fields.items(), key=lambda entry: entry[1]),
        lessons=LESSONS,
        **more,
    )
