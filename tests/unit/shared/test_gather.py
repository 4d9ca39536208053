"""Requests that wait for the same thing are handed on together."""

import asyncio

import pytest

from shared.gather import Gatherer


class Work:
    """Notes each batch; waits at a gate; answers each item by its double."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[int]]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.under_way = 0
        self.most_under_way: dict[str, int] = {}

    async def __call__(self, key: str, items: list[int]) -> list[int | Exception]:
        self.batches.append((key, items))
        self.under_way += 1
        self.most_under_way[key] = max(self.under_way, self.most_under_way.get(key, 0))
        await self.gate.wait()
        await asyncio.sleep(0)
        self.under_way -= 1
        return [ValueError(item) if item < 0 else item * 2 for item in items]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_each_gets_its_own_result_or_error():
    gatherer = Gatherer(Work())
    results = await asyncio.gather(*(gatherer.submit("a", n) for n in (1, -2, 3)), return_exceptions=True)
    assert results[0] == 2
    assert isinstance(results[1], ValueError)
    assert results[2] == 6


async def test_what_comes_while_a_batch_is_under_way_goes_together_in_the_next():
    work = Work()
    work.gate.clear()
    gatherer = Gatherer(work)
    first = asyncio.create_task(gatherer.submit("a", 1))
    await settle()
    others = [asyncio.create_task(gatherer.submit("a", n)) for n in (2, 3, 4)]
    await settle()
    assert work.batches == [("a", [1])]
    work.gate.set()
    await asyncio.gather(first, *others)
    assert work.batches == [("a", [1]), ("a", [2, 3, 4])]
    assert work.most_under_way == {"a": 1}, "batches of one key never overlap"


async def test_different_keys_run_side_by_side():
    work = Work()
    work.gate.clear()
    gatherer = Gatherer(work)
    tasks = [asyncio.create_task(gatherer.submit(key, 1)) for key in "ab"]
    await settle()
    assert work.under_way == 2
    work.gate.set()
    assert await asyncio.gather(*tasks) == [2, 2]


async def test_a_batch_is_at_most_so_large():
    work = Work()
    results = await asyncio.gather(*(Gatherer(work, most=4).submit("a", n) for n in range(4)))
    gatherer = Gatherer(work, most=4)
    work.batches.clear()
    results = await asyncio.gather(*(gatherer.submit("a", n) for n in range(10)))
    assert results == [n * 2 for n in range(10)]
    assert [len(items) for _, items in work.batches] == [4, 4, 2]


async def test_when_the_work_fails_every_item_of_that_batch_gets_the_error_and_the_next_batch_runs():
    fails = [True]

    async def work(key: str, items: list[int]) -> list[int | Exception]:
        if fails.pop() if fails else False:
            raise ConnectionError("gone")
        return list(items)

    gatherer = Gatherer(work)
    results = await asyncio.gather(*(gatherer.submit("a", n) for n in range(3)), return_exceptions=True)
    assert all(isinstance(result, ConnectionError) for result in results)
    assert await gatherer.submit("a", 7) == 7


@pytest.mark.parametrize("results", [[], [1], [1, 2, 3]])
async def test_work_with_the_wrong_number_of_results_leaves_nobody_waiting(results):
    async def work(key: str, items: list[int]) -> list[int | Exception]:
        return results

    gatherer = Gatherer(work)
    answers = asyncio.gather(*(gatherer.submit("a", n) for n in range(2)), return_exceptions=True)
    assert all(isinstance(answer, ValueError) for answer in await asyncio.wait_for(answers, 2))


async def test_who_gave_up_waiting_does_not_disturb_the_others():
    work = Work()
    work.gate.clear()
    gatherer = Gatherer(work)
    tasks = [asyncio.create_task(gatherer.submit("a", n)) for n in (1, 2)]
    await settle()
    tasks[0].cancel()
    await settle()
    work.gate.set()
    assert await tasks[1] == 4
    assert tasks[0].cancelled()
    assert await gatherer.submit("a", 5) == 10


async def test_work_that_is_cancelled_leaves_nobody_waiting():
    async def work(key: str, items: list[int]) -> list[int | Exception]:
        raise asyncio.CancelledError

    gatherer = Gatherer(work)
    tasks = [asyncio.create_task(gatherer.submit("a", n)) for n in range(2)]
    done, pending = await asyncio.wait(tasks, timeout=2)
    assert not pending
    assert all(task.cancelled() for task in done)


async def test_nothing_is_kept_of_a_key_that_is_done():
    gatherer = Gatherer(Work())
    await gatherer.submit("a", 1)
    await settle()
    assert gatherer._waiting == {}
    assert gatherer._running == {}
