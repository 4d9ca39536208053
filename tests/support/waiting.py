"""Waiting for something to become true: asked again and again until a deadline, never a fixed sleep."""

import asyncio
import inspect
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


async def until(condition: Callable[[], Found | Awaitable[Found]], seconds: float = 20.0) -> Found:
    """As wait_until, leaving other tasks their turn; the condition may be awaited."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {inspect.getsource(condition)}"
        await asyncio.sleep(0.02)
