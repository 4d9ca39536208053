"""Lists of this service as files, and their imports."""

from collections.abc import AsyncIterator, Mapping, Sequence

from fastapi import Request

from services.events.store.store import Store
from services.events.usecases.tables import need, offers, registrations, self_found, slots, visitors
from shared.auth import Identity
from shared.tables.columns import Row
from shared.web.pages import language_of
from shared.web.tables import Export, export_router, import_router

Given = Mapping[str, str]
Batches = AsyncIterator[Sequence[Row]]
SLOT_FILTERS = (
    "district", "field", "from", "to", "grade", "free_places", "near_school", "max_km", "campaign_id", "company_id",
    "offer_id", "state",
)  # fmt: skip


def _offers(request: Request, person: Identity, given: Given) -> Batches:
    return offers.export_offers(_store(request), person, **given)


def _slots(request: Request, person: Identity, given: Given) -> Batches:
    return slots.export_slots(_store(request), person, given, now=request.app.state.clock.now())


def _registrations(request: Request, person: Identity, given: Given) -> Batches:
    return registrations.export_registrations(_store(request), person, given)


def _self_found(request: Request, person: Identity, given: Given) -> Batches:
    return self_found.export_self_found(_store(request), person, given)


def _need(request: Request, person: Identity, given: Given) -> Batches:
    return need.export_need_and_supply(_store(request), person, given.get("campaign_id"), language_of(request))


def _visitors(request: Request, person: Identity, given: Given) -> Batches:
    now, past = request.app.state.clock.now(), given.get("past") == "yes"
    return visitors.export_visitors(_store(request), person, now=now, past=past)


def _store(request: Request) -> Store:
    return request.app.state.store


REGISTRATION_FILTERS = ("school_id", "company_id", "slot_id", "campaign_id", "state")
EXPORTS = (
    Export(offers.TABLE, "/offers", _offers, ("campaign_id",)),
    Export(slots.TABLE, "/slots", _slots, SLOT_FILTERS),
    Export(registrations.TABLE, "/registrations", _registrations, REGISTRATION_FILTERS),
    Export(need.TABLE, "/coverage", _need, ("campaign_id",)),
    Export(visitors.TABLE, "/company/visitors", _visitors, ("past",)),
    Export(self_found.TABLE, "/self-found", _self_found, ("campaign_id", "school_id")),
)
router = export_router(EXPORTS)
router.include_router(import_router)
