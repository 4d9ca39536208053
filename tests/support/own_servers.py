"""A mongod and a nats-server that belong to one test run alone, so that a test may kill them and wipe their data."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

SECONDS = 90  # a killed mongod goes through its journal first, on a busy machine slowly


class OwnServer:
    """A child process on a port of its own; `program` makes its command from the port and the data folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.data = folder / name
        self.port = free_port()
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What is run."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the process and wait until its port answers."""
        self.data.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + SECONDS
        while not answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.data.name} did not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End the process by SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Delete its data; only while it does not run."""
        assert self._process is None, "kill it first"
        shutil.rmtree(self.data)

    def copy_data_to(self, folder: Path) -> None:
        """Copy its data; only while it does not run."""
        shutil.copytree(self.data, folder)

    def put_data_back(self, folder: Path) -> None:
        """Have what copy_data_to left in `folder` instead of its data; only while it does not run."""
        self.wipe()
        shutil.copytree(folder, self.data)

    def close(self) -> None:
        """End it for good."""
        self.kill()


class OwnNats(OwnServer):
    """A NATS server with JetStream on disk."""

    def command(self) -> list[str]:
        """The program of the wheel, else the one on the PATH."""
        packaged = Path(sys.executable).parent / "nats-server"
        program = str(packaged) if packaged.exists() else shutil.which("nats-server")
        assert program, "there is no nats-server"
        return [program, "-js", "-a", "127.0.0.1", "-p", str(self.port), "-sd", str(self.data)]

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"nats://127.0.0.1:{self.port}"


class OwnMongod(OwnServer):
    """A MongoDB replica set of one."""

    def command(self) -> list[str]:
        """The program on the PATH, else the one of the wheel."""
        packaged = Path(sysconfig.get_path("purelib"), "fiftyone", "db", "bin", "mongod")
        if packaged.exists() and not os.access(packaged, os.X_OK):
            packaged.chmod(0o755)
        program = shutil.which("mongod") or str(packaged)
        return [program, "--replSet", "rs0", "--bind_ip", "127.0.0.1", "--port", str(self.port), "--quiet",
                "--dbpath", str(self.data), "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket"]  # fmt: skip

    def start(self) -> None:
        """Start the process, make it a replica set when it is none yet, and wait until it takes writes."""
        super().start()
        client = pymongo.MongoClient(f"mongodb://127.0.0.1:{self.port}/?directConnection=true")
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        try:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
        except OperationFailure as error:
            assert error.code == 23, error  # AlreadyInitialized
        deadline = time.monotonic() + SECONDS
        while not _writable(client):
            assert time.monotonic() < deadline, "the mongod takes no writes"
            time.sleep(0.02)
        client.close()

    @property
    def url(self) -> str:
        """What a driver connects to."""
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet=rs0"


def _writable(client: pymongo.MongoClient) -> bool:
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"])
    except PyMongoError:
        return False


def answers(port: int) -> bool:
    """Whether somebody accepts connections on `port`."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A free port below those that Linux gives to outgoing connections."""
    for _ in range(1000):
        port = 20000 + int.from_bytes(os.urandom(2)) % 12000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("there is no free port")
