"""A real mongod as a child process: a replica set of one."""

import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path

from deploy.local.errors import CannotStart
from deploy.local.ports import HOST
from deploy.local.probes import mongod_is_writable
from deploy.local.processes import Child

REPLICA_SET = "rs0"
_PACKAGES = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3"}
_INITIATE = "import sys; from shared.mongo import initiate_replica_set; initiate_replica_set(int(sys.argv[1]))"
# A file that nobody has used for half a minute is closed, not after ten: machines may allow few open files.
FEW_OPEN_FILES = "file_manager=(close_idle_time=30,close_scan_interval=10,close_handle_minimum=250)"


def mongod(data: Path, port: int, log: Path, pass_fds: tuple[int, ...] = ()) -> Child:
    """The child process; `data` is its folder and is created when missing."""
    data.mkdir(parents=True, exist_ok=True)
    options = {
        "dbpath": str(data),
        "bind_ip": HOST,
        "port": str(port),
        "replSet": REPLICA_SET,
        "wiredTigerCacheSizeGB": "0.25",
        "oplogSize": "256",  # MB
        "wiredTigerEngineConfigString": f"log=(prealloc=false),{FEW_OPEN_FILES}",  # 100 MB ahead cost seconds
    }
    parameters = {
        "diagnosticDataCollectionEnabled": "false",
        "shutdownTimeoutMillisForSignaledShutdown": "100",
        "transactionLifetimeLimitSeconds": "5",  # an open transaction outlives a killed process and holds its documents
    }
    return Child(
        "MongoDB",
        [
            find_mongod(),
            "--quiet",
            "--nounixsocket",
            *(word for name, value in options.items() for word in (f"--{name}", value)),
            *(word for name, value in parameters.items() for word in ("--setParameter", f"{name}={value}")),
        ],
        log,
        pass_fds=pass_fds,
        explain=explain,
    )


def mongodb_url(port: int) -> str:
    """What a driver connects to."""
    return f"mongodb://{HOST}:{port}/?replicaSet={REPLICA_SET}"


def find_mongod() -> str:
    """The program: on the PATH, or the one that came as a Python package; CannotStart when there is neither."""
    if on_path := shutil.which("mongod"):
        return on_path
    packaged = Path(sysconfig.get_path("purelib"), "fiftyone", "db", "bin", "mongod")
    if not packaged.exists():
        raise CannotStart(
            "There is no mongod: neither on the PATH nor as a package for this kind of machine;"
            " install MongoDB, or name a running replica set with MONGODB_URL."
        )
    if not os.access(packaged, os.X_OK):  # some installers leave out the bit
        packaged.chmod(0o755)
    return str(packaged)


def explain(lines: str) -> str | None:
    """A sentence for the commonest reasons why a mongod does not start."""
    if missing := re.search(r"loading shared libraries: (\S+?):", lines):
        package = _PACKAGES.get(missing[1], missing[1])
        return f'mongod needs {package}: as root "apt-get install {package}", or set MONGODB_URL.'
    if re.search(r"not compatible|Wrong mongod version|UPGRADE PROBLEM", lines):
        return "The data folder was written by another version of MongoDB: make reset, or use that version."
    return None


class WritablePrimary:
    """The question whether the mongod of `data` on `port` takes writes.

    Makes the replica set by a child of its own when it is new, or has been known under another port so far.
    """

    def __init__(self, data: Path, port: int, logs: Path) -> None:
        self._port = port
        self._known_as = data / "replica-set-port"
        self._helper: Child | None = None
        if not self._known_as.exists() or self._known_as.read_text() != str(port):
            command = [sys.executable, "-c", _INITIATE, str(port)]
            self._helper = Child("The replica set", command, logs / "replica-set.log")
            self._helper.start()

    def __call__(self) -> bool:
        """CannotStart when the replica set could not be made."""
        return self._is_made() and mongod_is_writable(self._port)

    def _is_made(self) -> bool:
        if self._helper is None:
            return True
        if not self._helper.has_ended():
            return False
        if self._helper.exit_code() != 0:
            raise CannotStart(self._helper.why_it_ended())
        self._known_as.write_text(str(self._port))
        self._helper = None
        return True
