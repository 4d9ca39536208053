"""The data folder: everything that a start leaves behind, and the lock that lets only one instance use it."""

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.errors import CannotStart


class DataFolder:
    """The folder at `path` with its files by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "log"
        self.api_key = path / "coordinator-api-key"
        self.sign_in_links = path / "sign-in-links.json"
        self.clock = path / "clock.json"
        self.instance = path / "instance.json"
        self._lock = path / "lock"
        self._ports = path / "ports.json"
        self._secret_key = path / "secret-key"

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the folder, created when missing, for this process; CannotStart when another instance has it.

        Yields the lock's file descriptor: children that inherit it keep the lock until they are gone too.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._take_lock()
        except OSError as error:
            raise CannotStart(f"The data folder {self.path} cannot be used: {error.strerror}.") from None
        try:
            yield lock
        finally:
            os.close(lock)

    def delete(self) -> None:
        """Delete the folder with all data; CannotStart while an instance runs, or when it is no data folder."""
        if not self.path.exists():
            return
        if not self._lock.exists():
            raise CannotStart(f"{self.path} is not a data folder of Perspektive, so it stays as it is.")
        with self.locked():
            shutil.rmtree(self.path)

    def secret_key(self) -> str:
        """The key that signs sessions and links, made at the first start."""
        if not self._secret_key.exists():
            write_privately(self._secret_key, secrets.token_urlsafe(48))
        return self._secret_key.read_text()

    def remembered_port(self, name: str) -> int | None:
        """The port that `name` had at the last start."""
        return self._read_json(self._ports).get(name)

    def remember_port(self, name: str, port: int) -> None:
        """Keep the port of `name` for the next start."""
        write_privately(self._ports, json.dumps({**self._read_json(self._ports), name: port}))

    def describe_instance(self, addresses: dict[str, str]) -> None:
        """Write down where the running instance can be reached, for `forward` and other helpers."""
        write_privately(self.instance, json.dumps(addresses, indent=1))

    def running_instance(self) -> dict[str, str]:
        """The addresses of the instance that was started last; CannotStart when there is none."""
        if not (addresses := self._read_json(self.instance)):
            raise CannotStart(f"Nothing has been started with the data folder {self.path} yet: make run.")
        return addresses

    def _take_lock(self, patience: float = 2.0) -> int:
        deadline = time.monotonic() + patience  # children of a launcher just killed need a moment to vanish
        while True:
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
            if _try_lock(lock) and self._is_current(lock):
                return lock
            os.close(lock)
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"Perspektive is running with the data folder {self.path}; stop it first (Ctrl-C),"
                    " or name another folder with DATA_DIR=<path>."
                )
            time.sleep(0.05)

    def _is_current(self, lock: int) -> bool:
        """A lock on a file that a reset has deleted meanwhile protects nothing."""
        try:
            return os.fstat(lock).st_ino == self._lock.stat().st_ino
        except FileNotFoundError:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            return False

    @staticmethod
    def _read_json(path: Path) -> dict[str, Any]:
        return json.loads(path.read_text()) if path.exists() else {}


def write_privately(path: Path, text: str) -> None:
    """Put `text` into `path`, readable by its owner alone, in one step."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
