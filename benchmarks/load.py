"""A bounded load from a process of its own: many kept connections, each sending its next request when it has an answer.

Standard library only, so that the client costs little beside the server. Loopback addresses only.
"""

import asyncio
import ipaddress
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4


@dataclass(frozen=True)
class Shot:
    """One answered request: HTTP status, JSON body, seconds from sending to the whole answer."""

    status: int
    body: Any
    seconds: float


async def fire(address: str, key: str, path: str, bodies: Sequence[Any], clients: int) -> tuple[list[Shot], float]:
    """POST each of `bodies` to `path` over `clients` connections; returns the answers and the seconds for all."""
    parts = urlsplit(address)
    if not ipaddress.ip_address(parts.hostname or "").is_loopback:
        raise ValueError(f"load is sent to loopback addresses only, not to {parts.hostname}")
    waiting = list(reversed(bodies))
    shots: list[Shot] = []
    started = time.perf_counter()
    workers = [_client(parts.hostname or "", parts.port or 80, key, path, waiting, shots) for _ in range(clients)]
    await asyncio.gather(*workers)
    return shots, time.perf_counter() - started


async def _client(host: str, port: int, key: str, path: str, waiting: list[Any], shots: list[Shot]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while waiting:
        request = _request(host, port, key, path, waiting.pop())
        started = time.perf_counter()
        writer.write(request)
        status, body = await _answer(reader)
        shots.append(Shot(status, body, time.perf_counter() - started))
    writer.close()
    await writer.wait_closed()


def _request(host: str, port: int, key: str, path: str, body: Any) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Idempotency-Key: {uuid4().hex}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def _answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return int(first.split()[1]), json.loads(body)


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which `part` (0 to 1) of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
