"""Background work goes on when a step fails, and ends with its block."""

import asyncio
from pathlib import Path

import pytest

from shared import workers
from shared.workers import every, running
from tests.support.waiting import until


async def test_a_worker_that_fails_is_started_again():
    starts: list[int] = []

    async def worker() -> None:
        starts.append(1)
        raise RuntimeError("broken")

    async with running({"worker": worker}):
        await until(lambda: len(starts) >= 2)


async def test_one_that_fails_does_not_disturb_another():
    steps: list[int] = []

    async def broken() -> None:
        raise RuntimeError("broken")

    async def step() -> None:
        steps.append(1)

    async with running({"broken": broken, "steady": lambda: every(0, step)}):
        await until(lambda: len(steps) > 5)


async def test_workers_are_over_when_the_block_is():
    cleaned: list[bool] = []

    async def worker() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    async with running({"worker": worker}):
        await asyncio.sleep(0)
    assert cleaned == [True]


async def test_after_a_steady_run_a_failed_worker_starts_at_once(monkeypatch):
    """Someone who fails once a day must not wait as long as someone who fails all the time."""
    pauses: list[float] = []
    now = [0.0]
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await real_sleep(0)

    async def worker() -> None:
        now[0] += 60.0 if len(pauses) == 3 else 0.1
        if len(pauses) == 5:
            await asyncio.Event().wait()
        raise RuntimeError("broken")

    monkeypatch.setattr("shared.workers.time.monotonic", lambda: now[0])
    monkeypatch.setattr("shared.workers.asyncio.sleep", sleep)
    async with running({"worker": worker}):
        while len(pauses) < 5:
            await real_sleep(0)
    assert pauses == [0.2, 0.4, 0.8, 0.2, 0.4]


@pytest.mark.parametrize("service", ["outreach", "events", "notify"])
def test_erasure_goes_by_the_clock_that_can_be_moved(service):
    text = (Path(workers.__file__).parents[1] / "services" / service / "app.py").read_text()
    workers_of_erasure = [line for line in text.splitlines() if "erase_due(" in line]
    assert workers_of_erasure and all("every_by(clock," in line for line in workers_of_erasure)


async def test_a_worker_that_takes_a_cancellation_for_a_failure_is_cancelled_again(monkeypatch):
    monkeypatch.setattr(workers, "GOODBYE_SECONDS", 0.01)
    taken: list[int] = []

    async def worker() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                taken.append(1)
                if len(taken) == 2:
                    raise

    async with asyncio.timeout(20):
        async with running({"worker": worker}):
            await asyncio.sleep(0)
    assert len(taken) == 2
