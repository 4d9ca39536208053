"""A weekly series of dates: first the preview, then the dates; and taking back those that nobody holds."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from services.events.api.parts import Now, TheStore
from services.events.domain.errors import NothingTicked
from services.events.usecases import offers, search, series, slots
from services.events.usecases.inputs import OpenSlots, SlotFilter
from services.events.usecases.results import OfferView
from services.events.web.parts import FORM_ERRORS, ThePages, typed, wrong
from shared.auth import Identity
from shared.errors import Invalid
from shared.web.callers import Person
from shared.web.pages import form_request_id, language_of, nested, posted, see_other, validated

router = APIRouter()
KEPT = ("series.first_day", "series.last_day", "series.starts", "series.ends", "places", "groups")


@router.get("/offers/{offer_id}/slots/series")
async def ask(offer_id: str, request: Request, pages: ThePages, store: TheStore, person: Person, now: Now) -> Response:
    """The form, with the hours and places of the last date."""
    offer = await _own_offer(store, person, offer_id)
    known = await last_times(store, person, offer_id, now)
    values = known | {f"series.{name}": known[name] for name in ("starts", "ends")} | {"series.skip_days_off": "yes"}
    return pages.show(request, "slot_form.html", offer=offer, kind="series", values=values)


@router.post("/offers/{offer_id}/slots/series")
async def open_series(
    offer_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """First every date with a tick and every day left out with its reason; then the ticked dates are opened."""
    form = await posted(request)
    offer = await _own_offer(store, person, offer_id)
    step, language = form.get("step"), language_of(request)
    values = typed(form, ("series.weekdays", "series.only"))
    if step == "change":
        return pages.show(request, "slot_form.html", offer=offer, kind="series", values=values)
    nothing = step == "open" and not values["series.only"]
    try:
        command = validated(OpenSlots, _fields(form, only=step == "open" and not nothing))
        if step != "open" or nothing:
            plan = await series.preview_series(store, person, offer_id, command, now=now, language=language)
            shown = {"offer": offer, "plan": plan, "values": values, "kept": KEPT}
            reasons = wrong(request, NothingTicked()) if nothing and plan.dates else {}
            return pages.show(request, "series_preview.html", 422 if nothing else 200, **shown, **reasons)
        request_id = form_request_id(person, form)
        opened = await slots.open_slots(
            store, person, offer_id, command, now=now, request_id=request_id, language=language
        )
    except FORM_ERRORS as error:
        names = {
            "starts_local": "series.first_day", "ends_local": "series.ends", "series": "series.first_day",
        }  # fmt: skip
        return pages.show(
            request, "slot_form.html", 422, offer=offer, kind="series", values=values, **wrong(request, error, **names)
        )
    return see_other(f"/events/offers/{offer_id}?opened={len(opened.slots)}&batch={request_id}")


@router.get("/offers/{offer_id}/slots/withdraw")
async def ask_to_withdraw(
    offer_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The dates that nobody holds, with ticks; those just opened are ticked."""
    return await _withdraw_page(request, pages, store, now, person, offer_id)


@router.post("/offers/{offer_id}/slots/withdraw")
async def withdraw(
    offer_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Take the ticked dates back."""
    form = await posted(request)
    chosen = [str(each) for each in form.getlist("slots")]
    try:
        done, kept = await series.withdraw_slots(
            store, person, offer_id, chosen, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        return await _withdraw_page(request, pages, store, now, person, offer_id, 422, **wrong(request, error))
    return see_other(f"/events/offers/{offer_id}?withdrawn={done}&kept={kept}")


async def last_times(store: Any, person: Identity, offer_id: str, now: Any) -> dict[str, Any]:
    """Hours, places and groups of the offer's last date, or usual ones."""
    every = SlotFilter(offer_id=offer_id, state="all", limit=200)
    latest = (await search.find_slots(store, every, now=now, identity=person)).items
    if not latest:
        return {"places": 25, "groups": 1, "starts": "09:00", "ends": "12:00"}
    last = latest[-1]
    return {"places": last.places, "groups": last.groups, "starts": f"{last.starts_local:%H:%M}",
            "ends": f"{last.ends_local:%H:%M}"}  # fmt: skip


async def _withdraw_page(
    request: Request, pages: Any, store: Any, now: Any, person: Identity, offer_id: str, status: int = 200, **more: Any
) -> Response:
    offer = await _own_offer(store, person, offer_id)
    batch = request.query_params.get("batch", "")
    chosen = await series.find_opened_at_once(store, person, offer_id, batch) if batch else set()
    empty = await series.find_empty_slots(store, person, offer_id, now=now)
    return pages.show(request, "slots_withdraw.html", status, offer=offer, slots=empty, chosen=chosen, **more)


async def _own_offer(store: Any, person: Identity, offer_id: str) -> OfferView:
    offer = await offers.show_offer(store, person, offer_id)
    person.must_act_for_company(offer.company_id)
    return offer


def _fields(form: FormData, only: bool) -> dict[str, Any]:
    fields = nested(form)
    weekly = fields.setdefault("series", {})
    if not isinstance(weekly, dict):
        raise Invalid
    fields.pop("step", None)
    weekly["weekdays"] = form.getlist("series.weekdays")
    weekly["skip_days_off"] = "skip_days_off" in weekly
    weekly.pop("only", None)
    if only:
        weekly["only"] = form.getlist("series.only")
    return fields | {"allow_days_off": not weekly["skip_days_off"]}
