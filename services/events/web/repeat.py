"""Again like last year, and changing what an offer says."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.events.api.parts import Now, TheStore
from services.events.usecases import offer_changes, offers, overview, repeating
from services.events.usecases.inputs import EditOffer, RepeatOffer
from services.events.usecases.results import OfferView
from services.events.web.parts import FORM_ERRORS, ThePages, offer_fields, offer_values, typed, wrong
from services.events.web.places import GRADES
from shared.auth import Identity
from shared.errors import Conflict, Invalid, NotAllowed
from shared.web.callers import Person
from shared.web.pages import form_request_id, language_of, nested, posted, see_other, validated

router = APIRouter()


@router.get("/offers/{offer_id}/again")
async def ask_again(
    offer_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The earlier dates a year later, with ticks, before anything is created."""
    offer = await _own_offer(store, person, offer_id)
    values = {f"contact.{name}": value for name, value in _contact(offer, person).items()}
    values["campaign_id"] = request.query_params.get("campaign_id", "")
    return await _again(request, pages, store, now, person, offer, values)


@router.post("/offers/{offer_id}/again")
async def open_again(
    offer_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The new offer with the chosen dates."""
    form = await posted(request)
    offer = await _own_offer(store, person, offer_id)
    try:
        command = validated(RepeatOffer, nested(form, lists=("slots",)))
        made = await repeating.repeat_offer(
            store, person, offer_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        values = typed(form, ("slots",))
        return await _again(request, pages, store, now, person, offer, values, 422, **wrong(request, error))
    return see_other(f"/events/offers/{made.id}?done=again&dates={len(command.slots)}")


@router.get("/offers/{offer_id}/edit")
async def ask_to_edit(
    offer_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The form with the offer's facts."""
    offer = await _own_offer(store, person, offer_id)
    return await _edit_form(request, pages, store, now, person, offer, offer_values(offer, language_of(request)))


@router.post("/offers/{offer_id}/edit")
async def edit(offer_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Change them; registered groups are told what matters to them."""
    form = await posted(request)
    offer = await _own_offer(store, person, offer_id)
    try:
        command = validated(EditOffer, offer_fields(form))
        await offer_changes.edit_offer(
            store, person, offer_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        values = typed(form, ("grades",))
        again = wrong(request, error, version="")
        return await _edit_form(request, pages, store, now, person, offer, values, 422, **again)
    return see_other(f"/events/offers/{offer_id}?done=edited")


async def _own_offer(store: Any, person: Identity, offer_id: str) -> OfferView:
    if not (person.coordinates or person.has("company")):
        raise NotAllowed
    offer = await offers.show_offer(store, person, offer_id)
    person.must_act_for_company(offer.company_id)
    return offer


async def _edit_form(
    request: Request, pages: Any, store: Any, now: Any, person: Identity, offer: OfferView, values: dict[str, Any],
    status: int = 200, errors: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    concerned = await offer_changes.count_groups_ahead(store, person, offer.id, now=now)
    return pages.show(
        request, "offer_edit.html", status, offer=offer, values=values, errors=errors or {}, grades=GRADES,
        concerned=concerned,
    )  # fmt: skip


async def _again(
    request: Request, pages: Any, store: Any, now: Any, person: Identity, offer: OfferView, values: dict[str, Any],
    status: int = 200, errors: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    campaigns = await overview.find_campaigns(store, now=now)
    if not values.get("campaign_id") and campaigns:
        values["campaign_id"] = campaigns[-1].id
    dates: list[repeating.Again] = []
    if values["campaign_id"]:
        try:
            dates = await repeating.preview_repetition(
                store, person, offer.id, values["campaign_id"], now=now, language=language_of(request)
            )
        except (Conflict, Invalid) as error:
            errors = {**wrong(request, error)["errors"], **(errors or {})}
    chosen = values.get("slots", [date.slot_id for date in dates])
    return pages.show(
        request, "offer_again.html", status, offer=offer, values=values, errors=errors or {}, campaigns=campaigns,
        dates=[date for date in dates if not date.reason], left_out=[date for date in dates if date.reason],
        chosen=chosen,
    )  # fmt: skip


def _contact(offer: OfferView, person: Identity) -> dict[str, str]:
    if offer.contact and offer.contact.email:
        return {"name": offer.contact.name, "email": offer.contact.email, "phone": offer.contact.phone}
    return {"name": person.name, "email": person.email, "phone": ""}
