"""One notify service per test: a database emptied for it on a real mongod, and an SMTP server that has a script."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.mongo import Database, database
from tests.support.http_receiver import Receiver
from tests.support.notify_world import ScriptedServer, World, build_world
from tests.support.webhooks import Hooks, hooks_of


@pytest.fixture(scope="session")
async def _notify_db(mongodb_url: str) -> AsyncIterator[Database]:
    """One database for all tests here, whose collections and indexes are made once."""
    async with database(mongodb_url, f"test_{uuid4().hex[:10]}_notify") as db:
        yield db
        await db.client.drop_database(db.name)


@pytest.fixture
async def notify_db(_notify_db: Database) -> Database:
    """The database with nothing in it."""
    for name in await _notify_db.list_collection_names():
        await _notify_db[name].delete_many({})
    return _notify_db


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
