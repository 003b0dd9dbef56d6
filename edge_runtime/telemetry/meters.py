"""Rates and latencies of the frame loop: cheap to write, worked out only when asked.

One thread writes a meter, any thread may read it: a reader copies the window in one step and works
on the copy.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections import deque

from edge_runtime.types import DURATION_BOUNDS_MS, Clock, Durations, Percentiles


class RateMeter:
    """Events per second over a sliding window, and how many there were."""

    __slots__ = ("_clock", "_moments", "_window_s", "total")

    total: int
    """Events since the start."""

    def __init__(
        self, window_s: float = 2.0, clock: Clock = time.monotonic, size: int = 512
    ) -> None:
        """``size`` bounds the memory: above ``size / window_s`` events per second the newest
        ``size`` decide.
        """
        self._window_s = window_s
        self._clock = clock
        self._moments: deque[float] = deque(maxlen=size)
        self.total = 0

    def add(self, moment: float | None = None) -> None:
        """Count an event, now or at ``moment`` (the same clock's seconds)."""
        self._moments.append(self._clock() if moment is None else moment)
        self.total += 1

    def per_second(self) -> float | None:
        """Events per second; None before two events came, 0.0 when the window is empty.

        Intervals that reach into the window over their span. Silence longer than the mean interval
        lengthens the span, so a camera that stalls is seen to slow down at once.
        """
        moments = list(self._moments.copy())
        if len(moments) < 2:
            return None
        now = self._clock()
        if now - moments[-1] >= self._window_s:
            return 0.0
        # The last event before the window: the newest is inside, so this is an earlier one.
        first = max(0, bisect_right(moments, now - self._window_s) - 1)
        intervals = len(moments) - 1 - first
        span = moments[-1] - moments[first]
        if span <= 0:
            return None
        return intervals / max(span, now - moments[first] - span / intervals)


class LatencyMeter:
    """The last ``size`` durations and their percentiles, and all there were by length."""

    __slots__ = ("_counts", "_durations_ms", "_sum_ms")

    def __init__(self, size: int = 512) -> None:
        self._durations_ms: deque[float] = deque(maxlen=size)
        self._counts = [0] * (len(DURATION_BOUNDS_MS) + 1)
        self._sum_ms = 0.0

    def add(self, duration_ms: float) -> None:
        """Note a duration, milliseconds."""
        self._durations_ms.append(duration_ms)
        # A bucket holds what is as long as its bound, as Prometheus has it (``le``).
        self._counts[bisect_left(DURATION_BOUNDS_MS, duration_ms)] += 1
        self._sum_ms += duration_ms

    def durations(self) -> Durations:
        """All durations so far; for the thread that adds them."""
        return Durations(tuple(self._counts), self._sum_ms)

    def percentiles(self) -> Percentiles | None:
        """p50, p95 and p99 of the window by nearest rank, milliseconds; None while it is empty."""
        ordered = sorted(self._durations_ms.copy())
        if not ordered:
            return None
        return Percentiles(*(ordered[_rank(len(ordered), share)] for share in (50, 95, 99)))


def _rank(known: int, share: int) -> int:
    """Nearest rank: the smallest value that at least ``share`` % of all do not exceed."""
    return max(0, -(-known * share // 100) - 1)
