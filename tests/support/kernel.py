"""Two halves of the message path as a test needs them: a sender with a relay, and a receiver with a dispatcher."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from shared import inbox, outbox
from shared.broker import Broker
from shared.clock import SystemClock
from shared.inbox import Dispatcher
from shared.mongo import Database, Session, create_collections, transaction
from shared.outbox import Relay
from shared.schemas.base import Message
from shared.schemas.notify import DeliveryFailed
from shared.schemas.outreach import CampaignChanged
from shared.workers import running
from tests.support.waiting import until

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
KERNEL_COLLECTIONS = ["outbox", "inbox", "set_aside", "leases", "relay_state", "idempotency", "effects"]


def campaign(number: int = 1, version: int = 1) -> CampaignChanged:
    """A message about campaign `number`."""
    return CampaignChanged.about(
        f"campaign:{number}", version, now=NOW, campaign_id=str(number), name=f"Muster-Kampagne {number}",
        starts_on="2026-11-01", ends_on="2026-12-18", districts=["05958"], kinds=["tour"],
        offers_from=NOW, booking_from=NOW, closes_at=NOW,
    )  # fmt: skip


def failed_delivery(number: int = 1) -> DeliveryFailed:
    """Another kind of message, of another source."""
    return DeliveryFailed.about(
        f"delivery:{number}", 1, now=NOW, delivery_id=str(number), kind="reminder", concerns="registration:1",
        recipient_role="teacher", answer="550 no such user", failed_at=NOW,
    )  # fmt: skip


async def write(db: Database, *messages: Message) -> None:
    """Write the messages to the outbox as a use case does."""

    async def work(session: Session) -> None:
        await outbox.add(db, messages, session)

    await transaction(db, work)


class Counting:
    """A handler that counts what takes effect, once per message; it fails while `broken(message)` is true."""

    def __init__(self, db: Database, broken: Callable[[Message], bool] = lambda message: False) -> None:
        self.db = db
        self.broken = broken
        self.calls = 0

    async def __call__(self, message: Message, context: Any, now: datetime) -> None:
        self.calls += 1
        if self.broken(message):
            raise ArithmeticError("the handler is broken")

        async def effect(session: Session) -> None:
            await self.db.effects.update_one({"_id": message.id}, {"$inc": {"times": 1}}, upsert=True, session=session)

        await inbox.once(self.db, message, "counting", effect)

    async def effects(self) -> dict[str, int]:
        """How many times each message took effect."""
        return {row["_id"]: row["times"] async for row in self.db.effects.find()}


async def prepare(db: Database) -> Database:
    """The collections and indexes that a service makes at its start."""
    await create_collections(db, KERNEL_COLLECTIONS)
    await outbox.create_indexes(db)
    await inbox.create_indexes(db)
    return db


async def ignore(wire: dict[str, Any], attempt: int) -> None:
    """For a service that listens to nothing."""


@asynccontextmanager
async def sending(db: Database, nats_url: str, source: str = "outreach") -> AsyncIterator[Relay]:
    """A relay that publishes the outbox in `db` while the block lasts."""
    broker = Broker(nats_url, source, [], ignore)
    relay = Relay(db, broker, source, poll_seconds=0.05)
    async with running({"broker": broker.run, "relay": relay.run}):
        await until(lambda: broker.connected)
        yield relay


@asynccontextmanager
async def receiving(
    db: Database,
    nats_url: str,
    handlers: Mapping[type[Message], Any],
    name: str = "events",
    listens_to: str = "outreach",
) -> AsyncIterator[Dispatcher]:
    """A service that hands what it hears to `handlers` while the block lasts."""
    dispatcher = Dispatcher(db, handlers, None, SystemClock())
    broker = Broker(nats_url, name, [listens_to], dispatcher.receive)
    async with running({"broker": broker.run}):
        await until(lambda: broker.connected)
        yield dispatcher
