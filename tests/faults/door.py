"""A foreign program: each request with an Idempotency-Key, the same again until there is an answer."""

import asyncio
import time
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import httpx

Outcome = Literal["acknowledged", "refused", "unknown"]
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Answer:
    """What became of one request. `tries` is how often it was sent."""

    outcome: Outcome
    status: int
    body: Any
    tries: int


class Door:
    """The addresses of several processes of one service; a retry may reach another process than the first try."""

    def __init__(self, addresses: list[str], key: str, random: Random) -> None:
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": "de"}
        limits = httpx.Limits(max_connections=100)
        self._clients = [
            httpx.AsyncClient(base_url=each, headers=headers, timeout=10.0, limits=limits, trust_env=False)
            for each in addresses
        ]
        self._random = random
        self.requests = 0
        self.retries = 0

    async def close(self) -> None:
        """End the connections."""
        await asyncio.gather(*(client.aclose() for client in self._clients))

    async def post(self, path: str, body: Any, key: str) -> Answer:
        """The answer to one POST; `unknown` when there is none within a minute."""
        return await self._ask("POST", path, {"json": body, "headers": {"Idempotency-Key": key}})

    async def get(self, path: str) -> Answer:
        """The answer to one GET."""
        return await self._ask("GET", path, {})

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> Answer:
        deadline, tries = time.monotonic() + PATIENCE_SECONDS, 0
        self.requests += 1
        while True:
            tries += 1
            status, body = await self._once(method, path, options)
            if not _says_nothing(status, body):
                return Answer("acknowledged" if 200 <= status < 300 else "refused", status, body, tries)
            if time.monotonic() > deadline:
                return Answer("unknown", status, body, tries)
            self.retries += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _once(self, method: str, path: str, options: dict[str, Any]) -> tuple[int, Any]:
        try:
            response = await self._random.choice(self._clients).request(method, path, **options)
            return response.status_code, response.json()
        except httpx.TransportError as error:
            return 0, type(error).__name__
        except ValueError:
            return 0, "half an answer"


def _says_nothing(status: int, body: Any) -> bool:
    """Whether the answer leaves open what became of the request."""
    still_running = isinstance(body, dict) and str(body.get("type", "")).endswith("request-still-running")
    return status in (0, 500, 502, 503) or still_running
