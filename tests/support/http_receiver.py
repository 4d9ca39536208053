"""A program that webhooks call: a real HTTP server on this machine that answers as its script says."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

OK = "200 OK"
HUGE = 64 * 1024 * 1024


@dataclass(frozen=True)
class Heard:
    """One call as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """What every repeat carries."""
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """`script`: an entry per call, then 200. An entry is `<status> <words>`, with headers and a body behind line ends;
    or `drop` (hangs up without an answer), `half` (hangs up within it), `hold` (answers when `release` is set), `huge`
    (an answer without end)."""

    script: list[str] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    most_at_once: int = 0
    bytes_sent: int = 0
    port: int = 0
    _at_once: int = 0
    _server: asyncio.Server | None = None
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, **tls: object) -> "Receiver":
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, **tls)  # type: ignore[arg-type]
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Refuse connections from now on."""
        self.release.set()
        if self._server:
            self._server.close()

    @property
    def url(self) -> str:
        """For a webhook."""
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def ids(self) -> Counter[str]:
        """How often each call came."""
        return Counter(each.id for each in self.heard)

    async def until_heard(self, count: int) -> None:
        """Wait until so many calls came."""
        while len(self.heard) < count:
            self._came.clear()
            await asyncio.wait_for(self._came.wait(), 60)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        step = self.script.pop(0) if self.script else OK
        self.heard.append(Heard(head[0].split()[1], headers, body))
        self._came.set()
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._answer(step, writer)
        finally:
            self._at_once -= 1

    async def _answer(self, step: str, writer: asyncio.StreamWriter) -> bool:
        if step == "drop":
            return False
        if step == "half":
            writer.write(b"HTTP/1.1 200")
            await writer.drain()
            return False
        if step == "huge":
            await self._send_without_end(writer)
            return False
        if step == "hold":
            await self.release.wait()
            step = OK
        status, *more = step.split("\n")
        text = more.pop() if more and ":" not in more[-1] else ""
        lines = [f"HTTP/1.1 {status}", *more, f"Content-Length: {len(text.encode())}", "", text]
        writer.write("\r\n".join(lines).encode())
        await writer.drain()
        return True

    async def _send_without_end(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while self.bytes_sent < HUGE:
            writer.write(b"x" * 65536)
            await writer.drain()
            self.bytes_sent += 65536
