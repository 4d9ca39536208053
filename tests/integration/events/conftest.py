"""An empty database for each test of the service `events`; collections and indexes are made once."""

from collections.abc import AsyncIterator

import pytest

from shared.ids import random_id
from shared.mongo import Database, database


@pytest.fixture(scope="session")
async def events_db(mongodb_url: str) -> AsyncIterator[Database]:
    """One database for all tests here, dropped at the end."""
    name = f"test_events_{random_id()[:12]}"
    async with database(mongodb_url, name) as opened:
        yield opened
        await opened.client.drop_database(name)


@pytest.fixture
async def db(events_db: Database) -> Database:
    """The database with nothing in it."""
    for name in await events_db.list_collection_names():
        await events_db[name].delete_many({})
    return events_db
