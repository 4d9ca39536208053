"""Lists of this service as files."""

from collections.abc import AsyncIterator, Mapping, Sequence

from fastapi import Request

from services.notify.usecases import tables
from shared.auth import Identity
from shared.tables.columns import Row
from shared.web.tables import Export, export_router


def _deliveries(request: Request, person: Identity, given: Mapping[str, str]) -> AsyncIterator[Sequence[Row]]:
    state = request.app.state
    return tables.export_deliveries(state.context, person, given, state.settings.zone)


def _suppressions(request: Request, person: Identity, given: Mapping[str, str]) -> AsyncIterator[Sequence[Row]]:
    state = request.app.state
    return tables.export_suppressions(state.context, person, state.settings.zone, lifted=bool(given.get("lifted")))


def _stuck(request: Request, person: Identity, given: Mapping[str, str]) -> AsyncIterator[Sequence[Row]]:
    state = request.app.state
    return tables.export_stuck(state.context, person, given.get("kind", ""), state.settings.zone)


def _coming(request: Request, person: Identity, given: Mapping[str, str]) -> AsyncIterator[Sequence[Row]]:
    state = request.app.state
    return tables.export_coming(state.context, person, state.settings.zone, now=state.clock.now())


router = export_router(
    [
        Export(tables.TABLE, "/deliveries", _deliveries, ("state", "kind", "about")),
        Export(tables.STUCK, "/stuck", _stuck, ("kind",)),
        Export(tables.COMING, "/upcoming", _coming),
        Export(tables.SUPPRESSIONS, "/suppressions", _suppressions, ("lifted",)),
    ]
)
