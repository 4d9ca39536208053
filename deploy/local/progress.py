"""The lines that a person sees while everything starts."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(name: str, since: float | None = None) -> Iterator[None]:
    """Say that `name` is under way (on a terminal) and, when the block is done, how long it took in seconds.

    `since` is the time.monotonic() at which it began, when that was before the block.
    """
    started = time.monotonic() if since is None else since
    redraws = sys.stdout.isatty()
    if redraws:
        _write(f"  {name} …")
    try:
        yield
    except BaseException:
        if redraws:
            _write("\n")
        raise
    _write(("\r" if redraws else "") + f"  {name} … ready {time.monotonic() - started:.1f} s\n")


def say(text: str) -> None:
    """One line for the person."""
    _write(f"{text}\n")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
