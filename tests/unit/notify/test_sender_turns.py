"""The order in which one sender hands mails over."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from services.notify import sender
from services.notify.sender import Sender
from shared.workers import running


class Waiting:
    """Deliveries that are due, without a database."""

    def __init__(self) -> None:
        self.due: list[Any] = []

    async def claim(self, most: int, now: object) -> list[Any]:
        """All of them."""
        claimed, self.due = self.due, []
        return claimed

    async def nothing(self, *_: object) -> int:
        """Housekeeping has nothing to do."""
        return 0

    say_alive = free_abandoned = say_goodbye = leave_to_lease = nothing


class Relay:
    """Takes a mail as soon as it is told to."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.may: dict[str, asyncio.Event] = {}

    async def send(self, context: object, mailer: object, delivery: Any, *, now: object) -> None:
        """In the place of `send_delivery`."""
        self.begun.put_nowait(delivery.key)
        await self.may.setdefault(delivery.key, asyncio.Event()).wait()

    def take(self, key: str) -> None:
        """Answer 250."""
        self.may.setdefault(key, asyncio.Event()).set()

    async def close(self) -> None:
        """No connections."""


def mail(key: str, about: str, email: str = "a@schule.example") -> Any:
    return SimpleNamespace(key=key, about=about, to=SimpleNamespace(email=email))


async def test_a_mail_waits_for_an_earlier_one_about_the_same_thing_that_another_claim_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting, relay = Waiting(), Relay()
    monkeypatch.setattr(sender, "send_delivery", relay.send)
    context = SimpleNamespace(store=SimpleNamespace(deliveries=waiting))
    worker = Sender(context, relay, SimpleNamespace(now=lambda: None), 16)  # type: ignore[arg-type]
    async with running({"sender": worker.run}):
        waiting.due = [mail("confirmed", "registration:1")]
        worker.wake()
        assert await relay.begun.get() == "confirmed"
        waiting.due = [
            mail("cancelled", "registration:1", "A@schule.example"), mail("other", "registration:2"),
            mail("to the company", "registration:1", "b@firma.example"),
        ]  # fmt: skip
        worker.wake()
        assert {await relay.begun.get(), await relay.begun.get()} == {"other", "to the company"}
        relay.take("confirmed")
        assert await relay.begun.get() == "cancelled"
        for key in ("cancelled", "other", "to the company"):
            relay.take(key)
        await worker.settle()
