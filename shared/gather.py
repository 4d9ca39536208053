"""Gathering: requests that wait for the same thing in one process share one trip to the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Gatherer(Generic[Item, Result]):
    """Collects items per key while an earlier batch of that key is under way, and hands them on together.

    `work(key, items)` returns one result or exception per item, in order. When it raises, every item of that batch
    gets the exception. Batches of one key never overlap; different keys run side by side.
    """

    def __init__(self, work: Callable[[str, list[Item]], Awaitable[list[Result | Exception]]], most: int = 128) -> None:
        self._work = work
        self._most = most
        self._waiting: dict[str, list[tuple[Item, asyncio.Future[Result]]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def submit(self, key: str, item: Item) -> Result:
        """Wait for `item`'s own result; raises what `work` gave for it."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append((item, future))
        if key not in self._running:
            self._running[key] = asyncio.create_task(self._drain(key))
        return await future

    async def _drain(self, key: str) -> None:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        try:
            while waiting := self._waiting.get(key):
                batch, self._waiting[key] = waiting[: self._most], waiting[self._most :]
                await self._run(key, batch)
        finally:
            for _, future in [*batch, *self._waiting.pop(key, [])]:
                future.cancel()  # only when this task is cancelled is there any without its result
            del self._running[key]

    async def _run(self, key: str, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._work(key, [item for item, _ in batch])
            if len(results) != len(batch):
                raise ValueError(f"{len(batch)} items were handed on and {len(results)} results came back")
        except Exception as error:
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
