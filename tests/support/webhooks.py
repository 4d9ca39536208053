"""Webhooks in a test: the service's world, a receiver, and a sender of calls."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.notify.usecases import webhooks
from services.notify.usecases.webhooks import Issued, WebhookIn
from services.notify.webhooks.addresses import Guard
from services.notify.webhooks.caller import Caller
from services.notify.webhooks.rules import TYPES, Call
from services.notify.webhooks.sender import WebhookSender
from shared.auth import Identity
from shared.ids import random_id
from shared.mongo import Document
from shared.schemas import events
from shared.schemas.outreach import Role
from tests.support.http_receiver import Receiver
from tests.support.notify_builders import registration, said
from tests.support.notify_world import World

KORA = Identity("kora", "person", "Kora Koordination", (Role(kind="coordinator", organisation_id="agency"),))


@dataclass
class Hooks:
    """A service with a sender of calls, and a program that is called."""

    world: World
    receiver: Receiver
    guard: Guard
    caller: Caller
    sender: WebhookSender

    async def add(self, name: str = "Schulportal", address: str = "", types: list[str] | None = None) -> Issued:
        """A webhook, told of everything unless `types` says of what."""
        command = WebhookIn(
            name=name, address=address or self.receiver.url, types=list(TYPES) if types is None else types
        )
        now, context = self.world.clock.now(), self.world.context
        return await webhooks.add_webhook(context, self.guard, KORA, command, now=now, request_id=random_id())

    async def happens(self, count: int = 1, message: Any = events.RegistrationWaitlisted) -> None:
        """So many registrations of which somebody is told."""
        for _ in range(count):
            await self.world.hear(said(message, registration("waitlisted", id=random_id())))

    async def send_all(self) -> None:
        """Make every call that is due now."""
        while await self.sender.send_due():
            await self.sender.settle()

    async def later(self, **span: float) -> None:
        """Make every call that is due after this time."""
        self.world.clock.forward(timedelta(**span))
        await self.send_all()

    async def rows(self, **where: Any) -> list[Document]:
        """The log, the oldest first."""
        return await self.world.db.webhook_calls.find(where).sort("order", 1).to_list(None)

    async def states(self) -> list[str]:
        """The states of all calls, the oldest first."""
        return [row["state"] for row in await self.rows()]

    async def webhook(self, id: str) -> Document:
        """One row."""
        row = await self.world.db.webhooks.find_one({"_id": id})
        assert row
        return row

    async def log(self, id: str) -> list[Call]:
        """The log as a coordinator sees it."""
        found, _ = await webhooks.list_calls(self.world.context, KORA, id, limit=100, after=None)
        return found


def hooks_of(world: World, receiver: Receiver, **settings: Any) -> Hooks:
    """A sender of calls for this world."""
    guard = Guard(this_machine=True)
    caller = Caller(guard, **settings)
    return Hooks(world, receiver, guard, caller, WebhookSender(world.context, caller, world.clock))  # type: ignore[arg-type]
