"""Events as they happen, as server-sent events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from edge_runtime.event import Event
from edge_runtime.types import Clock
from edge_runtime.web.event_source import EventSource
from edge_runtime.web.live import HEARTBEAT_S, RETRY_MS, TICK_S

Wanted = Callable[[Event], bool]

GREETING: Final = b"retry: %d\n\n" % RETRY_MS


class EventFeed:
    """For any number of subscribers; between events each costs one comparison a tick."""

    def __init__(
        self,
        log: EventSource,
        *,
        max_subscribers: int = 128,
        tick_s: float = TICK_S,
        heartbeat_s: float = HEARTBEAT_S,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.max_subscribers = max_subscribers
        self.subscribers = 0
        self._log = log
        self._tick_s, self._heartbeat_s = tick_s, heartbeat_s
        self._clock, self._sleep = clock, sleep

    @property
    def full(self) -> bool:
        return self.subscribers >= self.max_subscribers

    async def events(self, wanted: Wanted, seen: int | None) -> AsyncGenerator[bytes, None]:
        """One subscriber's events after ``seen``, else from now on, without an end."""
        self.subscribers += 1
        seen = self._log.newest if seen is None else seen
        said_at = self._clock()
        try:
            yield GREETING
            while True:
                newest = self._log.newest
                if newest != seen:
                    fresh = self._log.after(seen)
                    seen = fresh[-1].id if fresh else newest
                    said = b"".join(_sent(event) for event in fresh if wanted(event))
                elif self._clock() - said_at >= self._heartbeat_s:
                    said = b": still here\n\n"
                else:
                    said = b""
                if said:
                    yield said
                    said_at = self._clock()
                await self._sleep(self._tick_s)
        finally:
            self.subscribers -= 1


def _sent(event: Event) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.id,
        event.kind.encode(),
        json.dumps(event.as_json()).encode(),
    )
