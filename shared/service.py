"""What every service process is made of, put together once: database, broker, relay, consumers, workers, readiness."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from shared import inbox, outbox
from shared.auth import Directory
from shared.broker import KEPT_SECONDS, Broker
from shared.clock import Clock
from shared.inbox import Dispatcher, Handler
from shared.mongo import connect, create_collections
from shared.outbox import Relay
from shared.restored import wait_until_whole
from shared.schemas.base import Message
from shared.set_aside import forget_personal
from shared.settings import CommonSettings
from shared.web import idempotency
from shared.workers import Worker, every, running

KEPT = timedelta(seconds=KEPT_SECONDS)
KEEP_ALIVE_SECONDS = 150  # longer than any proxy in front keeps idle connections: the end that sends must close first
COLLECTIONS = [
    "outbox",
    "inbox",
    "set_aside",
    "discarded",
    "idempotency",
    "leases",
    "relay_state",
    "people",
    "api_keys",
]


class Service:
    """One service's connections. Call `consume` before `lifespan` when it listens to messages."""

    def __init__(self, name: str, settings: CommonSettings, clock: Clock, listens_to: Sequence[str]) -> None:
        self.name = name
        self.clock = clock
        self.client = connect(settings.mongodb_url)
        self.db = self.client[f"{settings.database_prefix}_{name}"]
        self.broker = Broker(settings.nats_url, name, listens_to, self._receive, settings.stream_replicas)
        self.relay = Relay(self.db, self.broker, name)
        self.directory = Directory(self.db)
        self.dispatcher = Dispatcher(self.db, {}, None, clock)
        self._prepared = False

    def consume(self, handlers: Mapping[type[Message], Handler], context: object) -> None:
        """Hand messages to `handlers`, each called with (message, context, now)."""
        self.dispatcher = Dispatcher(self.db, handlers, context, self.clock)

    @asynccontextmanager
    async def lifespan(
        self, collections: list[str], prepare: Callable[[], Awaitable[None]], workers: dict[str, Worker]
    ) -> AsyncIterator[None]:
        """Prepare the database, waiting for it as long as it takes, and work until the block ends."""

        async def prepare_then_work() -> None:
            await wait_until_whole(self.db)
            await create_collections(self.db, COLLECTIONS + collections)
            await outbox.create_indexes(self.db)
            await inbox.create_indexes(self.db)
            await idempotency.create_indexes(self.db)
            await self.directory.create_indexes()
            await prepare()
            self._prepared = True
            common: dict[str, Worker] = {
                "broker": self.broker.run,
                "relay": self.relay.run,
                "forgetting": lambda: every(3600, self._forget),
            }
            async with running({**common, **workers}):
                await _for_ever()

        try:
            async with running({self.name: prepare_then_work}):
                yield
        finally:
            self.client.close()

    async def prepared(self) -> bool:
        """Whether collections and indexes are there."""
        return self._prepared

    async def store_answers(self) -> bool:
        """Whether the database has a primary that answers."""
        return bool((await self.db.command("hello")).get("isWritablePrimary"))

    async def broker_connected(self) -> bool:
        """Whether messages flow."""
        return self.broker.connected

    @property
    def checks(self) -> dict[str, Callable[[], Awaitable[bool]]]:
        """What the readiness shows; without the broker messages wait, and requests do not."""
        return {"store": self.store_answers, "prepared": self.prepared, "broker": self.broker_connected}

    async def _receive(self, wire: dict[str, object], attempt: int) -> None:
        await self.dispatcher.receive(wire, attempt)

    async def _forget(self) -> None:
        await outbox.forget_published(self.db, KEPT)
        await inbox.forget_handled(self.db, KEPT * 2)
        await forget_personal(self.db, self.clock.now())


async def _for_ever() -> None:
    await asyncio.Event().wait()


def keep_what_the_start_made() -> None:
    """What is there when the service is built stays anyway: Python need not look through it again for cycles that
    nothing reaches."""
    gc.collect()
    gc.freeze()


def front_door(services: Mapping[str, FastAPI]) -> Starlette:
    """One origin: each service below its path prefix, started and stopped with the whole."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for service in services.values():
                await stack.enter_async_context(service.router.lifespan_context(service))
            yield

    first = next(iter(services))
    icon = Route("/favicon.ico", lambda _: RedirectResponse(f"/{first}/static/icon.svg", 308))  # browsers ask unbidden
    mounts = [Mount(f"/{name}", app=service) for name, service in services.items()]
    app = Starlette(routes=[icon, *mounts], lifespan=lifespan)
    app.router.default = _nowhere(*next(iter(services.items())))
    return app


def _nowhere(name: str, service: ASGIApp) -> ASGIApp:
    """Answers for addresses of no service, in the look of the first one."""

    async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
        path = f"/{name}/api/nowhere" if "/api/" in scope["path"] else f"/{name}/nowhere"
        await service({**scope, "path": path, "root_path": f"/{name}"}, receive, send)

    return not_found
