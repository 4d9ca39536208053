"""Finding a place: the list of slots with its filters in the address, and one slot's own page."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from services.events.api.parts import Now, TheStore
from services.events.usecases import overview, search
from services.events.usecases.inputs import SlotFilter
from services.events.usecases.results import ListOf, SlotView
from services.events.web.parts import ThePages, field_name, manages, onward, registers, wrong
from services.events.web.views import VIEWS, view_links
from shared.auth import Identity
from shared.errors import Invalid
from shared.region import career_fields, districts, municipalities
from shared.ui.language import short_day, translate
from shared.web.callers import Visitor
from shared.web.pages import asked_after, language_of, see_other

router = APIRouter()
FILTERS = (
    "district", "municipality", "field", "from", "to", "grade", "free_places", "near_school", "max_km", "campaign_id",
)  # fmt: skip
GRADES = range(5, 14)
DISTANCES = (10, 20, 30, 50)
SHOWN = 12  # a page that a phone scrolls in a few strokes
OTHERS_SHOWN = 4


@router.get("/")
async def find_a_place(request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor) -> Response:
    """Slots that can be booked: a list of choices first, and the same on the map or in the calendar.

    Teachers have their own page for the list.
    """
    view = request.query_params.get("view", "")
    if person and person.has("teacher") and not person.coordinates and view not in VIEWS:
        return see_other(f"/events/find?{request.url.query}" if request.url.query else "/events/find")
    asked = {name: request.query_params.get(name, "").strip() for name in FILTERS}
    schools = await overview.find_own(store, person, "teacher") if person and person.has("teacher") else []
    if schools and not person.coordinates and "near_school" not in request.query_params:
        asked["near_school"] = schools[0].id
    if not asked["near_school"]:
        asked["max_km"] = ""
    errors: dict[str, str] = {}
    found: ListOf[SlotView] = ListOf(items=[])
    given = {"view": view if view in VIEWS else "", **asked}
    given = {name: value for name, value in given.items() if value}
    seen: dict[str, Any] = {}
    try:
        wanted = _wanted(asked, asked_after(request), 1 if view in VIEWS else SHOWN)
        found = await search.find_slots(store, wanted, now=now)
        if view in VIEWS and found.items:
            seen = await VIEWS[view](request, store, wanted, given, found.items[0].starts_local.date(), now)
    except (ValidationError, Invalid) as error:
        errors = wrong(request, error, from_="from")["errors"]
    return pages.show(
        request, "places.html", 422 if errors else 200,
        slots=found.items, errors=errors, values=asked, chips=_chips(request, given, person),
        more=f"/events/?{urlencode({**given, 'after': found.next})}" if found.next else "",
        districts=districts(), fields=career_fields(language_of(request)), grades=GRADES, distances=DISTANCES,
        schools=schools, offered=await overview.count_offered(store, person),
        continued="after" in request.query_params, view=given.get("view", "list"), views=view_links(request, given),
        back=f"/events/?view={given['view']}" if "view" in given else "/events/", **seen,
    )  # fmt: skip


@router.get("/slots/{slot_id}")
async def show_slot(
    slot_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor
) -> Response:
    """What, when, where and how to get there, what is required, and how booking goes."""
    own = person.organisations("teacher") if person else []
    asked = {name: request.query_params.get(name, "") for name in ("group", "school")}
    near = asked["school"] if asked["school"] in own else own[0] if own else None
    slot = await search.show_slot(store, slot_id, near)
    others = await search.find_slots(
        store, SlotFilter(offer_id=slot.offer.id, state="bookable", limit=OTHERS_SHOWN + 1), now=now
    )
    return pages.show(
        request, "slot.html", slot=slot, booking=await overview.show_booking(store, slot, now=now),
        field=field_name(slot.offer.field, request),
        others=[each for each in others.items if each.id != slot.id][:OTHERS_SHOWN],
        manages=manages(person, slot), registers=person is None or registers(person),
        onward=onward(asked), back="/events/find" if own else "/events/",
    )  # fmt: skip


def _wanted(asked: dict[str, str], after: str | None, limit: int) -> SlotFilter:
    given: dict[str, Any] = {name: value for name, value in asked.items() if value}
    return SlotFilter.model_validate({**given, "state": "bookable", "limit": limit, "after": after})


def _chips(request: Request, given: dict[str, str], person: Identity | None) -> list[tuple[str, str]]:
    """(words, address without it) of each filter that is set."""
    language = language_of(request)
    chips = []
    for name, value in given.items():
        if name != "view" and (words := filter_words(name, value, language)):
            rest = {key: other for key, other in given.items() if key != name}
            chips.append((words, f"/events/?{urlencode(rest)}"))
    return chips


def filter_words(name: str, value: str, language: Any) -> str:
    """A filter that is set, in words; empty for one that needs none."""
    names: dict[str, Any] = {
        "district": {each.ags: each.name for each in districts()}, "field": career_fields(language),
        "municipality": {each.ags: each.name for each in municipalities().values()},
    }  # fmt: skip
    if name in names:
        return names[name].get(value, value)
    if name in ("from", "to"):
        return translate("from {day}" if name == "from" else "until {day}", language, day=_day(value, language))
    templates = {
        "grade": "grade {value}", "free_places": "for {value} pupils", "max_km": "within {value} km",
    }  # fmt: skip
    return translate(templates[name], language, value=value) if name in templates else ""


def _day(value: str, language: str) -> str:
    try:
        return short_day(SlotFilter.model_validate({"from": value}).from_, language)  # type: ignore[arg-type]
    except ValidationError:
        return value
