"""Lists of this service as files, and their imports."""

from collections.abc import AsyncIterator, Mapping, Sequence

from fastapi import Request

from services.outreach.store.core import Store
from services.outreach.usecases.tables import ambassadors, companies, left_out, people, schools, shown
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
    return ambassadors.export_ambassadors(_store(request), person, **given)


def _schools(request: Request, person: Identity, given: Given) -> Batches:
    return schools.export_schools(_store(request), person, **given)


def _visits(request: Request, person: Identity, given: Given) -> Batches:
    return shown.export_visits(_store(request), person, _zone(request), **given)


def _campaigns(request: Request, person: Identity, given: Given) -> Batches:
    return shown.export_campaigns(_store(request), person, _zone(request))


def _report(request: Request, person: Identity, given: Given) -> Batches:
    now, language = request.app.state.clock.now(), language_of(request)
    return shown.export_report(_store(request), person, given["campaign_id"], _zone(request), language, now=now)


def _feedback(request: Request, person: Identity, given: Given) -> Batches:
    return shown.export_feedback(_store(request), person, _zone(request), done=given.get("done") == "true")


def _api_keys(request: Request, person: Identity, given: Given) -> Batches:
    return shown.export_api_keys(_store(request), person, _zone(request))


def _schools_left_out(request: Request, person: Identity, given: Given) -> Batches:
    return left_out.export_schools(_store(request), person, **given)


def _municipalities(request: Request, person: Identity, given: Given) -> Batches:
    return left_out.export_municipalities(_store(request), person, **given)


def _store(request: Request) -> Store:
    return request.app.state.store


def _zone(request: Request) -> str:
    return request.app.state.settings.zone


EXPORTS = (
    Export(companies.TABLE, "/companies", _companies),
    Export(people.TABLE, "/people", _people, ("organisation_id",), ("q",)),
    Export(ambassadors.TABLE, "/ambassadors", _ambassadors, ("company_id",)),
    Export(schools.TABLE, "/schools", _schools, ("q", "district", "school_type")),
    Export(shown.VISITS, "/visits", _visits, ("campaign_id", "school_id", "state", "field", "district")),
    Export(shown.CAMPAIGNS, "/campaigns", _campaigns),
    Export(shown.REPORT, "/campaigns/{campaign_id}/report", _report),
    Export(shown.FEEDBACK, "/feedback", _feedback, ("done",)),
    Export(shown.API_KEYS, "/api-keys", _api_keys),
    Export(left_out.SCHOOLS, "/coverage/schools", _schools_left_out, ("campaign_id", "school_type", "municipality")),
    Export(left_out.MUNICIPALITIES, "/coverage/municipalities", _municipalities, ("campaign_id", "school_type")),
)
router = export_router(EXPORTS)
router.include_router(import_router)
