"""One call over HTTP: bounded in time and in what is read of the answer; no redirect is followed, no proxy is used."""

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore
import httpx

from services.notify.webhooks.addresses import AddressNotPublic, Guard, GuardedNetwork, NameUnknown
from services.notify.webhooks.rules import AT_ONCE, MOST_WEBHOOKS, Answer, Trouble
from services.notify.webhooks.signing import headers_for

SECONDS = 15.0
BYTES_READ = 4096
TEXT_KEPT = 300
IDLE_SECONDS = 4.0


class Caller:
    """Keeps connections for a few seconds. `guard` decides what may be called."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext | None = None, seconds: float = SECONDS) -> None:
        self.guard = guard
        self._seconds = seconds
        self._connections = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(),
            max_connections=MOST_WEBHOOKS * AT_ONCE,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=GuardedNetwork(guard),
        )

    async def call(self, address: str, id: str, body: bytes, secrets: Sequence[str]) -> Answer:
        """POST `body` to `address`, signed with each of `secrets`. Every trouble is an answer, none is raised."""
        # The machine's time on purpose: receivers refuse what is old, and moving the clock of a demo must not age it.
        headers = headers_for(id, int(time.time()), body, secrets)
        headers |= {"content-type": "application/json", "user-agent": "Perspektive-Webhooks/1", "accept": "*/*"}
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                status, told, text = await self._post(address, headers, body)
        except Exception as error:
            return Answer(trouble=_trouble(error), took_ms=_ms_since(began))
        return Answer(status, _readable(text), retry_after=_retry_after(told), took_ms=_ms_since(began))

    async def close(self) -> None:
        """End the connections."""
        await self._connections.aclose()

    async def _post(self, address: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str, bytes]:
        """(status, Retry-After, the first bytes of the answer)."""
        text = b""
        async with self._connections.stream("POST", address, headers=headers, content=body) as answer:
            told = next((value for name, value in answer.headers if name.lower() == b"retry-after"), b"")
            try:
                async for part in answer.aiter_stream():
                    text += part
                    if len(text) >= BYTES_READ:
                        break
            except httpcore.ProtocolError:
                pass  # the status has come, and that is what counts
            return answer.status, told.decode("latin-1"), text[:BYTES_READ]


def _trouble(error: BaseException) -> Trouble:
    """What an exception means. Others than these are faults of ours, and look like a cut-off connection."""
    kinds: list[tuple[tuple[type[BaseException], ...], Trouble]] = [
        ((NameUnknown,), "name_unknown"),
        ((AddressNotPublic,), "not_public"),
        ((TimeoutError, httpcore.TimeoutException), "too_slow"),
    ]
    found = next((trouble for classes, trouble in kinds if isinstance(error, classes)), None)
    if found:
        return found
    if isinstance(error, httpcore.ConnectError):
        return "not_safe" if isinstance(error.__context__, ssl.SSLError) or "SSL" in str(error) else "no_connection"
    return "cut_off"


def _retry_after(text: str) -> float:
    """Seconds from a number or a date; 0 for anything else."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _readable(text: bytes) -> str:
    shown = text[:TEXT_KEPT].decode(errors="replace")
    return "".join(letter if letter.isprintable() else " " for letter in shown).strip()


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
