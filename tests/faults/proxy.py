"""A wire that can be cut: TCP, from a port of its own to another port of this machine."""

import asyncio
from contextlib import suppress

from deploy.local.ports import HOST, choose_port

AT_ONCE = 1 << 16


class Proxy:
    """Use it in one event loop."""

    def __init__(self, target: int) -> None:
        self.port = choose_port()
        self._target = target
        self._flows = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen, for as long as the loop runs."""
        self._flows.set()
        await asyncio.start_server(self._join, HOST, self.port)

    async def cut(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._flows.clear()

    async def mend(self, broken: bool) -> None:
        """All comes through again; when `broken`, over new connections only."""
        if broken:
            for writer in list(self._writers):
                writer.transport.abort()
        self._flows.set()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._flows.wait()
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except OSError:
            writer.transport.abort()
        finally:
            self._writers.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(AT_ONCE):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
