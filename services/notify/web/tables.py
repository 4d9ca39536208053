"""The mail log and the suppressed addresses as files."""

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


router = export_router(
    [
        Export(tables.TABLE, "/deliveries", _deliveries, ("state", "kind", "about")),
        Export(tables.SUPPRESSIONS, "/suppressions", _suppressions, ("lifted",)),
    ]
)
