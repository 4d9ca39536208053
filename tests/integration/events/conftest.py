"""A database of its own for each test of the service `events`."""

from collections.abc import AsyncIterator

import pytest

from shared.ids import random_id
from shared.mongo import Database, database


@pytest.fixture
async def db(mongodb_url: str) -> AsyncIterator[Database]:
    """An empty database, dropped afterwards."""
    name = f"test_events_{random_id()[:12]}"
    async with database(mongodb_url, name) as opened:
        yield opened
        await opened.client.drop_database(name)
