"""All wiring of the service `outreach`."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from services.outreach.api.routers import ROUTERS as API
from services.outreach.consumer import HANDLERS
from services.outreach.settings import Settings
from services.outreach.store import collections
from services.outreach.store.core import Store
from services.outreach.usecases.erasure import erase_due
from services.outreach.usecases.reports import prove_figures
from services.outreach.usecases.schools import close_schools
from services.outreach.usecases.tables import IMPORTERS
from services.outreach.usecases.visit_proposals import expire_proposals
from services.outreach.web.oidc import add_oidc
from services.outreach.web.routers import ROUTERS as PAGES
from shared.clock import Clock
from shared.service import Service
from shared.tables.importing import Imports
from shared.web.edge import build_edge
from shared.web.pages import Pages
from shared.workers import Worker, every, every_by

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def create_app(settings: Settings, clock: Clock) -> FastAPI:
    """The application, to be mounted below /outreach. Nothing is connected before its lifespan begins."""
    service = Service("outreach", settings, clock, listens_to=["events", "notify"])
    store = Store(
        service.db,
        service.relay.wake,
        keep_people=timedelta(days=settings.keep_people_days),
        keep_visits=timedelta(days=settings.keep_visit_contacts_days),
        answer_school_days=settings.answer_school_days,
    )
    service.consume(HANDLERS, store)
    pages = Pages("outreach", Path(__file__).parent / "templates", settings.zone)
    imports = Imports(service.db, store, settings.zone, clock, IMPORTERS)
    workers: dict[str, Worker] = {
        "erasure": lambda: every_by(clock, HOUR, lambda: erase_due(store, now=clock.now())),
        "expiring proposals": lambda: every_by(clock, MINUTE, lambda: expire_proposals(store, now=clock.now())),
        "closing": lambda: every_by(clock, HOUR, lambda: close_schools(store, settings.zone, now=clock.now())),
        "imports": lambda: every(1, imports.work),
        "counting": lambda: every(1, store.tally.count_up),
        "proving figures": lambda: every(24 * 3600, lambda: prove_figures(store)),
    }

    async def prepare() -> None:
        await collections.create_indexes(store)

    def lifespan(_: FastAPI) -> AbstractAsyncContextManager[None]:
        return service.lifespan(collections.COLLECTIONS, prepare, workers)

    app = build_edge("outreach", settings, service.db, pages, lifespan, service.checks)
    app.state.settings, app.state.clock, app.state.store = settings, clock, store
    app.state.dispatcher, app.state.imports = service.dispatcher, imports
    add_oidc(app, settings)
    for router in API:
        app.include_router(router, prefix="/api/v1")
    for router in PAGES:
        app.include_router(router, include_in_schema=False)
    return app
