"""Watches the folder that people drop models into, and tells of each when it is whole."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import watchfiles

from edge_runtime.store.arrival.contents import DEFAULT_LIMITS, Limits
from edge_runtime.store.arrival.listing import Ignored, Listing, Seen, closed, fingerprint, look
from edge_runtime.store.arrival.mounts import needs_polling
from edge_runtime.store.arrival.settler import DEFAULT_PATIENCE, Patience, Settler
from edge_runtime.types import Clock

logger = logging.getLogger(__name__)

TICK_S: Final = 0.2
"""Between two looks while something is on its way, or while the folder is not there."""

IDLE_MS: Final = 1000
"""The longest sleep: what no event tells of is found then, and a wish to stop is heard."""

_POLL_MS: Final = 1000
_TOGETHER_MS: Final = 100


class Arrival(NamedTuple):
    """Something that was dropped and is whole."""

    path: Path
    labels: Path | None
    """The label file that belongs to a lone model file."""
    seen: Seen
    """To tell later whether it is still the same."""


class Stop(Protocol):
    """Who ends the watching; a Worker is one."""

    @property
    def stopping(self) -> bool: ...

    def wait(self, seconds: float) -> bool:
        """Sleep, but not beyond the wish to stop."""


class _StopEvent:
    """A Stop as watchfiles asks for it."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    def is_set(self) -> bool:
        return self._stop.stopping


class Watch:
    """Iterate ``arrivals``. What is there at the start arrives, too; what stays is told once."""

    def __init__(
        self,
        folder: Path,
        *,
        others: Ignored = lambda _: False,
        patience: Patience = DEFAULT_PATIENCE,
        limits: Limits = DEFAULT_LIMITS,
        clock: Clock = time.monotonic,
        mounts: Path = Path("/proc/mounts"),
    ) -> None:
        """``others`` says which names in the folder are no drops."""
        self.folder = folder
        self._others, self._limits, self._clock, self._mounts = others, limits, clock, mounts
        self._settler = Settler(digest=self._digest, closed=self._closed, patience=patience)
        self._complaint = ""

    def arrivals(self, stop: Stop) -> Iterator[Arrival]:
        """Every drop as it becomes whole, until ``stop`` is stopping."""
        changes: Iterator[object] | None = None
        while not stop.stopping:
            yield from self.look()
            there = self.folder.is_dir()
            if self._settler.pending or not there:
                stop.wait(TICK_S)
                # A folder that comes back is another one.
                changes = changes if there else None
            else:
                changes = self._after_change(changes or self._changes(stop), stop)

    def look(self) -> tuple[Arrival, ...]:
        """One look: what has become whole since the last one."""
        listing = self._listing()
        return tuple(
            Arrival(
                self.folder / each.name,
                self.folder / each.labels if each.labels else None,
                listing[each.name],
            )
            for each in self._settler.feed(listing, self._clock())
        )

    def unchanged(self, arrival: Arrival) -> bool:
        """Whether what arrived is still there as it was: ask after reading it."""
        return self._listing().get(arrival.path.name) == arrival.seen

    def polls(self) -> bool:
        """Whether the folder lies on a network mount, where changes have to be looked for."""
        try:
            mounts = self._mounts.read_text()
        except OSError as error:
            logger.info("%s cannot be read (%s): changes are looked for", self._mounts, error)
            return True
        return needs_polling(self.folder.resolve(), mounts)

    def _after_change(self, changes: Iterator[object], stop: Stop) -> Iterator[object] | None:
        """Sleep until something changes; None when they have to be asked for anew."""
        try:
            return None if next(changes, None) is None else changes
        except (OSError, RuntimeError) as error:  # the folder went, or the kernel has no watch left
            self._complain(f"{self.folder} cannot be watched, so it is looked at: {error}")
            stop.wait(IDLE_MS / 1000)
            return None

    def _changes(self, stop: Stop) -> Iterator[object]:
        return watchfiles.watch(
            self.folder,
            watch_filter=None,
            debounce=_TOGETHER_MS,
            step=_TOGETHER_MS // 2,
            stop_event=_StopEvent(stop),
            rust_timeout=IDLE_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=self.polls() or None,
            poll_delay_ms=_POLL_MS,
        )

    def _listing(self) -> Listing:
        try:
            return look(self.folder, self._others)
        except OSError as error:
            self._complain(f"{self.folder} cannot be looked at: {error}")
            return {}

    def _complain(self, what: str) -> None:
        """Each trouble once, not every second."""
        if what != self._complaint:
            logger.warning("%s", what)
        self._complaint = what

    def _digest(self, name: str, seen: Seen) -> bytes:
        return fingerprint(self.folder / name, seen, self._limits.bytes)

    def _closed(self, name: str, seen: Seen) -> bool | None:
        return closed(self.folder / name, seen)
