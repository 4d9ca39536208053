"""Backups as files of their owner alone, or as a pipe."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from deploy.backup.errors import BackupRefused

PIPE = "-"


@contextmanager
def written(target: str) -> Iterator[tuple[BinaryIO, str]]:
    """A stream to write to, and the name by which it is known: standard output, a new file, or a new one in a folder.

    A file is there under its name only when it is whole and on the disk.
    """
    if target == PIPE:
        if sys.stdout.isatty():
            raise BackupRefused("A backup is no text for a terminal: name a file or folder, or pipe it on.")
        yield sys.stdout.buffer, "standard output"
        sys.stdout.buffer.flush()
        return
    path = _path(target)
    draft = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # one that was left behind may have been opened to others
            yield file, str(path)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise BackupRefused(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def read(source: str) -> Iterator[BinaryIO]:
    """The backup as a stream."""
    if source == PIPE:
        yield sys.stdin.buffer
        return
    path = Path(source)
    if not path.is_file():
        raise BackupRefused(f"There is no file {source}.")
    with path.open("rb") as file:
        yield file


def _path(target: str) -> Path:
    path = Path(target)
    if target.endswith("/") or path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path /= f"perspektive-{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.tar"
    if path.exists():
        raise BackupRefused(f"{path} is there, and nothing is overwritten.")
    return path


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
