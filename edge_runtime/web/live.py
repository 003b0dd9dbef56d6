"""The status as server-sent events: the whole report first, then only the sections that changed."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Final

from pydantic import BaseModel
from pydantic_core import to_json

from edge_runtime.types import Clock

TICK_S: Final = 0.35
HEARTBEAT_S: Final = 10.0
RETRY_MS: Final = 3000
"""How long a subscriber waits before he comes again; browsers and our client heed it."""


class LiveFeed:
    """Events for any number of subscribers, worked out once per tick for all of them.

    There is no task of its own: whoever wakes first in a tick does the work, so it costs nothing
    without subscribers and its errors have somebody to reach.
    """

    def __init__(
        self,
        report: Callable[[], BaseModel],
        *,
        max_subscribers: int = 128,
        run: str | None = None,
        tick_s: float = TICK_S,
        heartbeat_s: float = HEARTBEAT_S,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``run`` tells this run's events from those of another; random unless given."""
        self.max_subscribers = max_subscribers
        self.subscribers = 0
        self._run = run or secrets.token_hex(4)
        self._report = report
        self._tick_s = tick_s
        self._heartbeat_s = heartbeat_s
        self._clock = clock
        self._sleep = sleep
        self._tick = -1
        self._version = 0
        self._sections: dict[str, bytes] = {}
        self._whole = self._change = b""

    @property
    def full(self) -> bool:
        return self.subscribers >= self.max_subscribers

    async def events(self, last_id: str | None = None) -> AsyncGenerator[bytes, None]:
        """Server-sent events for one subscriber, without an end.

        ``last_id`` is the last event he has had, as he says it when he comes again: if nothing
        happened since, or one thing, he need not hear all the rest once more.
        """
        self.subscribers += 1
        seen, said_at = self._version_of(last_id), self._clock()
        try:
            while True:
                self._refresh()
                # What he has now, before he takes his time: others refresh in between.
                event, seen = self._since(seen), self._version
                if not event and self._clock() - said_at >= self._heartbeat_s:
                    event = b": still here\n\n"
                if event:
                    yield event
                    said_at = self._clock()
                await self._until_next_tick()
        finally:
            self.subscribers -= 1

    async def _until_next_tick(self) -> None:
        # All subscribers wake at the same moments, so that one piece of work serves them all.
        await self._sleep(self._tick_s - self._clock() % self._tick_s)

    def _refresh(self) -> None:
        tick = int(self._clock() / self._tick_s)
        if tick == self._tick:
            return
        self._tick = tick
        report = self._report()
        sections = {name: to_json(getattr(report, name)) for name in type(report).model_fields}
        changed = dict(sections.items() - self._sections.items())
        if changed:
            self._sections = sections
            self._version += 1
            head = b"id: %s-%d\n" % (self._run.encode(), self._version)
            self._change = head + _event("change", changed)
            self._whole = b"retry: %d\n" % RETRY_MS + head + _event("status", sections)

    def _version_of(self, last_id: str | None) -> int:
        """0, as for somebody new, unless the id is one of this run's."""
        run, _, version = (last_id or "").rpartition("-")
        known = run == self._run and version.isascii() and version.isdecimal()
        return int(version) if known and len(version) < 20 else 0

    def _since(self, seen: int) -> bytes:
        """What a subscriber needs who has had version ``seen``."""
        if seen == self._version:
            return b""
        # After a gap the whole is sent again: nobody's gaps are kept.
        return self._change if seen and seen == self._version - 1 else self._whole


def _event(name: str, sections: Mapping[str, bytes]) -> bytes:
    body = b",".join(b'"%s":%s' % (section.encode(), data) for section, data in sections.items())
    return b"event: %s\ndata: {%s}\n\n" % (name.encode(), body)
