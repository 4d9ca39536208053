"""An embedded start as a process of its own, with data and ports of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.probes import http_is_ready, mongod_is_writable, nats_is_ready
from deploy.local.processes import ROOT

REAL = [sys.executable, "-m", "deploy.local", "run"]
STAND_IN = [sys.executable, "-m", "tests.support.stand_in_start"]


class Instance:
    """A running embedded start."""

    def __init__(self, process: subprocess.Popen[str], data: Path) -> None:
        self.process = process
        self.data = data
        self.output = ""

    def read_until_ready(self) -> None:
        """Collect what it prints, up to its last line."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.output += line
            if line.startswith("Ctrl-C"):
                return
        raise AssertionError(f"it ended: {self.output}")

    @property
    def addresses(self) -> dict[str, str]:
        return json.loads((self.data / "instance.json").read_text())

    def port(self, name: str) -> int:
        return int(re.findall(r":(\d+)", self.addresses[name])[-1])

    def children(self) -> list[int]:
        """Process ids."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def is_ready(self) -> bool:
        return (
            http_is_ready(self.port("url"))
            and http_is_ready(self.port("mailbox_url"))
            and nats_is_ready(self.port("nats_url"))
            and mongod_is_writable(self.port("mongodb_url"))
        )


def environment(data: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "DATA_DIR": str(data), "PORT": "0", "MAILBOX_PORT": "0", **more}


@contextmanager
def started(data: Path, command: list[str] = STAND_IN, **more: str) -> Iterator[Instance]:
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(data, **more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            instance = Instance(process, data)
            instance.read_until_ready()
            yield instance
        finally:
            process.kill()
