"""Responses without an end, and one switch that ends them all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    loop: asyncio.AbstractEventLoop
    ended: asyncio.Event


class Streams:
    """The streams that are open now. A server waits for its responses: without ``close`` forever.

    ``close`` may be called from any thread; streams opened after it end at once.
    """

    def __init__(self, *, idle_s: float = 10.0) -> None:
        self.idle_s = idle_s
        """A viewer who takes no byte for this long is dropped."""
        self._open: set[_Stream] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    def close(self) -> None:
        """End all streams, now and from now on."""
        self._closed = True
        for stream in tuple(self._open):
            # A loop that is already closed has no stream left to end.
            with suppress(RuntimeError):
                stream.loop.call_soon_threadsafe(stream.ended.set)

    @contextmanager
    def opened(self) -> Iterator[asyncio.Event]:
        """Count one stream for the length of the block; the event says that it has to end."""
        stream = _Stream(asyncio.get_running_loop(), asyncio.Event())
        self._open.add(stream)
        if self._closed:
            stream.ended.set()
        try:
            yield stream.ended
        finally:
            self._open.discard(stream)
