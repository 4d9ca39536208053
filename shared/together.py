"""Several effects in one transaction: what they ask or write at the same moment is one trip to the database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from shared.mongo import Session

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Session, list[Any]], Awaitable[Sequence[Any]]]
Effect = Callable[[Any], Awaitable[None]]
_Waiting = list[tuple[Any, asyncio.Future[Any]]]


class Joint:
    """The transaction of `session`, shared by effects that run side by side.

    An effect gets this in the place of a session, and may only make calls that are a `Trip`: the driver refuses it for
    any other, before anything is sent.
    """

    _implicit = False  # the driver asks when it puts away a call that it has refused

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: dict[Work, _Waiting] = {}
        self._going = 0
        self._failed = False
        self._all_wait = asyncio.Event()

    async def run(self, effects: Sequence[Effect]) -> None:
        """Run all of them to their end; the first error ends the others, and is raised."""
        self._going = len(effects)
        tasks = [asyncio.create_task(self._run(effect)) for effect in effects]
        try:
            while self._going and not self._failed:
                await self._all_wait.wait()
                await self._make_trips()
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def submit(self, work: Work, item: Any) -> Any:
        """Wait for the trip that `work` makes for all effects that ask for it by now."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(work, []).append((item, future))
        self._look()
        return await future

    async def _run(self, effect: Effect) -> None:
        try:
            await effect(self)
        except Exception:
            self._failed = True
            raise
        finally:
            self._going -= 1
            self._look()

    def _look(self) -> None:
        """A session makes one call at a time, so trips begin when nobody has anything else to do."""
        if self._failed or sum(map(len, self._waiting.values())) >= self._going:
            self._all_wait.set()

    async def _make_trips(self) -> None:
        self._all_wait.clear()
        if self._failed:
            return
        waiting, self._waiting = self._waiting, {}
        for work, asked in waiting.items():
            results = await work(self._session, [item for item, _ in asked])
            for (_, future), result in zip(asked, results, strict=True):
                future.set_result(result)


class Trip(Generic[Item, Result]):
    """A call in a transaction: `work(session, items)` gives one result per item, in their order."""

    def __init__(self, work: Callable[[Session, list[Item]], Awaitable[Sequence[Result]]]) -> None:
        self._work = work

    async def take(self, session: Session, item: Item) -> Result:
        """The result for `item`; one trip for all effects of a shared transaction."""
        if isinstance(session, Joint):
            result: Result = await session.submit(self._work, item)
            return result
        return (await self._work(session, [item]))[0]
