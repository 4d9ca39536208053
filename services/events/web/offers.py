"""A company's offers and their slots."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from services.events.api.parts import Now, TheStore
from services.events.usecases import offers, overview, search, slots
from services.events.usecases.inputs import OpenOffer, OpenSlots, SlotFilter
from services.events.usecases.results import OfferView
from services.events.web.parts import FORM_ERRORS, ThePages, field_name, typed, wrong
from services.events.web.places import GRADES
from shared.auth import Identity
from shared.errors import Invalid, NotAllowed, NotFound
from shared.region import career_fields
from shared.school_calendar import CalendarUnknown, day_off
from shared.web.callers import Person
from shared.web.pages import form_request_id, language_of, nested, posted, see_other, validated

router = APIRouter()
STATES = {"pause": "paused", "resume": "published", "withdraw": "withdrawn"}
KINDS = ("new", "series")
SKIPPED_SHOWN = 60
SLOTS_SHOWN = 50


@router.get("/offers")
async def show_all(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The own offers with their next slots, and above them the registrations that wait for an answer."""
    found = await overview.find_offers_with_slots(store, person, request.query_params.get("after"), now=now)
    requests = await overview.find_requests(store, person)
    more = f"/events/offers?{urlencode({'after': found.next})}" if found.next else ""
    return pages.show(request, "offers.html", offers=found.items, requests=requests, more=more)


@router.get("/offers/new")
async def ask(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The form of a new offer, filled in from the company's address or from an earlier offer (`like`)."""
    like = request.query_params.get("like")
    if like:
        values = _like(await offers.show_offer(store, person, like))
    else:
        values = await _known(store, person, request.query_params.get("company", ""))
    return await _form(request, pages, store, now, person, values)


@router.post("/offers/new")
async def open_offer(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Publish it; the next page asks for its first date."""
    form = await posted(request)
    try:
        command = validated(OpenOffer, _offer_fields(form))
        offer = await offers.open_offer(store, person, command, now=now, request_id=form_request_id(person, form))
    except FORM_ERRORS as error:
        return await _form(request, pages, store, now, person, typed(form, ("grades",)), 422, **wrong(request, error))
    return see_other(f"/events/offers/{offer.id}?done=published")


@router.get("/offers/{offer_id}")
async def show(offer_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The offer, its slots with head counts, and what was just done."""
    offer = await _own_offer(store, person, offer_id)
    wanted = {"offer_id": offer_id, "state": "all", "limit": SLOTS_SHOWN, "after": request.query_params.get("after")}
    if "all" not in request.query_params:
        wanted["from"] = now.date()
    found = await search.find_slots(store, SlotFilter.model_validate(wanted), now=now)
    rest = {"after": found.next, **({"all": "yes"} if "all" in request.query_params else {})}
    return pages.show(
        request, "offer.html", offer=offer, slots=found.items, field=field_name(offer.field, request),
        more=f"/events/offers/{offer_id}?{urlencode(rest)}" if found.next else "",
        everything="all" in request.query_params, done=request.query_params.get("done", ""),
        opened=request.query_params.get("opened", ""), skipped=_skipped(request),
    )  # fmt: skip


@router.get("/offers/{offer_id}/slots/{kind}")
async def ask_for_slots(
    offer_id: str, kind: str, request: Request, pages: ThePages, store: TheStore, person: Person, now: Now
) -> Response:
    """The form for one date (`new`) or a weekly series (`series`), with the hours and places of the last date."""
    if kind not in KINDS:
        raise NotFound
    offer = await _own_offer(store, person, offer_id)
    latest = (await search.find_slots(store, SlotFilter(offer_id=offer_id, state="all", limit=200), now=now)).items
    values: dict[str, Any] = {"places": 25, "groups": 1, "starts": "09:00", "ends": "12:00"}
    if latest:
        last = latest[-1]
        values = {"places": last.places, "groups": last.groups, "starts": f"{last.starts_local:%H:%M}",
                  "ends": f"{last.ends_local:%H:%M}"}  # fmt: skip
    values |= {f"series.{name}": values[name] for name in ("starts", "ends")} | {"series.skip_days_off": "yes"}
    return pages.show(request, "slot_form.html", offer=offer, kind=kind, values=values)


@router.post("/offers/{offer_id}/slots/{kind}")
async def open_slots(
    offer_id: str, kind: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Open them; the offer's page says which days were left out and why."""
    form = await posted(request)
    if kind not in KINDS:
        raise NotFound
    offer = await _own_offer(store, person, offer_id)
    try:
        command = validated(OpenSlots, _slot_fields(form, kind))
        opened = await slots.open_slots(
            store, person, offer_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        names = {"starts_local": "day", "ends_local": "ends"} if kind == "new" else {
            "starts_local": "series.first_day", "ends_local": "series.ends", "series": "series.first_day",
        }  # fmt: skip
        values = typed(form, ("series.weekdays",))
        return pages.show(
            request, "slot_form.html", 422, offer=offer, kind=kind, values=values, **wrong(request, error, **names)
        )
    skipped = [("skipped", left.day.isoformat()) for left in opened.skipped[:SKIPPED_SHOWN]]
    return see_other(f"/events/offers/{offer_id}?{urlencode([('opened', len(opened.slots)), *skipped])}")


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


async def _own_offer(store: Any, person: Identity, offer_id: str) -> OfferView:
    offer = await offers.show_offer(store, person, offer_id)
    person.must_act_for_company(offer.company_id)
    return offer


async def _form(
    request: Request, pages: Any, store: Any, now: Any, person: Identity, values: dict[str, Any], status: int = 200,
    errors: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    companies = await overview.find_own(store, person, "company")
    if not companies:
        raise NotAllowed
    return pages.show(
        request, "offer_form.html", status, companies=companies, values=values, errors=errors or {}, grades=GRADES,
        campaigns=await overview.find_campaigns(store, now=now), fields=career_fields(language_of(request)),
    )  # fmt: skip


def _offer_fields(form: FormData) -> dict[str, Any]:
    fields = nested(form, lists=("grades",))
    fields["requirements"] = [line.strip() for line in str(form.get("requirements", "")).splitlines() if line.strip()]
    if "reminder_days" in fields:
        fields["reminder_days"] = [each.strip() for each in str(fields["reminder_days"]).split(",") if each.strip()]
    return fields


def _slot_fields(form: FormData, kind: str) -> dict[str, Any]:
    fields = nested(form)
    if kind == "series":
        series = fields.setdefault("series", {})
        if not isinstance(series, dict):
            raise Invalid
        series["weekdays"] = form.getlist("series.weekdays")
        series["skip_days_off"] = "skip_days_off" in series
        return fields | {"allow_days_off": not series["skip_days_off"]}
    day = fields.pop("day", "")
    times = {
        name: f"{day}T{fields.pop(field, '')}" for name, field in (("starts_local", "starts"), ("ends_local", "ends"))
    }
    return fields | times | {"allow_days_off": "allow_days_off" in fields}


def _skipped(request: Request) -> list[tuple[date, str]]:
    """The days that a series left out, with the reason, as far as the address names days."""
    named = []
    for text in request.query_params.getlist("skipped")[:SKIPPED_SHOWN]:
        try:
            day = date.fromisoformat(text)
            reason = day_off(day)
        except (ValueError, CalendarUnknown):
            continue
        if reason:
            named.append((day, reason.name_de if language_of(request) == "de" else reason.name_en))
    return named


async def _known(store: Any, person: Identity, company_id: str) -> dict[str, Any]:
    own = person.organisations("company")
    company_id = company_id or (own[0] if own else "")
    values: dict[str, Any] = {
        "company_id": company_id, "contact.name": person.name, "contact.email": person.email,
        "approval": "automatic", "waiting_list": "next_that_fits", "grades": [8, 9, 10], "offer_school_days": 2,
        "reminder_days": "14, 2",
    }  # fmt: skip
    for company in await overview.find_own(store, person, "company"):
        if company.id == company_id:
            address = {name: company.about.get(name, "") for name in ("street", "postal_code", "town")}
            values |= {f"place.{name}": value for name, value in {"name": company.name, **address}.items()}
    return values


def _like(offer: OfferView) -> dict[str, Any]:
    """An earlier offer's facts as a form's fields."""
    names = ("company_id", "title", "description", "field", "grades", "approval", "waiting_list", "offer_school_days")
    values: dict[str, Any] = {name: getattr(offer, name) for name in names}
    values |= {
        f"place.{name}": getattr(offer.place, name) for name in ("name", "street", "postal_code", "town", "directions")
    }
    if offer.contact:
        values |= {f"contact.{name}": getattr(offer.contact, name) for name in ("name", "email", "phone")}
    return values | {
        "requirements": "\n".join(offer.requirements), "groups_per_school": offer.groups_per_school or "",
        "reminder_days": ", ".join(str(days) for days in offer.reminder_days),
    }  # fmt: skip
