"""Waiting for the parts that a benchmark starts."""

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], bool], most_seconds: float = 60, pause: float = 0.05) -> None:
    """Ask every `pause` seconds; SystemExit after `most_seconds`."""
    end = time.monotonic() + most_seconds
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit(f"waited {most_seconds} seconds in vain")
        time.sleep(pause)
