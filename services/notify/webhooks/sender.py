"""The worker that calls webhooks: at most so many calls of each at once, so that a slow program holds up no other."""

import asyncio
import logging
import time
from collections import Counter

from services.notify.usecases.context import Context
from services.notify.usecases.webhook_calls import make_call
from services.notify.webhooks.caller import Caller
from services.notify.webhooks.rules import AT_ONCE, Call, Webhook
from shared.clock import Clock
from shared.mongo import StoreError

log = logging.getLogger(__name__)
POLL_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 10.0
LANDING_SECONDS = 3.0


class WebhookSender:
    """Any number of processes may run one: each call is held by a lease of a minute."""

    def __init__(self, context: Context, caller: Caller, clock: Clock) -> None:
        self._context = context
        self._caller = caller
        self._clock = clock
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_flight: Counter[str] = Counter()
        self._house_kept = float("-inf")

    def wake(self) -> None:
        """Say that something was planned, so that it need not wait for the next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Call until cancelled; what is in flight then may still land."""
        try:
            while True:
                self._wake.clear()
                if not await self._turn():
                    await self._pause()
        finally:
            await self._stop()

    async def _turn(self) -> int:
        try:
            await self._keep_house()
            return await self.send_due()
        except StoreError as error:
            log.warning("the sender of webhooks waits for the store: %s", type(error).__name__)
            return 0

    async def send_due(self) -> int:
        """Start as many due calls as there is room for; returns how many. Of a paused webhook only tests."""
        webhooks = {each.id: each for each in await self._context.store.webhooks.all()}
        free = {id: AT_ONCE - self._in_flight[id] for id in webhooks}
        room = {id: count for id, count in free.items() if count > 0}
        paused = frozenset(id for id, each in webhooks.items() if each.state == "paused")
        claimed = await self._context.store.webhooks.claim(room, paused, self._clock.now())
        for call in claimed:
            self._start(webhooks[call.webhook_id], call)
        return len(claimed)

    async def settle(self) -> None:
        """Wait until nothing is in flight."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _start(self, webhook: Webhook, call: Call) -> None:
        self._in_flight[webhook.id] += 1
        task = asyncio.create_task(self._make(webhook, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _make(self, webhook: Webhook, call: Call) -> None:
        try:
            await make_call(self._context, self._caller, webhook, call, now=self._clock.now())
        except Exception as error:
            log.error("webhook call %s is left to its lease: %s", call.id, type(error).__name__)
        finally:
            self._in_flight[webhook.id] -= 1
            self._wake.set()

    async def _keep_house(self) -> None:
        if time.monotonic() - self._house_kept < HOUSEKEEPING_SECONDS:
            return
        if freed := await self._context.store.webhooks.free_abandoned():
            log.warning("%d webhook calls wait again: their worker did not finish", freed)
        self._house_kept = time.monotonic()

    async def _stop(self) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=LANDING_SECONDS)
        for task in set(self._tasks):
            task.cancel()
        await self._caller.close()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        except TimeoutError:
            return
