"""Lists of this service as files, and their imports."""

from collections.abc import AsyncIterator, Mapping, Sequence

from fastapi import Request

from services.outreach.store.core import Store
from services.outreach.usecases.tables import ambassadors, companies, people, schools, shown
from shared.auth import Identity
from shared.tables.columns import Row
from shared.web.pages import language_of
from shared.web.tables import Export, export_router, import_router

Given = Mapping[str, str]
Batches = AsyncIterator[Sequence[Row]]


def _companies(request: Request, person: Identity, given: Given) -> Batches:
    return companies.export_companies(_store(request), person)


def _people(request: Request, person: Identity, given: Given) -> Batches:
    return people.export_people(_store(request), person, **given)


def _ambassadors(request: Request, person: Identity, given: Given) -> Batches:
    return ambassadors.export_ambassadors(_store(request), person)


def _schools(request: Request, person: Identity, given: Given) -> Batches:
    return schools.export_schools(_store(request), person, **given)


def _visits(request: Request, person: Identity, given: Given) -> Batches:
    return shown.export_visits(_store(request), person, _zone(request), **given)


def _campaigns(request: Request, person: Identity, given: Given) -> Batches:
    return shown.export_campaigns(_store(request), person, _zone(request))


def _report(request: Request, person: Identity, given: Given) -> Batches:
    now, language = request.app.state.clock.now(), language_of(request)
    return shown.export_report(_store(request), person, given["campaign_id"], _zone(request), language, now=now)


def _store(request: Request) -> Store:
    return request.app.state.store


def _zone(request: Request) -> str:
    return request.app.state.settings.zone


EXPORTS = (
    Export(companies.TABLE, "/companies", _companies),
    Export(people.TABLE, "/people", _people, ("organisation_id",)),
    Export(ambassadors.TABLE, "/ambassadors", _ambassadors),
    Export(schools.TABLE, "/schools", _schools, ("q", "district", "school_type")),
    Export(shown.VISITS, "/visits", _visits, ("campaign_id", "school_id", "state")),
    Export(shown.CAMPAIGNS, "/campaigns", _campaigns),
    Export(shown.REPORT, "/campaigns/{campaign_id}/report", _report),
)
router = export_router(EXPORTS)
router.include_router(import_router)
