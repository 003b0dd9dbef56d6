"""The newest events, in memory only: nothing is written to the card."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import Final

from edge_runtime.closeable import Closeable
from edge_runtime.event import Event, EventKind, Value
from edge_runtime.types import Clock

KEEP: Final = 1000


class EventLog(Closeable):
    """Any thread tells and reads. Reading copies nothing but what it returns."""

    def __init__(
        self, keep: int = KEEP, *, clock: Clock = time.monotonic, wall: Clock = time.time
    ) -> None:
        self._clock, self._wall = clock, wall
        self._events: deque[Event] = deque(maxlen=keep)
        # Milliseconds since 1970: the next run goes on above, unless a run tells a thousand events
        # a second or the clock was wrong, and the numbers are exact in JavaScript too.
        self._newest = int(wall() * 1000)
        self._counts: Counter[tuple[EventKind, str | None]] = Counter()
        self._changed = threading.Condition()
        self._closed = False

    @property
    def oldest(self) -> int:
        """The id of the oldest that is kept; before the first event, the next id."""
        with self._changed:
            return self._newest + 1 - len(self._events)

    @property
    def newest(self) -> int:
        """The last event's id; before the first, a number below any id to come."""
        return self._newest

    def tell(
        self,
        kind: EventKind,
        sentence: str,
        *,
        camera: str | None = None,
        track: int | None = None,
        **fields: Value,
    ) -> None:
        """Note that something happened now."""
        with self._changed:
            number = self._newest + 1
            event = Event(
                number, self._wall(), self._clock(), kind, sentence, camera, track, fields
            )
            self._events.append(event)
            self._counts[kind, camera] += 1
            self._newest = number
            self._changed.notify_all()

    def counts(self) -> Mapping[tuple[EventKind, str | None], int]:
        """How many of each kind of each camera since the start, kept or not; None: of no camera."""
        with self._changed:
            return self._counts.copy()

    def after(self, number: int) -> tuple[Event, ...]:
        """Those that are kept and newer than ``number``, oldest first.

        A number from the future is one of another clock: then all that is kept.
        """
        with self._changed:
            if number == self._newest:
                return ()
            if number > self._newest:
                return tuple(self._events)
            missing = min(self._newest - number, len(self._events))
            return tuple(
                self._events[i] for i in range(len(self._events) - missing, len(self._events))
            )

    def wait(self, number: int, timeout_s: float | None) -> bool:
        """Until there is something newer than ``number``: False when there is not, or closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._newest > number, timeout_s)
            return self._newest > number

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Let nobody wait any longer; telling and reading go on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
