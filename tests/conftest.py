"""Servers that many tests share: started when the first test asks for them, stopped at the end of the run."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.engine import ContainerMongod, ContainerNats, engine_answers, in_a_container
from tests.support.servers import MailServer, running_mail_server, running_mongod, running_nats

settings.register_profile("perspektive", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("perspektive")


class ByFileAndServers(LoadScopeScheduling):
    """Hands a file's tests to one worker, those in containers by themselves: each worker has servers of its own."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, name = nodeid.partition("::")
        return f"{file} in containers" if re.search(r"\bcontainer\b", name.partition("[")[2]) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFileAndServers:
    """In the order in which pytest has put them, so that a worker changes from processes to containers once."""
    return ByFileAndServers(config, log)


@pytest.fixture(scope="session")
def in_container(request: pytest.FixtureRequest) -> bool:
    """Whether MongoDB and NATS run in containers: only where tests/integration/conftest.py asks for it."""
    wanted = getattr(request, "param", None) is not None
    if wanted and not engine_answers():
        pytest.fail("no container engine answers, and REQUIRE_ENGINE=1 asks for one", pytrace=False)
    return wanted


@pytest.fixture(scope="session")
def mongodb_url(in_container: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real replica set of one. Give each test module a database name of its own."""
    with in_a_container(ContainerMongod) if in_container else running_mongod(tmp_path_factory.mktemp("mongod")) as url:
        yield url


@pytest.fixture(scope="session")
def nats_url(in_container: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real NATS server with JetStream."""
    with in_a_container(ContainerNats) if in_container else running_nats(tmp_path_factory.mktemp("nats")) as url:
        yield url


@pytest.fixture(scope="session")
def running_mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """A real SMTP server that keeps every mail."""
    with running_mail_server(tmp_path_factory.mktemp("mailbox")) as server:
        yield server


@pytest.fixture
def mail_server(running_mailbox: MailServer) -> MailServer:
    """The SMTP server, with no mails in it."""
    running_mailbox.clear()
    return running_mailbox
