"""One notify service per test: an empty database on a real mongod, and a real SMTP server that follows a script."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.mongo import Database, database
from tests.support.http_receiver import Receiver
from tests.support.notify_world import ScriptedServer, World, build_world
from tests.support.webhooks import Hooks, hooks_of


@pytest.fixture
async def notify_db(mongodb_url: str) -> AsyncIterator[Database]:
    """An empty database that is dropped afterwards."""
    async with database(mongodb_url, f"test_{uuid4().hex[:10]}_notify") as db:
        yield db
        await db.client.drop_database(db.name)


@pytest.fixture
async def smtp() -> AsyncIterator[ScriptedServer]:
    """The scripted SMTP server."""
    server = await ScriptedServer().start()
    yield server
    await server.stop()


@pytest.fixture
async def world(notify_db: Database, smtp: ScriptedServer) -> AsyncIterator[World]:
    """The service."""
    world = await build_world(notify_db, smtp)
    yield world
    await world.mailer.close()


@pytest.fixture
async def hooks(world: World) -> AsyncIterator[Hooks]:
    """The service with a program that webhooks call."""
    receiver = await Receiver().start()
    hooks = hooks_of(world, receiver)
    yield hooks
    await receiver.stop()
    await hooks.sender.settle()
    await hooks.caller.close()
