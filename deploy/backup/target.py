"""Which MongoDB is meant, and by which clock: MONGODB_URL and CLOCK_FILE as the services read them, else the embedded
start of DATA_DIR."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.backup.errors import BackupRefused
from deploy.local import mongod
from deploy.local.data_folder import DataFolder
from deploy.local.ports import choose_port
from deploy.local.processes import Family, Part
from deploy.local.settings import read_settings
from shared.clock import FileClock, SystemClock


@dataclass(frozen=True)
class Target:
    """`now` is the application's time there."""

    mongodb_url: str
    prefix: str
    now: datetime


def running(environment: Mapping[str, str]) -> Target:
    """The MongoDB that is named, or that of the running embedded start. CannotStart when there is none."""
    settings = read_settings(environment)
    if settings.mongodb_url:
        return _named(settings.mongodb_url, environment)
    folder = DataFolder(settings.data_dir)
    url = folder.running_instance()["mongodb_url"]
    return Target(url, "perspektive", FileClock(folder.clock).now())


@contextmanager
def empty(environment: Mapping[str, str]) -> Iterator[Target]:
    """The MongoDB that is named; else a new one in DATA_DIR, which the next embedded start goes on with."""
    settings = read_settings(environment)
    if settings.mongodb_url:
        yield _named(settings.mongodb_url, environment)
        return
    folder = DataFolder(settings.data_dir)
    data, logs, unfinished = folder.path / "mongodb", folder.logs, folder.path / "restoring"
    with folder.locked() as lock:
        if data.exists() and not unfinished.exists():
            raise BackupRefused(f"{data} is there, and nothing is overwritten: move it away, and nats beside it.")
        unfinished.touch(mode=0o600)
        family, port = Family(), choose_port(folder.remembered_port("mongod"))
        folder.remember_port("mongod", port)
        try:
            child = family.start(mongod.mongod(data, port, logs / "mongod.log", (lock,)))
            family.wait_until_ready([Part(child, mongod.WritablePrimary(data, port, logs))], lambda _: None)
            yield Target(mongod.mongodb_url(port), "perspektive", FileClock(folder.clock).now())
            unfinished.unlink()
        finally:
            family.stop_all()


def _named(url: str, environment: Mapping[str, str]) -> Target:
    clock_file = environment.get("CLOCK_FILE")
    clock = FileClock(Path(clock_file)) if clock_file else SystemClock()
    return Target(url, environment.get("DATABASE_PREFIX") or "perspektive", clock.now())
