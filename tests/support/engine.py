"""MongoDB and NATS in containers, where a container engine answers: what own_servers.py gives as child processes.

TEST_MONGO_IMAGE and TEST_NATS_IMAGE name other images; REQUIRE_ENGINE=1 makes the lack of an engine a failure.
"""

import os
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pymongo

from deploy.local.mongod import FEW_OPEN_FILES
from shared.mongo import initiate_replica_set
from tests.support.own_servers import free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:  # it takes a second or two to load, which a run without containers need not spend
    from testcontainers.core.container import DockerContainer

SECONDS = 30


@cache
def engine_answers() -> bool:
    """Whether there is a container engine; asked once in a run, for at most three seconds."""
    import requests
    from docker.errors import DockerException
    from testcontainers.core.docker_client import DockerClient

    try:
        return DockerClient(timeout=3).client.ping()
    except (DockerException, requests.RequestException):
        return False


def engine_is_required() -> bool:
    """Whether a test that needs an engine fails for the lack of one, instead of being listed as not run."""
    return os.environ.get("REQUIRE_ENGINE") == "1"


@contextmanager
def in_a_container(kind: "type[ContainerMongod | ContainerNats]") -> Iterator[str]:
    """A server of that kind; yields its URL."""
    with closing(kind()) as server:
        server.start()
        yield server.url


class ContainerServer:
    """A server in a container, on the same port inside and outside, so that it is found there again after a kill."""

    data: str

    def __init__(self) -> None:
        self.port = free_port()
        self.host = ""
        self._container: DockerContainer | None = None
        self._first_data: Path | None = None

    def image(self) -> str:
        """What the container is made from."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """What runs in it."""
        raise NotImplementedError

    def wait_until_ready(self, is_new: bool) -> None:
        """Return when the server works; `is_new` when its container has just been made."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the server, in a new container when there is none, and wait until it works."""
        if is_new := self._container is None:
            self._create()
        else:
            self._container.get_wrapped_container().start()
        try:
            self.wait_until_ready(is_new)
        except Exception as error:
            raise RuntimeError(f"{self.image()} did not start: {self._container.get_logs()}") from error

    def kill(self) -> None:
        """End the server by SIGKILL, as a crash would."""
        container = self._container.get_wrapped_container()
        container.kill()
        container.wait()

    def copy_data_to(self, folder: Path) -> None:
        """Copy its data; only while it does not run."""
        pieces, _ = self._container.get_wrapped_container().get_archive(self.data)
        with tempfile.TemporaryFile() as file:
            file.writelines(pieces)
            file.seek(0)
            with tarfile.open(fileobj=file) as archive:
                archive.extractall(folder, filter="data")

    def put_data_back(self, folder: Path) -> None:
        """Have what copy_data_to left in `folder` instead of its data; only while it does not run."""
        self.wipe()
        self._first_data = folder / Path(self.data).name

    def wipe(self) -> None:
        """Delete its data; only while it does not run."""
        self.close()
        self._first_data = None

    def close(self) -> None:
        """Remove the container and its data."""
        container, self._container = self._container, None
        if container is not None:
            container.stop()

    def _create(self) -> None:
        from testcontainers.core.container import DockerContainer

        self._container = DockerContainer(self.image()).with_command(self.command())
        self._container.with_bind_ports(self.port, self.port)
        if self._first_data:
            self._container.with_copy_into_container(self._first_data, str(Path(self.data).parent))
        self._container.start()
        self.host = self._container.get_container_host_ip()


class ContainerNats(ContainerServer):
    """A NATS server with JetStream on disk."""

    data = "/data"

    def image(self) -> str:
        """The official one of the version that the embedded start has."""
        return os.environ.get("TEST_NATS_IMAGE", "nats:2.15.0-alpine")

    def command(self) -> list[str]:
        """Options only: the image's entry point knows the program."""
        return ["-js", "-sd", self.data, "-p", str(self.port)]

    def wait_until_ready(self, is_new: bool) -> None:
        """Until it greets; that its port is open says nothing, as the engine itself opens it."""
        wait_until(self._greets, SECONDS)

    def _greets(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as connection:
                return connection.recv(4096).startswith(b"INFO")
        except OSError:
            return False

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"nats://{self.host}:{self.port}"


class ContainerMongod(ContainerServer):
    """A MongoDB replica set of one, with transactions."""

    data = "/data/db"

    def image(self) -> str:
        """The official one of the version that the embedded start has."""
        return os.environ.get("TEST_MONGO_IMAGE", "mongo:6.0.26")

    def command(self) -> list[str]:
        """As the embedded start has it, but reachable from outside of the container."""
        return ["mongod", "--replSet", "rs0", "--bind_ip_all", "--port", str(self.port), "--quiet",
                "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "256",
                "--wiredTigerEngineConfigString", FEW_OPEN_FILES]  # fmt: skip

    def wait_until_ready(self, is_new: bool) -> None:
        """Until it is the primary of its replica set, which is made when it is new."""
        if is_new:
            initiate_replica_set(self.port, seconds=SECONDS, host=self.host)
        with pymongo.MongoClient(self.url, serverSelectionTimeoutMS=1000 * SECONDS) as client:
            client.admin.command("ping")

    @property
    def url(self) -> str:
        """What a driver connects to."""
        return f"mongodb://{self.host}:{self.port}/?replicaSet=rs0"
