"""A sender process that kills itself (SIGKILL) at a chosen step of a delivery: `before claim`, `within data`, …

It runs in a process of its own, forked from one that has loaded everything.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from services.notify.sender import Sender
from services.notify.smtp.mailer import Mailer
from services.notify.smtp.relays import relays_of
from services.notify.store.core import Store
from services.notify.store.deliveries import Deliveries
from services.notify.store.reminders import Reminders
from services.notify.store.suppressions import Suppressions
from services.notify.usecases.context import Context
from services.notify.usecases.tokens import Tokens
from shared.mongo import database
from tests.support.notify_world import MovableClock, writer

PLACES: dict[str, tuple[type, str]] = {
    "claim": (Deliveries, "claim"),
    "suppression check": (Suppressions, "active"),
    "renewal": (Deliveries, "renew"),
    "connect": (aiosmtplib.SMTP, "connect"),
    "mail": (aiosmtplib.SMTP, "mail"),
    "rcpt": (aiosmtplib.SMTP, "rcpt"),
    "data": (aiosmtplib.SMTP, "data"),
    "record": (Deliveries, "end"),
    "gathering": (Reminders, "gather"),
    "count of the week": (Reminders, "count_in"),
    "record of all": (Reminders, "end_all"),
    "failure": (Deliveries, "end_and_tell"),
}
STEPS = [f"{when} {place}" for place in PLACES for when in ("before", "after")] + ["within data"]
OF_REMINDERS = ("gathering", "count of the week", "record of all", "failure")  # reached by reminders and digests only
SENT_AT = datetime(2026, 11, 3, 7, tzinfo=UTC)  # 8:00 in Berlin, two days before the dates on DAY
DAY = datetime(2026, 11, 5, 9)


def run(mongodb_url: str, db: str, smtp_url: str, step: str, at_once: int, number: int = 1) -> None:
    """Send what is due until the `number`-th time that `step` is reached; ends by itself when nothing is left."""
    asyncio.run(_run(mongodb_url, db, smtp_url, step, at_once, number))


async def _run(mongodb_url: str, name: str, smtp_url: str, step: str, at_once: int, number: int) -> None:
    _arm(step, number)
    async with database(mongodb_url, name) as db:
        clock = MovableClock(SENT_AT)
        context = Context(
            Store(db, 90, secret_key="a-secret-for-tests-" * 2),
            writer(),
            Tokens("a-secret-for-tests-" * 2, "https://perspektive.example"),
        )
        mailer = Mailer(relays_of(smtp_url), 20, at_once)
        sender = Sender(context, mailer, clock, at_once)  # type: ignore[arg-type]
        await context.store.deliveries.say_alive()
        while await sender.send_due():
            await sender.settle()


def _arm(step: str, number: int) -> None:
    left = [number]

    def reached() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    when, _, place = step.partition(" ")
    if step == "within data":
        SMTPProtocol.write = _half(SMTPProtocol.write, reached)  # type: ignore[method-assign]
    elif place in PLACES:
        owner, name = PLACES[place]
        setattr(owner, name, _killing(getattr(owner, name), when, reached))


def _killing(method: Callable[..., Awaitable[Any]], when: str, reached: Callable[[], None]) -> Callable[..., Any]:
    async def wrapped(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            reached()
        result = await method(*arguments, **named)
        if when == "after":
            reached()
        return result

    return wrapped


def _half(write: Callable[..., None], reached: Callable[[], None]) -> Callable[..., None]:
    def wrapped(self: SMTPProtocol, content: bytes) -> None:
        if len(content) > 500:  # the content of a mail, not a command
            write(self, content[: len(content) // 2])
            reached()
            write(self, content[len(content) // 2 :])
        else:
            write(self, content)

    return wrapped
