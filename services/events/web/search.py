"""Page: the search over offers, slots and registrations."""

from datetime import datetime

from fastapi import Request

from services.events.domain.facts import Offer, Registration, Slot
from services.events.usecases.find import Found, find_everything, may_search
from shared.auth import Identity
from shared.ids import registration_number
from shared.search import Hit, Hits, hits
from shared.ui.language import Language, day_and_time, translate
from shared.web.search import search_router

STATES = {
    "confirmed": "Confirmed", "requested": "Requested", "waitlisted": "Waiting list", "offered": "Place offered",
    "declined": "Declined", "expired": "Offer expired", "cancelled": "Cancelled", "attended": "Was there",
    "no_show": "Was not there",
}  # fmt: skip


async def _find(request: Request, person: Identity, q: str, now: datetime, language: Language) -> list[Hits]:
    found = await find_everything(request.app.state.store, person, q, now=now)
    return [
        hits("Registrations", [_registration(each, found, language) for each in found.registrations]),
        hits("Offers", [_offer(each) for each in found.offers]),
        hits("Dates", [_slot(each, found, language) for each in found.slots]),
    ]


def _registration(registration: Registration, found: Found, language: Language) -> Hit:
    slot = found.slots_by_id.get(registration.slot_id)
    offer = found.offers_by_id.get(registration.offer_id)
    about = (
        translate("No. {number}", language, number=registration_number(registration.id)),
        translate(STATES[registration.state], language),
        day_and_time(slot.starts_local, language) if slot else "",
        offer.facts.company_name if offer else "",
        registration.contact.name,
    )
    title = f"{registration.school_name}, {registration.group.name}"
    return Hit(f"/events/registrations/{registration.id}", title, tuple(each for each in about if each))


def _offer(offer: Offer) -> Hit:
    place = offer.facts.place
    return Hit(f"/events/offers/{offer.id}", offer.facts.title, (offer.facts.company_name, place.town))


def _slot(slot: Slot, found: Found, language: Language) -> Hit:
    offer = found.offers_by_id.get(slot.offer_id)
    title = f"{day_and_time(slot.starts_local, language)}: {offer.facts.title if offer else ''}"
    return Hit(f"/events/slots/{slot.id}/manage", title, (offer.facts.company_name,) if offer else ())


router = search_router(_find, may_search)
