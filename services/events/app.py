"""All wiring of this service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from services.events import consumer
from services.events.api import offers, registrations, slots, upkeep
from services.events.settings import Settings
from services.events.store.store import COLLECTIONS, Store
from services.events.usecases.coverage import prove_need_and_supply
from services.events.usecases.tables import IMPORTERS
from services.events.usecases.upkeep import ask_and_release, erase_due, expire_offers, finish_left_behind, reconcile
from services.events.web.routers import ROUTERS as PAGES
from shared.answer_links import AnswerLinks
from shared.clock import Clock
from shared.school_calendar import known_until
from shared.service import Service
from shared.tables.importing import Imports
from shared.web.edge import build_edge
from shared.web.pages import Pages
from shared.workers import Worker, every, every_by

HOUR = timedelta(hours=1)


def create_app(settings: Settings, clock: Clock) -> FastAPI:
    """The service's application, to be mounted under /events."""
    service = Service("events", settings, clock, listens_to=["outreach", "notify"])
    store = Store(service.db, timedelta(days=settings.contact_kept_days), settings.zone)
    store.written = service.relay.wake
    imports = Imports(service.db, store, settings.zone, clock, IMPORTERS)
    service.consume(consumer.HANDLERS, consumer.Context(store, service.directory))

    async def prepare() -> None:
        await store.create_indexes()
        await store.note_municipalities()
        await finish_left_behind(store, now=clock.now(), older_than=timedelta())
        await reconcile(store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.lifespan(COLLECTIONS, prepare, _workers(store, clock, imports)):
            yield
            await store.places.close()

    pages = Pages("events", Path(__file__).parent / "templates", settings.zone)
    app = build_edge("events", settings, service.db, pages, lifespan, service.checks)
    app.state.store = store
    app.state.clock = clock
    app.state.secret_key = settings.secret_key.get_secret_value()
    app.state.answer_links = AnswerLinks(app.state.secret_key, settings.public_url)
    app.state.mail_domain = settings.calendar_domain
    app.state.dispatcher = service.dispatcher
    app.state.imports = imports
    for router in (slots.router, registrations.router, offers.router, upkeep.router):  # the busiest routes first
        app.include_router(router, prefix="/api/v1")
    for router in PAGES:
        app.include_router(router, include_in_schema=False)
    return app


def _workers(store: Store, clock: Clock, imports: Imports) -> dict[str, Worker]:
    return {
        "calendar": lambda: every(
            3600, lambda: asyncio.to_thread(known_until)
        ),  # built once, before anybody waits for it
        "expiring offers": lambda: every(1, lambda: expire_offers(store, now=clock.now())),
        "asking again": lambda: every(5, lambda: ask_and_release(store, now=clock.now())),
        "finishing": lambda: every(2, lambda: finish_left_behind(store, now=clock.now())),
        "erasing": lambda: every_by(clock, HOUR, lambda: erase_due(store, now=clock.now())),
        "imports": lambda: every(1, imports.work),
        "counting": lambda: every(1, store.tally.count_up),
        "proving counts": lambda: every(24 * 3600, lambda: prove_need_and_supply(store)),
    }
