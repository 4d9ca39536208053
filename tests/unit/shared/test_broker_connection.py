"""A broker that is away keeps nobody from stopping."""

import asyncio

import pytest
from faststream.nats import NatsBroker

from shared.broker import Broker
from shared.workers import running
from tests.support.waiting import until


async def test_a_stop_ends_an_attempt_to_connect_that_takes_the_cancellation_for_a_failure(
    monkeypatch: pytest.MonkeyPatch,
):
    cancelled: list[int] = []

    async def connect(_: NatsBroker) -> None:
        while len(cancelled) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(1)
        raise asyncio.CancelledError

    monkeypatch.setattr(NatsBroker, "connect", connect)

    async def nothing(*_: object) -> None: ...

    broker = Broker("nats://127.0.0.1:1", "events", [], nothing)
    async with asyncio.timeout(20):
        async with running({"broker": broker.run}):
            await until(lambda: bool(broker._nats))
            await asyncio.sleep(0)
    assert len(cancelled) == 2
