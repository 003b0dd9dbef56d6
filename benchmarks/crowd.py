"""Many who watch a page at once: each reads an endless answer and counts what comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from edge_runtime.web.api import BOUNDARY

EVENTS = ("/api/v1/live", b"\n\n")
PICTURES = ("/api/v1/stream.mjpg", f"--{BOUNDARY}\r\n".encode())
"""Where to ask, and what stands once in each thing that comes."""


@dataclass(eq=False)
class Watcher:
    """One connection."""

    port: int
    path: str
    mark: bytes
    things: int = 0
    bytes: int = 0
    ended: str | None = None
    """Why nothing comes any more; None while it does."""

    async def watch(self) -> None:
        """Until cancelled, or the other end has enough."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError as error:
            self.ended = str(error)
            return
        try:
            writer.write(f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            await self._count(reader)
        except OSError as error:
            self.ended = str(error)
        finally:
            writer.close()

    async def _count(self, reader: asyncio.StreamReader) -> None:
        status = await reader.readline()
        if b" 200 " not in status:
            self.ended = status.decode("latin-1").strip()
            return
        await reader.readuntil(b"\r\n\r\n")
        tail = b""
        while data := await reader.read(1 << 16):
            seen = tail + data
            self.things += seen.count(self.mark)
            self.bytes += len(data)
            # A mark may come in two pieces, but what was counted must not be counted again.
            tail = seen[-(len(self.mark) - 1) :]
        self.ended = "the answer ended"


class Crowd:
    """Watchers of both kinds, together for the length of ``gathered``."""

    def __init__(self, port: int, *, followers: int, viewers: int) -> None:
        """``followers`` read the status as it changes, ``viewers`` the live view."""
        self.followers = [Watcher(port, *EVENTS) for _ in range(followers)]
        self.viewers = [Watcher(port, *PICTURES) for _ in range(viewers)]

    @property
    def everybody(self) -> list[Watcher]:
        return self.followers + self.viewers

    @contextlib.asynccontextmanager
    async def gathered(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each.watch()) for each in self.everybody]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self) -> None:
        """Count anew."""
        for each in self.everybody:
            each.things = each.bytes = 0

    def losses(self) -> list[str]:
        """Of those to whom nothing comes any more: why."""
        return [each.ended for each in self.everybody if each.ended is not None]
