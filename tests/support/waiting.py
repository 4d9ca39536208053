"""Waiting for what another task brings about, without fixed pauses."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")


async def until(condition: Callable[[], Value | Awaitable[Value]], seconds: float = 20) -> Value:
    """Ask `condition` again and again until it is true, and return its value; AssertionError after `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value  # type: ignore[return-value]
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds} s: {inspect.getsource(condition)}"
        await asyncio.sleep(0.02)
