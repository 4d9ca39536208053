"""Places that schools found themselves: entering them, and the list."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.events.api.parts import Now, TheStore
from services.events.usecases import overview, self_found
from services.events.usecases.inputs import RecordSelfFoundPlace, SelfFoundFilter
from services.events.web.parts import FORM_ERRORS, ThePages, typed, wrong
from services.events.web.places import GRADES
from shared.auth import Identity
from shared.region import career_fields
from shared.web.callers import Person
from shared.web.pages import asked_after, form_request_id, language_of, nested, posted, see_other, validated

router = APIRouter()
SHOWN = 20


@router.get("/self-found")
async def show(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The form and the own records."""
    own = person.organisations("teacher")
    school_id = request.query_params.get("school_id") or (own[0] if own else "")
    return await _page(request, pages, store, now, person, {"school_id": school_id, "group.adults": 1})


@router.post("/self-found")
async def record(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Record one."""
    form = await posted(request)
    try:
        command = validated(RecordSelfFoundPlace, nested(form))
        await self_found.record_self_found_place(
            store, person, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        return await _page(request, pages, store, now, person, typed(form), 422, **wrong(request, error))
    return see_other("/events/self-found?done=recorded")


@router.get("/self-found/{record_id}/withdraw")
async def ask_to_withdraw(
    record_id: str, request: Request, pages: ThePages, store: TheStore, person: Person
) -> Response:
    """What taking back causes, and the button for it."""
    record = await self_found.show_self_found_place(store, person, record_id)
    fields = career_fields(language_of(request))
    return pages.show(request, "self_found_withdraw.html", record=record, fields=fields)


@router.post("/self-found/{record_id}/withdraw")
async def withdraw(record_id: str, request: Request, store: TheStore, now: Now, person: Person) -> Response:
    """Take a record back."""
    form = await posted(request)
    await self_found.withdraw_self_found_place(
        store, person, record_id, now=now, request_id=form_request_id(person, form)
    )
    return see_other("/events/self-found?done=withdrawn")


async def _page(
    request: Request, pages: Any, store: Any, now: Any, person: Identity, values: dict[str, Any], status: int = 200,
    errors: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    wanted = SelfFoundFilter(limit=SHOWN, after=asked_after(request))
    found = await self_found.find_self_found_places(store, person, wanted, latest_first=True)
    schools = await overview.find_schools_to_register(store, person, str(values.get("school_id", "")))
    return pages.show(
        request, "self_found.html", status, records=found.items, schools=schools, values=values,
        coordinates=person.coordinates,
        school_names=await store.names_of_schools(record.school_id for record in found.items),
        fields=career_fields(language_of(request)),
        campaigns=await overview.find_campaigns(store, now=now), grades=GRADES, errors=errors or {},
        done=request.query_params.get("done", ""), continued=wanted.after is not None,
        more=f"/events/self-found?after={found.next}" if found.next else "",
    )  # fmt: skip
