"""A real NATS server with JetStream as a child process."""

import json
import os
import shutil
import sys
from pathlib import Path

from deploy.local.errors import CannotStart
from deploy.local.ports import HOST
from deploy.local.processes import Child

_PAYLOAD_BYTES = 1 << 20
_MEMORY = {"GOMEMLIMIT": "96MiB", "GOMAXPROCS": "2"}


def nats_server(data: Path, port: int, log: Path, pass_fds: tuple[int, ...] = ()) -> Child:
    """The child process; `data` is its folder and is created when missing."""
    data.mkdir(parents=True, exist_ok=True)
    config = data / "server.conf"
    config.write_text(json.dumps(_config(data, port), indent=1))  # its configuration language includes JSON
    command = [find_nats_server(), "--config", str(config)]
    return Child("NATS", command, log, environment={**os.environ, **_MEMORY}, pass_fds=pass_fds)


def nats_url(port: int) -> str:
    """What a client connects to."""
    return f"nats://{HOST}:{port}"


def find_nats_server() -> str:
    """The program: the one that came as a Python package, or on the PATH; CannotStart when there is neither."""
    packaged = Path(sys.executable).parent / "nats-server"
    found = str(packaged) if os.access(packaged, os.X_OK) else shutil.which("nats-server")
    if not found:
        raise CannotStart("There is no nats-server: install one, or name a running one with NATS_URL.")
    return found


def _config(data: Path, port: int) -> dict[str, object]:
    return {
        "server_name": "local",
        "listen": f"{HOST}:{port}",
        "max_payload": _PAYLOAD_BYTES,
        "max_connections": 1000,
        "jetstream": {
            "store_dir": str(data / "store"),
            "max_memory_store": 32 << 20,  # bytes
            "max_file_store": 2 << 30,  # bytes
        },
    }
