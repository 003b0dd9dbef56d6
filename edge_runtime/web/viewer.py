"""Somebody who watches the live view: he has room for one picture, the newest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from edge_runtime.types import Clock


class Shot(NamedTuple):
    """One compressed picture of the live view."""

    number: int
    jpeg: bytes
    live: bool
    """False for the last picture, greyed, once no new one comes."""


class Use(NamedTuple):
    """What a viewer did since it was last asked."""

    taken: int
    """Pictures."""
    busy_s: float
    """Time in which he was still taking one."""


class Viewer:
    """A viewer inside an event loop. Pictures he is too slow for are skipped.

    ``next`` is called in the loop; the rest may be called from any thread.
    """

    def __init__(
        self, newest: Callable[[], Shot | None], loop: asyncio.AbstractEventLoop, clock: Clock
    ) -> None:
        self._newest = newest
        self._loop = loop
        self._clock = clock
        self._fresh = asyncio.Event()
        self._offered = newest() is not None
        # Each is written by one thread only, so none needs a lock.
        self._taken = self._taken_before = 0
        self._busy_s = self._busy_s_before = 0.0
        self._busy_since: float | None = None
        if self._offered:
            self._fresh.set()

    @property
    def waits(self) -> bool:
        """Whether he has had the newest picture, and could take another one now."""
        return not self._offered and self._busy_since is None

    def wake(self) -> None:
        """Tell him that there is a newer picture; one he has not taken is gone."""
        self._offered = True
        # A loop that is already closed has no viewer left to wake.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._fresh.set)

    async def next(self, timeout_s: float) -> Shot | None:
        """The newest picture he has not had; None when none came in time.

        From its return to the next call he counts as busy with it.
        """
        self._rest()
        try:
            async with asyncio.timeout(timeout_s):
                await self._fresh.wait()
        except TimeoutError:
            return None
        self._fresh.clear()
        self._offered = False
        self._busy_since = self._clock()
        self._taken += 1
        return self._newest()

    def use(self) -> Use:
        """What he did since the last call; for one thread."""
        taken, busy_s, since = self._taken, self._busy_s, self._busy_since
        if since is not None:
            busy_s += self._clock() - since
        use = Use(taken - self._taken_before, max(0.0, busy_s - self._busy_s_before))
        self._taken_before, self._busy_s_before = taken, busy_s
        return use

    def _rest(self) -> None:
        if self._busy_since is not None:
            self._busy_s += self._clock() - self._busy_since
            self._busy_since = None
