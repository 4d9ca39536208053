"""A foreign program's view of Perspektive: HTTP, a key, and patience when a part is being started again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

PATIENCE_SECONDS = 60.0


class StoryBroken(Exception):
    """Something came out otherwise than it must."""


def must(holds: bool, what: str) -> None:
    """StoryBroken, naming `what`, unless `holds`."""
    if not holds:
        raise StoryBroken(what)


@dataclass(frozen=True)
class Answer:
    """What the server answered: the status and the JSON body."""

    status: int
    body: Any

    @property
    def problem(self) -> str:
        """The last part of a problem document's `type`, or an empty text."""
        return str(self.body.get("type", "")).rsplit("/", 1)[-1] if isinstance(self.body, dict) else ""

    def ok(self) -> Any:
        """The body of a 2xx answer; StoryBroken for any other."""
        if not 200 <= self.status < 300:
            raise StoryBroken(f"{self.status}: {self.body}")
        return self.body

    def refused(self, problem: str) -> "Answer":
        """This answer, when it is the problem `problem`; StoryBroken else."""
        if self.problem != problem:
            raise StoryBroken(f"expected the problem {problem}, got {self.status}: {self.body}")
        return self


class Client:
    """Sends each POST with an Idempotency-Key, and the same one again until there is an answer."""

    def __init__(self, address: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": "de"}
        limits = httpx.Limits(max_connections=50)
        self._http = httpx.AsyncClient(base_url=address, headers=headers, timeout=20.0, limits=limits, trust_env=False)
        self.requests = 0
        self.retries = 0

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: Any) -> Any:
        """The JSON at `path`; StoryBroken when it is not a 2xx answer."""
        return (await self._patiently(lambda: self._http.get(path, params=query))).ok()

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        """The answer to one POST, repeated with the same key while the server cannot say what became of it."""
        headers = {"Idempotency-Key": uuid4().hex, **options.pop("headers", {})}
        content = {"json": body if body is not None else {}} if "files" not in options else {}
        return await self._patiently(lambda: self._http.post(path, headers=headers, **content, **options))

    async def all(self, path: str, **query: Any) -> list[Any]:
        """Every item of a paginated list."""
        items: list[Any] = []
        after = None
        while True:
            page = await self.get(path, limit=200, **query, **({"after": after} if after else {}))
            items += page["items"]
            after = page["next"]
            if after is None:
                return items

    async def _patiently(self, send: Callable[[], Awaitable[httpx.Response]]) -> Answer:
        until = time.monotonic() + PATIENCE_SECONDS
        self.requests += 1
        while True:
            try:
                response = await send()
                answer = Answer(response.status_code, _body(response))
            except httpx.TransportError as error:
                answer = Answer(0, str(error) or type(error).__name__)
            if not (answer.status in (0, 500, 502, 503) or answer.problem == "request-still-running"):
                return answer
            if time.monotonic() > until:
                raise StoryBroken(f"no answer within {PATIENCE_SECONDS:.0f} s: {answer}")
            self.retries += 1
            await asyncio.sleep(0.2)


def _body(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text[:200]


async def until(what: str, check: Callable[[], Awaitable[Any]], seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until `check` gives something true and return it; StoryBroken, naming `what`, when time is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = await check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise StoryBroken(f"waited {seconds:.0f} s in vain for {what}")
        await asyncio.sleep(0.05)


async def known_soon(send: Callable[[], Awaitable[Answer]], seconds: float = PATIENCE_SECONDS) -> Answer:
    """Send again (as a new request) while the service has not yet heard of what another one has just been told."""
    deadline = time.monotonic() + seconds
    while True:
        answer = await send()
        if not answer.problem.endswith("-unknown") or time.monotonic() > deadline:
            return answer
        await asyncio.sleep(0.05)
