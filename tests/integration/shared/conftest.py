"""Real servers that belong to these tests alone: some tests kill them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from uuid import uuid4

import pytest

from shared.mongo import Database, database
from tests.support.engine import ContainerMongod, ContainerNats
from tests.support.kernel import prepare
from tests.support.own_servers import OwnMongod, OwnNats


@pytest.fixture(scope="session")
def own_mongod(in_container: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnMongod | ContainerMongod]:
    """A mongod that a test may kill and start again."""
    server = ContainerMongod() if in_container else OwnMongod(tmp_path_factory.mktemp("kernel"), "mongod")
    with closing(server):
        server.start()
        yield server


@pytest.fixture
def own_nats(in_container: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnNats | ContainerNats]:
    """A fresh NATS server that a test may kill, wipe and start again."""
    server = ContainerNats() if in_container else OwnNats(tmp_path_factory.mktemp("kernel"), "nats")
    with closing(server):
        server.start()
        yield server


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
