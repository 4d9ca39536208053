"""The mail log as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence

from fastapi import Request

from services.notify.usecases import tables
from shared.auth import Identity
from shared.tables.columns import Row
from shared.web.tables import Export, export_router


def _deliveries(request: Request, person: Identity, given: Mapping[str, str]) -> AsyncIterator[Sequence[Row]]:
    state = request.app.state
    return tables.export_deliveries(state.context, person, given, state.settings.zone)


router = export_router([Export(tables.TABLE, "/deliveries", _deliveries, ("state", "kind", "about"))])
