"""All wiring of the service `notify`."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from services.notify.api.routers import ROUTERS as API_ROUTERS
from services.notify.bounce_mailbox import mailbox_of, watch
from services.notify.consumer import HANDLERS
from services.notify.rendering import Writer
from services.notify.sender import Sender
from services.notify.settings import Settings
from services.notify.smtp.mailer import Mailer
from services.notify.smtp.relays import relays_of
from services.notify.store.core import COLLECTIONS, Store
from services.notify.timing import parse_quiet_hours
from services.notify.usecases.bouncing import hear_bounce
from services.notify.usecases.context import Context
from services.notify.usecases.erasure import erase_due
from services.notify.usecases.tokens import Tokens
from services.notify.web.routers import ROUTERS
from services.notify.webhooks.addresses import Guard
from services.notify.webhooks.caller import Caller
from services.notify.webhooks.sender import WebhookSender
from shared.answer_links import AnswerLinks
from shared.clock import Clock
from shared.service import Service
from shared.web.edge import build_edge
from shared.web.pages import Pages
from shared.workers import Worker, every_by

HOUR = timedelta(hours=1)


def writer_of(settings: Settings) -> Writer:
    """Who writes mails by these settings."""
    links = AnswerLinks(settings.secret_key.get_secret_value(), settings.public_url)
    return Writer(
        settings.public_url, settings.mail_from, settings.mail_domain, settings.zone, settings.bounce_address, links
    )


def create_app(settings: Settings, clock: Clock) -> FastAPI:
    """The application, to be mounted below /notify. Nothing is connected before its lifespan begins."""
    service = Service("notify", settings, clock, listens_to=["outreach", "events"])
    writer = writer_of(settings)
    store = Store(
        service.db,
        settings.retention_days,
        written=service.relay.wake,
        planned=lambda: wake_senders(),
        pupil_retention_days=settings.pupil_retention_days,
        secret_key=settings.secret_key.get_secret_value(),
    )
    quiet = parse_quiet_hours(settings.quiet_hours, settings.zone)
    tokens = Tokens(settings.secret_key.get_secret_value(), settings.public_url)
    context = Context(store, writer, tokens, quiet, settings.reminders_per_week)
    relays = relays_of(settings.smtp_url.get_secret_value())
    mailer = Mailer(relays, settings.smtp_timeout_seconds, settings.mails_at_once)
    sender = Sender(context, mailer, clock, settings.mails_at_once)
    caller = Caller(Guard(settings.webhooks_to_this_machine))
    webhooks = WebhookSender(context, caller, clock)

    def wake_senders() -> None:
        sender.wake()
        webhooks.wake()

    service.consume(HANDLERS, context)
    workers: dict[str, Worker] = {
        "sender": sender.run,
        "webhooks": webhooks.run,
        "erasure": lambda: every_by(clock, HOUR, lambda: erase_due(context, now=clock.now())),
    }
    if settings.bounce_mailbox:
        mailbox = mailbox_of(settings.bounce_mailbox.get_secret_value())
        workers["bounces"] = lambda: watch(
            mailbox, lambda mail: hear_bounce(context, mail, now=clock.now()), settings.bounce_mailbox_seconds
        )

    def lifespan(_: FastAPI) -> AbstractAsyncContextManager[None]:
        return service.lifespan(COLLECTIONS, store.create_indexes, workers)

    pages = Pages("notify", Path(__file__).parent / "templates", settings.zone)
    app = build_edge("notify", settings, service.db, pages, lifespan, service.checks)
    app.state.settings, app.state.clock, app.state.context = settings, clock, context
    app.state.dispatcher, app.state.mailer = service.dispatcher, mailer
    app.state.guard = caller.guard
    for router in API_ROUTERS:
        app.include_router(router, prefix="/api/v1")
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False)
    return app
