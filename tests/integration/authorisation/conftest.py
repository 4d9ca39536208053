"""A running system with everybody in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.estate import Estate, furnished
from tests.support.estate_traces import leave_traces
from tests.support.front_door import running_front_door
from tests.support.servers import MailServer, running_nats


@pytest.fixture(scope="session")
async def estate(
    mongodb_url: str, running_mailbox: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Estate]:
    """One for all tests of who may do what."""
    async with _lived_in(mongodb_url, running_mailbox, tmp_path_factory.mktemp("nats")) as made:
        yield made


@pytest.fixture(scope="module")
async def fresh_estate(
    mongodb_url: str, running_mailbox: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Estate]:
    """One in which nobody has tried what may be done."""
    async with _lived_in(mongodb_url, running_mailbox, tmp_path_factory.mktemp("nats")) as made:
        yield made


@asynccontextmanager
async def _lived_in(mongodb_url: str, mailbox: MailServer, folder: Path) -> AsyncIterator[Estate]:
    with running_nats(folder) as nats_url, running_front_door(mongodb_url, nats_url, mailbox.smtp_url) as door:
        async with furnished(door, mongodb_url) as made:
            await leave_traces(made)
            yield made
