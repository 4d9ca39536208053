"""Background work of a service process: endless tasks that are started again when they fail."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from shared.clock import Clock

log = logging.getLogger(__name__)
Worker = Callable[[], Awaitable[None]]
STEADY_SECONDS = 30.0
GOODBYE_SECONDS = 7.0


async def _keep_running(name: str, worker: Worker) -> None:
    pause = 0.2
    while True:
        started = time.monotonic()
        try:
            await worker()
        except Exception:
            log.exception("worker %s failed; it is started again", name)
        if time.monotonic() - started > STEADY_SECONDS:
            pause = 0.2
        await asyncio.sleep(pause)
        pause = min(pause * 2, 10.0)


@asynccontextmanager
async def running(workers: dict[str, Worker]) -> AsyncIterator[None]:
    """Run `workers` by name while the block lasts; they are cancelled and awaited at its end."""
    tasks = [asyncio.create_task(_keep_running(name, worker), name=name) for name, worker in workers.items()]
    try:
        yield
    finally:
        await asyncio.gather(*(end(task, GOODBYE_SECONDS) for task in tasks))


async def end(task: asyncio.Task[Any], seconds: float) -> None:
    """Cancel `task` until it is over, again every `seconds`.

    Once is not enough: where a step fails in the moment of the cancellation, `asyncio.wait_for` of Python 3.11 raises
    the failure instead, and whoever tries again after a failure goes on.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=seconds)


async def every(seconds: float, step: Callable[[], Awaitable[object]]) -> None:
    """Call `step` for ever, `seconds` after the last call ended."""
    while True:
        await step()
        await asyncio.sleep(seconds)


async def every_by(clock: Clock, span: timedelta, step: Callable[[], Awaitable[object]]) -> None:
    """Call `step` now and then for ever whenever `clock` has gone on by `span`, be it because somebody moved it."""
    while True:
        began = clock.now()
        await step()
        while clock.now() < began + span:  # noqa: ASYNC110 – nobody tells when a clock was moved
            await asyncio.sleep(1.0)
