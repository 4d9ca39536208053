"""The message broker: NATS JetStream by FastStream. The only file that names the broker.

One stream per source; every service reads each source it listens to with one durable consumer, acknowledges by hand,
and after a failure asks for the message again with growing pauses.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import nats.errors
import nats.js.errors
from faststream import AckPolicy
from faststream.exceptions import FastStreamException
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.js.api import ConsumerConfig, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType

from shared.ids import derived_id
from shared.workers import end

log = logging.getLogger(__name__)

Wire = dict[str, Any]
OnMessage = Callable[[Wire, int], Awaitable[None]]
RETRY_PAUSES = (0.2, 1.0, 5.0, 30.0, 120.0)
CONNECT_SECONDS = 5.0
ACK_WAIT_SECONDS = 5.0  # what a killed process had in hand comes again after this
KEPT_SECONDS = 7 * 24 * 3600
_FAILURES = (nats.errors.Error, nats.js.errors.Error, FastStreamException, OSError, TimeoutError)


class BrokerUnavailable(Exception):
    """The broker cannot be reached or did not acknowledge."""


class TryAgain(Exception):
    """The message could not be handled this time; give it again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"again in {seconds} s")


@dataclass(frozen=True)
class Ack:
    """The broker keeps a message at `position` of its stream; `repeated` when it had it already."""

    position: int
    repeated: bool


@dataclass(frozen=True)
class Stream:
    """Where a source's stream stands: `created` changes when the broker lost its data."""

    created: str
    last_position: int


class Broker:
    """One service's connection. It connects in the background, for as long as it takes, and heals itself."""

    def __init__(self, url: str, service: str, listens_to: Sequence[str], on_message: OnMessage, replicas: int = 1):
        self._url = url
        self._service = service
        self._listens_to = tuple(listens_to)
        self._on_message = on_message
        self._replicas = replicas
        self._nats: NatsBroker | None = None

    @property
    def connected(self) -> bool:
        """Whether messages can be published and read right now."""
        return self._nats is not None and bool(self._nats._connection and self._nats._connection.is_connected)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        pause = 0.1
        try:
            while True:
                try:
                    await self._open()
                    pause = 0.1
                    await self._watch()
                except _FAILURES as error:
                    log.warning("broker: %s; next try in %.1f s", error or type(error).__name__, pause)
                await self._close()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
        finally:
            await self._close()

    async def publish(self, source: str, messages: Sequence[tuple[str, Wire]]) -> list[Ack | None]:
        """Publish (subject, document) pairs; returns what the broker acknowledged, None where it did not.

        The document's id makes saying it twice harmless. BrokerUnavailable when there is no connection.
        """
        broker = self._connected_broker()
        outcomes = await asyncio.gather(
            *(self._publish_one(broker, source, subject, wire) for subject, wire in messages), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, _FAILURES):
                raise outcome
        return [outcome if isinstance(outcome, Ack) else None for outcome in outcomes]

    async def stream(self, source: str) -> Stream:
        """Where the stream of `source` stands; creates it when it is missing."""
        try:
            return await self._ensure_stream(source)
        except _FAILURES as error:
            raise BrokerUnavailable(str(error)) from error

    async def _publish_one(self, broker: NatsBroker, source: str, subject: str, wire: Wire) -> Ack:
        body = json.dumps(wire, ensure_ascii=False).encode()
        headers = {"Nats-Msg-Id": wire["id"], "content-type": "application/json"}
        ack = await broker.publish(body, subject, headers=headers, stream=source, timeout=5.0)
        return Ack(ack.seq, bool(ack.duplicate))

    def _connected_broker(self) -> NatsBroker:
        if not self.connected:
            raise BrokerUnavailable("not connected")
        return self._nats  # type: ignore[return-value]

    async def _open(self) -> None:
        broker = NatsBroker(
            self._url, name=self._service, max_reconnect_attempts=-1, reconnect_time_wait=0.2, allow_reconnect=True,
            connect_timeout=2, logger=None, error_cb=_quiet, graceful_timeout=5.0, ack_policy=AckPolicy.MANUAL,
            apply_types=False,  # its look at annotations costs a thread's turn per message
        )  # fmt: skip
        self._nats = broker
        await self._connect(broker)
        for source in {self._service, *self._listens_to}:
            await self._ensure_stream(source)
        for source in self._listens_to:
            self._subscribe(broker, source)
        await broker.start()
        log.info("broker: connected, listening to %s", ", ".join(self._listens_to) or "nothing")

    async def _connect(self, broker: NatsBroker) -> None:
        """Its own attempts have no end, so that it can take a cancellation for one that failed."""
        connecting = asyncio.create_task(broker.connect())
        try:
            done, _ = await asyncio.wait([connecting], timeout=CONNECT_SECONDS)
        finally:
            await end(connecting, 0.1)
        if not done:
            raise TimeoutError(f"no connection in {CONNECT_SECONDS} s")
        connecting.result()

    def _subscribe(self, broker: NatsBroker, source: str) -> None:
        subscriber = broker.subscriber(
            f"{source}.>",
            stream=JStream(source, declare=False),
            durable=self._service,
            deliver_policy=DeliverPolicy.ALL,
            pull_sub=PullSub(batch_size=64, timeout=1.0),
            config=ConsumerConfig(ack_wait=ACK_WAIT_SECONDS, max_deliver=-1, max_ack_pending=1000),
            ack_policy=AckPolicy.MANUAL,
            decoder=_as_it_is,
        )
        subscriber(self._receive)

    async def _receive(self, message: NatsMessage) -> None:
        attempt = message.raw_message.metadata.num_delivered
        try:
            await self._on_message(_document(message.body), attempt)
        except TryAgain as again:
            await message.nack(delay=again.seconds)
        except Exception as error:
            pause = RETRY_PAUSES[min(attempt, len(RETRY_PAUSES)) - 1]
            log.warning("attempt %d failed, again in %s s: %s", attempt, pause, type(error).__name__)
            await message.nack(delay=pause)
        else:
            await message.ack()

    async def _watch(self) -> None:
        """Return when the connection has lost a stream or a consumer and has to be built anew."""
        while True:
            await asyncio.sleep(1.0)
            if not self.connected:
                continue
            context = self._nats.config.connection_state.stream  # type: ignore[union-attr]
            for source in self._listens_to:
                await context.consumer_info(source, self._service)

    async def _ensure_stream(self, source: str) -> Stream:
        context = self._connected_broker().config.connection_state.stream
        try:
            info = await context.stream_info(source)
        except nats.js.errors.NotFoundError:
            info = await context.add_stream(
                name=source,
                subjects=[f"{source}.>"],
                retention=RetentionPolicy.LIMITS,
                storage=StorageType.FILE,
                discard=DiscardPolicy.OLD,
                max_age=KEPT_SECONDS,
                duplicate_window=120,
                num_replicas=self._replicas,
            )
        return Stream(str(info.created), info.state.last_seq)

    async def _close(self) -> None:
        broker, self._nats = self._nats, None
        if broker is None:
            return
        try:
            await broker.stop()
        except Exception as error:  # stop() raises when the server is gone; nothing is left to save here
            log.debug("broker: %s while closing", error)


async def _as_it_is(message: NatsMessage) -> NatsMessage:
    """FastStream's own decoder would drop a body that is not JSON before anybody sees it."""
    return message


def _document(body: bytes) -> Wire:
    """The JSON document in `body`; what is none comes as {id, unreadable}, so that it can be set aside."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and isinstance(document.get("id"), str):
        return document
    return {"id": derived_id("unreadable", body), "unreadable": body.decode(errors="replace")}


async def _quiet(error: Exception) -> None:
    log.debug("broker: %s", error)
