"""A running system with everybody in it."""

from collections.abc import AsyncIterator

import pytest

from tests.support.estate import Estate, furnished
from tests.support.front_door import running_front_door
from tests.support.servers import MailServer, running_nats


@pytest.fixture(scope="session")
async def estate(
    mongodb_url: str, running_mailbox: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Estate]:
    """One for all of these tests."""
    with (
        running_nats(tmp_path_factory.mktemp("nats")) as nats_url,
        running_front_door(mongodb_url, nats_url, running_mailbox.smtp_url) as door,
    ):
        async with furnished(door, mongodb_url) as made:
            yield made
