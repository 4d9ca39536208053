"""The worker that sends what is due: at most so many mails at once, the most urgent first."""

import asyncio
import logging
import time

from services.notify.domain import Delivery
from services.notify.smtp.mailer import Mailer
from services.notify.usecases.context import Context, Turns
from services.notify.usecases.sending import send_delivery
from shared.clock import Clock
from shared.mongo import StoreError

log = logging.getLogger(__name__)
POLL_SECONDS = 0.25  # so long at most an urgent mail waits for others to make room together
HOUSEKEEPING_SECONDS = 4.0
LANDING_SECONDS = 5.0
GOODBYE_SECONDS = 2.0


class Sender:
    """Any number of processes may run one: each delivery is held by a lease of minutes."""

    def __init__(self, context: Context, mailer: Mailer, clock: Clock, at_once: int) -> None:
        self._context = context
        self._mailer = mailer
        self._clock = clock
        self._at_once = at_once
        self._wake = asyncio.Event()
        self._in_flight: set[asyncio.Task[None]] = set()
        self._turns = Turns()
        self._house_kept = float("-inf")
        self._claimed_at = float("-inf")

    def wake(self) -> None:
        """Say that something was planned, so that it need not wait for the next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled; what is in flight then may still land."""
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
            log.warning("the sender waits for the store: %s", type(error).__name__)
            return 0

    async def send_due(self) -> int:
        """Start sending as many due deliveries as there is room for; returns how many. While the relay is fast it waits
        for half of the room, so that one claim serves many."""
        room = self._at_once - len(self._in_flight)
        soon = time.monotonic() - self._claimed_at < POLL_SECONDS
        if room <= 0 or (soon and room < self._at_once / 2):
            return 0
        self._claimed_at = time.monotonic()
        claimed = await self._context.store.deliveries.claim(room, self._clock.now())
        for thing, deliveries in _by_thing(claimed).items():
            task = asyncio.create_task(self._send_all(thing, deliveries))
            self._in_flight.add(task)
            task.add_done_callback(self._landed)
        return len(claimed)

    async def settle(self) -> None:
        """Wait until nothing is in flight."""
        while self._in_flight:
            await asyncio.wait(set(self._in_flight))

    async def _send_all(self, thing: str, deliveries: list[Delivery]) -> None:
        """One after the other, and after what an earlier claim still hands over about the same thing."""
        async with self._turns.of(thing):
            for delivery in deliveries:
                try:
                    await send_delivery(self._context, self._mailer, delivery, now=self._clock.now())
                except Exception as error:  # its text may hold personal data
                    log.error("delivery %s is left to its lease: %s", delivery.key, type(error).__name__)

    async def _keep_house(self) -> None:
        if time.monotonic() - self._house_kept < HOUSEKEEPING_SECONDS:
            return
        deliveries = self._context.store.deliveries
        await deliveries.say_alive()
        if freed := await deliveries.free_abandoned():
            log.warning("%d deliveries wait again: their worker did not finish", freed)
        self._house_kept = time.monotonic()

    async def _stop(self) -> None:
        if self._in_flight:
            await asyncio.wait(set(self._in_flight), timeout=LANDING_SECONDS)
        cut_off = set(self._in_flight)
        for task in cut_off:
            task.cancel()
        await self._mailer.close()
        deliveries = self._context.store.deliveries
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await (deliveries.leave_to_lease() if cut_off else deliveries.say_goodbye())
        except (StoreError, TimeoutError) as error:
            log.warning("the sender stops without a word to the store: %s", type(error).__name__)

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        except TimeoutError:
            return

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._wake.set()


def _by_thing(claimed: list[Delivery]) -> dict[str, list[Delivery]]:
    """What goes to one address about one thing goes in its order; everything else side by side."""
    things: dict[str, list[Delivery]] = {}
    for delivery in claimed:
        things.setdefault(f"{delivery.about} {delivery.to.email.lower()}", []).append(delivery)
    return things
