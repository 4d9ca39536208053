"""Effects that share a transaction share their trips to the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import UpdateOne
from pymongo.errors import ServerSelectionTimeoutError

from shared.together import Joint, Trip

Collection = AsyncIOMotorCollection[dict[str, Any]]


class Database:
    """Answers each item by its double, and notes each trip."""

    def __init__(self, fails: bool = False) -> None:
        self.trips: list[list[int]] = []
        self._fails = fails
        self.under_way = 0
        self.take = Trip(self._work).take

    async def _work(self, session: Any, items: list[int]) -> list[int]:
        assert session == "session", "the work gets the real session"
        assert not self.under_way, "a session makes one call at a time"
        self.under_way += 1
        self.trips.append(items)
        await asyncio.sleep(0)
        self.under_way -= 1
        if self._fails:
            raise ArithmeticError
        return [item * 2 for item in items]


async def together(*effects: Callable[[Any], Awaitable[None]]) -> None:
    await asyncio.wait_for(Joint("session").run(effects), 5)  # type: ignore[arg-type]


async def test_what_is_asked_at_the_same_time_is_one_trip_and_each_gets_its_own_answer() -> None:
    rows, answers = Database(), []

    def effect(number: int) -> Callable[[Any], Awaitable[None]]:
        async def ask(session: Any) -> None:
            first = await rows.take(session, number)
            answers.append(await rows.take(session, first))

        return ask

    await together(*map(effect, (1, 2, 3)))
    assert rows.trips == [[1, 2, 3], [2, 4, 6]]
    assert answers == [4, 8, 12]


async def test_effects_that_go_different_ways_all_come_to_their_end() -> None:
    rows, others, ended = Database(), Database(), []

    async def short(session: Any) -> None:
        ended.append(await others.take(session, 1))

    async def long(session: Any) -> None:
        for number in (1, 2, 3):
            await rows.take(session, number)
        ended.append(await others.take(session, 2))

    async def idle(_: Any) -> None:
        ended.append(0)

    await together(short, long, idle)
    assert sorted(ended) == [0, 2, 4]
    assert (rows.trips, others.trips) == ([[1], [2], [3]], [[1], [2]])


async def test_the_error_of_one_effect_ends_all() -> None:
    rows = Database()

    async def broken(session: Any) -> None:
        await rows.take(session, 1)
        raise LookupError

    async def endless(session: Any) -> None:
        while True:
            await rows.take(session, 2)

    with pytest.raises(LookupError):
        await together(endless, broken, endless)
    assert rows.trips == [[2, 1, 2]]


async def test_a_trip_that_fails_ends_all() -> None:
    rows = Database(fails=True)

    async def effect(session: Any) -> None:
        await rows.take(session, 1)

    with pytest.raises(ArithmeticError):
        await together(effect, effect)


async def test_an_effect_with_a_transaction_of_its_own_makes_the_trip_alone() -> None:
    rows = Database()
    assert await rows.take("session", 4) == 8  # type: ignore[arg-type]
    assert rows.trips == [[4]]


OTHER_CALLS: dict[str, Callable[[Collection, Any], Awaitable[Any]]] = {
    "find_one": lambda rows, joint: rows.find_one({}, session=joint),
    "find": lambda rows, joint: rows.find({}, session=joint).to_list(None),
    "aggregate": lambda rows, joint: rows.aggregate([], session=joint).to_list(None),
    "distinct": lambda rows, joint: rows.distinct("_id", session=joint),
    "count": lambda rows, joint: rows.count_documents({}, session=joint),
    "insert_one": lambda rows, joint: rows.insert_one({}, session=joint),
    "insert_many": lambda rows, joint: rows.insert_many([{}], session=joint),
    "update_one": lambda rows, joint: rows.update_one({}, {"$set": {"a": 1}}, session=joint),
    "update_many": lambda rows, joint: rows.update_many({}, {"$set": {"a": 1}}, session=joint),
    "find_one_and_update": lambda rows, joint: rows.find_one_and_update({}, {"$set": {"a": 1}}, session=joint),
    "replace_one": lambda rows, joint: rows.replace_one({}, {"a": 1}, session=joint),
    "delete_many": lambda rows, joint: rows.delete_many({}, session=joint),
    "bulk_write": lambda rows, joint: rows.bulk_write([UpdateOne({}, {"$set": {"a": 1}})], session=joint),
}


@pytest.mark.parametrize("call", OTHER_CALLS)
async def test_the_driver_refuses_a_shared_transaction_for_any_other_call_before_it_looks_for_a_server(
    call: str,
) -> None:
    client: Any = AsyncIOMotorClient("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=1)
    with pytest.raises(Exception) as refused:
        await OTHER_CALLS[call](client.db.rows, Joint("session"))  # type: ignore[arg-type]
    assert not isinstance(refused.value, ServerSelectionTimeoutError)
    client.close()
