"""The connections of this process to one relay: kept while mails flow, never more than the relay allows."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from ssl import SSLContext

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from services.notify.smtp.failures import (
    NotNow,
    Refused,
    TryAgain,
    Unavailable,
    Unsuitable,
    named,
    wants_fewer_connections,
)
from services.notify.smtp.relays import Relay
from services.notify.smtp.transaction import Mail, failure_of, hand_over

log = logging.getLogger(__name__)
Ticks = Callable[[], float]
IDLE_SECONDS = 20
MINUTE = 60.0
PATIENCE_SECONDS = 5.0  # for a connection of this process to become free; then the mail makes room for others
PAUSES = (0.25, 0.5, 1.0, 2.0)  # after each answer that there are too many connections
FULL_SECONDS = 5.0  # when there still are: others than this process hold them
RECOVERY_SECONDS = 60.0  # after so long the relay is tried with one connection more
DOWN_SECONDS = 30.0


class TooManyConnections(Exception):
    """The relay wants fewer connections than there are; it did not look at the mail."""


class Pace:
    """At most `per_minute` mails in any minute; the last tenth is for urgent ones."""

    def __init__(self, per_minute: int, ticks: Ticks) -> None:
        self._most = per_minute
        self._ticks = ticks
        self._taken: deque[float] = deque()
        self._promised = 0

    def take(self, urgent: bool) -> None:
        """Count one mail; NotNow with the seconds until its turn, another for each that asks."""
        if not self._most:
            return
        now = self._ticks()
        while self._taken and now - self._taken[0] >= MINUTE:
            self._taken.popleft()
        if len(self._taken) < (self._most if urgent else self._most - self._most // 10):
            self._taken.append(now)
            self._promised = max(0, self._promised - 1)
            return
        rounds, place = divmod(self._promised, len(self._taken))
        self._promised += 1
        raise NotNow(self._taken[place] + MINUTE * (rounds + 1) - now)


class Pool:
    """One relay's connections. `most` is how many mails are in flight at once."""

    def __init__(
        self, relay: Relay, timeout_seconds: float, most: int, content_seconds: float, ticks: Ticks = time.monotonic
    ) -> None:
        self.relay = relay
        self.opened = 0
        self._timeout = timeout_seconds
        self._content_seconds = content_seconds
        self._most = min(relay.connections or most, most)
        self._ticks = ticks
        self._pace = Pace(relay.per_minute, ticks)
        self._idle: list[tuple[float, SMTP]] = []
        self._in_use = 0
        self._freed = asyncio.Event()
        self._lowered_to, self._lowered_at = self._most, ticks()
        self._down_until = ticks()
        self._tls: SSLContext | None = None

    @property
    def limit(self) -> int:
        """How many connections may be open now: fewer for a while after the relay said that there are too many."""
        recovered = int((self._ticks() - self._lowered_at) / RECOVERY_SECONDS)
        return min(self._most, self._lowered_to + recovered)

    @property
    def is_down(self) -> bool:
        """Whether the relay was not available a moment ago."""
        return self._ticks() < self._down_until

    async def send(self, mail: Mail) -> str:
        """Hand over one mail and return the relay's answer. NotNow, Unavailable, TryAgain, Refused."""
        self._pace.take(mail.urgent)
        for pause in PAUSES:
            try:
                return await self._over_one_connection(mail)
            except TooManyConnections:
                await asyncio.sleep(pause)  # those that were closed have to be so on the other side, too
        raise NotNow(FULL_SECONDS)

    async def _over_one_connection(self, mail: Mail) -> str:
        answer = None
        while answer is None:
            await self._room()
            kept = self._take_idle()
            connection = kept or self._new()
            self._in_use += 1
            answer = await self._try(connection, kept is not None, mail)
        return answer

    async def _try(self, connection: SMTP, kept: bool, mail: Mail) -> str | None:
        """The answer; TooManyConnections, or None when the mail was not looked at for the sake of this connection."""
        fit = False
        try:
            if not kept:
                await self._open(connection)
            answer = await hand_over(connection, mail, self._content_seconds)
            fit = True
            return answer
        except SMTPResponseException as error:
            if wants_fewer_connections(error, self._others):
                self._lower(error)
                raise TooManyConnections from error
            if kept and error.code == 421:
                return None  # it has grown too old for the relay
            fit = await _reset(connection)
            raise self._noted(failure_of(error)) from error
        except (TryAgain, Refused) as error:
            if kept and isinstance(error, Unavailable) and not connection.is_connected:
                return None
            fit = await _reset(connection)
            raise self._noted(error) from error.__cause__
        finally:
            self._give_back(connection, fit)

    def close(self) -> None:
        """End all idle connections."""
        idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    async def _room(self) -> None:
        """Wait until one connection more may be used; NotNow when none becomes free."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self._in_use >= self.limit:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError as error:
            raise NotNow(PATIENCE_SECONDS) from error

    def _take_idle(self) -> SMTP | None:
        while self._idle:
            used_at, connection = self._idle.pop()
            if connection.is_connected and self._ticks() - used_at < IDLE_SECONDS:
                return connection
            connection.close()
        return None

    def _new(self) -> SMTP:
        relay = self.relay
        if self._tls is None and (relay.implicit_tls or relay.starttls):
            self._tls = relay.tls_context()
        return SMTP(
            hostname=relay.host, port=relay.port, username=relay.user, password=relay.password,
            use_tls=relay.implicit_tls, start_tls=relay.starttls, tls_context=self._tls, timeout=self._timeout,
        )  # fmt: skip

    async def _open(self, connection: SMTP) -> None:
        """Connect and sign in; Unavailable, or SMTPResponseException for an answer that is not the one wanted."""
        try:
            await connection.connect()
            if connection.is_ehlo_or_helo_needed:
                await connection.ehlo()
        except SMTPResponseException as error:
            if wants_fewer_connections(error, self._others):
                raise
            raise Unavailable(f"no connection: {error.code} {error.message}") from error
        except (SMTPException, OSError) as error:
            raise Unavailable(f"no connection: {named(error)}") from error
        self.opened += 1
        self._down_until = self._ticks()

    @property
    def _others(self) -> int:
        """How many connections of this process there are besides the one in hand."""
        return self._in_use + len(self._idle) - 1

    def _lower(self, error: SMTPResponseException) -> None:
        """Use fewer connections for a while."""
        self._lowered_to, self._lowered_at = max(1, self._others), self._ticks()
        log.warning("%s takes at most %d connections now: %d", self.relay.name, self._lowered_to, error.code)

    def _noted(self, failure: TryAgain | Refused) -> TryAgain | Refused:
        if isinstance(failure, Unavailable) and not isinstance(failure, Unsuitable):
            self._down_until = self._ticks() + DOWN_SECONDS
        return failure

    def _give_back(self, connection: SMTP, fit: bool) -> None:
        self._in_use -= 1
        if fit and connection.is_connected and self._in_use + len(self._idle) < self.limit:
            self._idle.append((self._ticks(), connection))
        else:
            connection.close()
        self._freed.set()


async def _reset(connection: SMTP) -> bool:
    """Whether the connection can take the next mail after this one failed."""
    if not connection.is_connected:
        return False
    try:
        await connection.rset()
    except (SMTPException, OSError):
        return False
    return True
