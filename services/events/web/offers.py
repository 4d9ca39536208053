"""A company's offers and their slots."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from services.events.api.parts import Now, TheStore
from services.events.usecases import company, offers, overview, search, slots
from services.events.usecases.inputs import OpenOffer, OpenSlots, SlotFilter
from services.events.usecases.results import OfferView
from services.events.web.parts import FORM_ERRORS, ThePages, field_name, offer_fields, offer_values, typed, wall, wrong
from services.events.web.places import GRADES
from services.events.web.series import last_times
from shared.auth import Identity
from shared.errors import NotAllowed, NotFound
from shared.ids import is_id
from shared.region import career_fields
from shared.web.callers import Person
from shared.web.pages import asked_after, form_request_id, language_of, nested, posted, see_other, validated

router = APIRouter()
STATES = {"pause": "paused", "resume": "published", "withdraw": "withdrawn"}
SLOTS_SHOWN = 50


@router.get("/offers/new")
async def ask(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The form of a new offer, filled in from the company's address or from an earlier offer (`like`)."""
    like = request.query_params.get("like")
    if like:
        values = offer_values(await offers.show_offer(store, person, like), language_of(request))
    else:
        values = await _known(store, person, request.query_params.get("company", ""), language_of(request))
    return await _form(request, pages, store, now, person, values)


@router.post("/offers/new")
async def open_offer(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Publish it; the next page asks for its first date."""
    form = await posted(request)
    try:
        command = validated(OpenOffer, offer_fields(form))
        offer = await offers.open_offer(store, person, command, now=now, request_id=form_request_id(person, form))
    except FORM_ERRORS as error:
        return await _form(request, pages, store, now, person, typed(form, ("grades",)), 422, **wrong(request, error))
    return see_other(f"/events/offers/{offer.id}?done=published")


@router.get("/offers/{offer_id}")
async def show(offer_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The offer, its slots with head counts, and what was just done."""
    offer = await _own_offer(store, person, offer_id)
    wanted = {
        "offer_id": offer_id,
        "state": "all" if "all" in request.query_params else "open",
        "limit": SLOTS_SHOWN,
        "after": asked_after(request),
    }
    if "all" not in request.query_params:
        wanted["from"] = wall(now, store.zone).date()
    found = await search.find_slots(store, SlotFilter.model_validate(wanted), now=now, identity=person)
    rest = {"after": found.next, **({"all": "yes"} if "all" in request.query_params else {})}
    return pages.show(
        request, "offer.html", offer=offer, slots=found.items, field=field_name(offer.field, request),
        more=f"/events/offers/{offer_id}?{urlencode(rest)}" if found.next else "",
        everything="all" in request.query_params, coordinates=person.coordinates,
        **_done(request),
    )  # fmt: skip


@router.get("/offers/{offer_id}/slots/new")
async def ask_for_slots(
    offer_id: str, request: Request, pages: ThePages, store: TheStore, person: Person, now: Now
) -> Response:
    """The form for one date, with the hours and places of the last one."""
    offer = await _own_offer(store, person, offer_id)
    values = await last_times(store, person, offer_id, now)
    return pages.show(request, "slot_form.html", offer=offer, kind="new", values=values)


@router.post("/offers/{offer_id}/slots/new")
async def open_slots(
    offer_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Open it."""
    form = await posted(request)
    offer = await _own_offer(store, person, offer_id)
    try:
        command = validated(OpenSlots, _slot_fields(form))
        opened = await slots.open_slots(
            store, person, offer_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        names = {"starts_local": "day", "ends_local": "ends"}
        values = typed(form)
        return pages.show(
            request, "slot_form.html", 422, offer=offer, kind="new", values=values, **wrong(request, error, **names)
        )
    return see_other(f"/events/offers/{offer_id}?{urlencode({'opened': len(opened.slots)})}")


@router.post("/offers/{offer_id}/{change}")
async def change_state(
    offer_id: str, change: str, request: Request, store: TheStore, now: Now, person: Person
) -> Response:
    """Pause, resume or withdraw."""
    form = await posted(request)
    state: Any = STATES.get(change)
    if state is None:
        raise NotFound
    await offers.change_offer_state(store, person, offer_id, state, now=now, request_id=form_request_id(person, form))
    return see_other(f"/events/offers/{offer_id}?done={state}")


def _done(request: Request) -> dict[str, str]:
    """What was just done, as the address tells it: words from a list, and numbers."""
    asked = request.query_params
    numbers = {name: asked.get(name, "") for name in ("opened", "withdrawn", "kept", "dates")}
    found = {name: value if value.isdecimal() and len(value) < 5 else "" for name, value in numbers.items()}
    batch = asked.get("batch", "")
    return found | {"done": asked.get("done", ""), "batch": batch if is_id(batch) else ""}


async def _own_offer(store: Any, person: Identity, offer_id: str) -> OfferView:
    offer = await offers.show_offer(store, person, offer_id)
    person.must_act_for_company(offer.company_id)
    return offer


async def _form(
    request: Request, pages: Any, store: Any, now: Any, person: Identity, values: dict[str, Any], status: int = 200,
    errors: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    companies = await overview.find_own(store, person, "company")
    if not companies and not person.coordinates:
        raise NotAllowed
    return pages.show(
        request, "offer_form.html", status, companies=companies, values=values, errors=errors or {}, grades=GRADES,
        campaigns=await overview.find_campaigns(store, now=now), fields=career_fields(language_of(request)),
    )  # fmt: skip


def _slot_fields(form: FormData) -> dict[str, Any]:
    fields = nested(form)
    day = fields.pop("day", "")
    times = {
        name: f"{day}T{fields.pop(field, '')}" for name, field in (("starts_local", "starts"), ("ends_local", "ends"))
    }
    return fields | times | {"allow_days_off": "allow_days_off" in fields}


async def _known(store: Any, person: Identity, company_id: str, language: str) -> dict[str, Any]:
    own = person.organisations("company")
    company_id = company_id or (own[0] if own else "")
    values: dict[str, Any] = {
        "company_id": company_id, "contact.name": person.name, "contact.email": person.email,
        "approval": "automatic", "waiting_list": "next_that_fits", "grades": [8, 9, 10], "offer_school_days": 2,
    }  # fmt: skip
    last = await company.find_last_offer(store, person, company_id) if company_id else None
    if last:
        known = offer_values(last, language)
        kept = (
            "place.",
            "contact.",
            "confirm_again.",
            "approval",
            "waiting_list",
            "grades",
            "field",
            "requirements",
            "reminders",
        )
        return values | {name: value for name, value in known.items() if name.startswith(kept) and value}
    for own_company in await overview.find_own(store, person, "company"):
        if own_company.id == company_id:
            address = {name: own_company.about.get(name, "") for name in ("street", "postal_code", "town")}
            values |= {f"place.{name}": value for name, value in {"name": own_company.name, **address}.items()}
    return values
