"""A teacher looks for dates near the school for a class of theirs, and compares up to three of them."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from services.events.api.parts import Now, TheStore
from services.events.domain.groups import KnownGroup
from services.events.usecases import at_school, choosing, nearest, overview, search
from services.events.usecases.inputs import SlotFilter
from services.events.usecases.results import ListOf, SlotView
from services.events.web.parts import LONGEST_NAME, ThePages, onward, registers, wrong
from services.events.web.places import DISTANCES, FILTERS, GRADES, SHOWN, filter_words
from shared.auth import Identity
from shared.errors import Invalid, NotAllowed
from shared.region import career_fields, districts
from shared.web.callers import Person, Visitor
from shared.web.pages import asked_after, language_of

router = APIRouter()
OWN = ("group", "sort")


@router.get("/find")
async def find(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Dates that can be booked, the soonest or the nearest first; the filters stay in the address."""
    if not person.has("teacher"):
        raise NotAllowed
    schools = await overview.find_own(store, person, "teacher")
    groups = await at_school.find_known_groups(store, person, now=now)
    asked = _asked(request, schools[0].id if schools else "")
    errors: dict[str, str] = {}
    found: ListOf[SlotView] = ListOf(items=[])
    try:
        found = await _found(store, asked, asked_after(request), now)
    except (ValidationError, Invalid) as error:
        errors = wrong(request, error, from_="from")["errors"]
    given = {name: value for name, value in asked.items() if value}
    return pages.show(
        request, "find.html", 422 if errors else 200, slots=found.items, errors=errors, values=asked,
        chips=_chips(request, given), groups=_choices(groups, given), schools=schools, given=given,
        more=_address({**given, "after": found.next}) if found.next else "",
        districts=districts(), fields=career_fields(language_of(request)), grades=GRADES, distances=DISTANCES,
        onward=onward({**asked, "school": asked["near_school"]}), continued="after" in request.query_params,
        orders={order: _address({**given, "sort": order}) for order in ("date", "distance")},
    )  # fmt: skip


@router.get("/compare")
async def compare(request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor) -> Response:
    """Up to three dates side by side."""
    chosen = [each for each in request.query_params.getlist("slot") if each]
    group, near_school = request.query_params.get("group", ""), request.query_params.get("near_school", "")
    near = near_school if person and person.has("teacher", near_school) else None
    found = await choosing.compare_slots(store, chosen, near, now=now)
    return pages.show(
        request, "compare.html", found=found, too_many=len(set(chosen)) > choosing.MOST_COMPARED,
        fields=career_fields(language_of(request)), onward=onward({"group": group, "school": near_school}),
        registers=person is None or registers(person), back=_back(request, person),
    )  # fmt: skip


def _asked(request: Request, school_id: str) -> dict[str, str]:
    asked = {name: request.query_params.get(name, "").strip() for name in (*FILTERS, *OWN)}
    asked["near_school"] = asked["near_school"] or school_id
    asked["group"] = asked["group"][:LONGEST_NAME]
    asked["sort"] = "distance" if asked["sort"] == "distance" else ""
    return asked


async def _found(store: Any, asked: dict[str, str], after: str | None, now: Any) -> ListOf[SlotView]:
    given: dict[str, Any] = {name: value for name, value in asked.items() if value and name not in OWN}
    wanted = SlotFilter.model_validate({**given, "state": "bookable", "limit": SHOWN, "after": after})
    if asked["sort"] == "distance":
        return await nearest.find_slots_nearest_first(store, wanted, now=now)
    return await search.find_slots(store, wanted, now=now)


def _choices(groups: list[KnownGroup], given: dict[str, str]) -> list[tuple[KnownGroup, str, bool]]:
    """(group, address that looks for it, whether it is chosen) of each class that is known."""
    kept = {name: value for name, value in given.items() if name not in ("group", "grade", "free_places")}
    return [
        (
            group,
            _address({**kept, "near_school": group.school_id, "group": group.name,
                      "grade": str(group.grade), "free_places": str(group.pupils)}),
            given.get("group") == group.name and given.get("near_school") == group.school_id,
        )
        for group in groups
    ]  # fmt: skip


def _chips(request: Request, given: dict[str, str]) -> list[tuple[str, str]]:
    """(words, address without it) of each filter that is set."""
    chips = []
    for name, value in given.items():
        if name not in OWN and (words := filter_words(name, value, language_of(request))):
            chips.append((words, _address({key: other for key, other in given.items() if key != name})))
    return chips


def _address(given: dict[str, Any]) -> str:
    return f"/events/find?{urlencode(given)}"


def _back(request: Request, person: Identity | None) -> str:
    given = {name: value for name, value in request.query_params.items() if name in (*FILTERS, *OWN) and value}
    return _address(given) if person and person.has("teacher") else f"/events/?{urlencode(given)}"
