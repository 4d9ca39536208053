"""Waiting for something to become true: asked again and again until a deadline, never a fixed sleep."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_until(condition: Callable[[], Found], seconds: float = 10.0) -> Found:
    """The first truthy result of `condition`; AssertionError when there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"did not become true within {seconds} s; the last result was {found!r}"
        time.sleep(0.02)
    return found


async def wait_until_async(condition: Callable[[], Awaitable[Found]], seconds: float = 10.0) -> Found:
    """As wait_until, for a condition that is awaited."""
    deadline = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"did not become true within {seconds} s; the last result was {found!r}"
        await asyncio.sleep(0.02)
    return found
