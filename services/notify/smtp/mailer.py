"""Hands mails to the relays (aiosmtplib): to the first one for the recipient's domain that can take them."""

import asyncio
import logging
from collections.abc import Sequence

from services.notify.smtp.failures import Refused, TryAgain, Unavailable, Unsuitable
from services.notify.smtp.pool import Pool
from services.notify.smtp.relays import Relay, in_order
from services.notify.smtp.transaction import CONTENT_SECONDS, Mail

log = logging.getLogger(__name__)


class Mailer:
    """A pool of connections per relay. `at_once` is how many mails this process has in flight at most; a relay has
    `timeout_seconds` for each answer, and `content_seconds` for the one to the content."""

    def __init__(
        self,
        relays: Sequence[Relay],
        timeout_seconds: float = 30,
        at_once: int = 4,
        content_seconds: float = CONTENT_SECONDS,
    ) -> None:
        self._relays = relays
        self._longest = timeout_seconds * 2 + content_seconds
        self._pools = {relay: Pool(relay, timeout_seconds, at_once, content_seconds) for relay in relays}

    @property
    def connections_opened(self) -> int:
        """How many connections there have been, to all relays."""
        return sum(pool.opened for pool in self._pools.values())

    async def send(self, mail: Mail) -> str:
        """Hand over one mail and return the relay's answer, for example `250 OK`; NotNow, TryAgain or Refused."""
        try:
            async with asyncio.timeout(self._longest):
                return await self._by_the_first_that_can(mail)
        except TimeoutError as error:
            raise TryAgain("no answer in time") from error

    async def close(self) -> None:
        """End all idle connections."""
        for pool in self._pools.values():
            pool.close()

    async def _by_the_first_that_can(self, mail: Mail) -> str:
        """A relay that took nothing of the mail leaves it to the next. One that was down is asked last."""
        pools = [self._pools[relay] for relay in in_order(self._relays, mail.domain)]
        failures: list[Unavailable] = []
        for pool in sorted(pools, key=lambda pool: pool.is_down):
            try:
                return await pool.send(mail)
            except Unavailable as error:
                log.warning("%s takes no mail now: %s", pool.relay.name, type(error.__cause__ or error).__name__)
                failures.append(error)
        lasting = [failure for failure in failures if not isinstance(failure, Unsuitable)]
        raise lasting[-1] if lasting else Refused(str(failures[-1]))
