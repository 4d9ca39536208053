"""Real servers that belong to these tests alone: some tests kill them."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from shared.mongo import Database, database
from tests.support.kernel import prepare
from tests.support.own_servers import OwnMongod, OwnNats


@pytest.fixture(scope="session")
def own_mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnMongod]:
    """A mongod that a test may kill and start again."""
    server = OwnMongod(tmp_path_factory.mktemp("kernel"), "mongod")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnNats]:
    """A fresh NATS server that a test may kill, wipe and start again."""
    server = OwnNats(tmp_path_factory.mktemp("kernel"), "nats")
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def db(own_mongod: OwnMongod) -> AsyncIterator[Database]:
    """An empty database of one service."""
    async with database(own_mongod.url, f"kernel_{uuid4().hex[:12]}") as made:
        yield await prepare(made)
        await made.client.drop_database(made.name)


@pytest.fixture
async def other_db(own_mongod: OwnMongod) -> AsyncIterator[Database]:
    """An empty database of another service."""
    async with database(own_mongod.url, f"kernel_{uuid4().hex[:12]}") as made:
        yield await prepare(made)
        await made.client.drop_database(made.name)
