"""Durations and what is quoted of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Of repeated measurements, milliseconds. The median is quoted; the others tell its worth."""

    median: float
    p95: float
    least: float
    runs: int

    def as_json(self) -> dict[str, float]:
        return {
            "median": round(self.median, 4),
            "p95": round(self.p95, 4),
            "min": round(self.least, 4),
            "runs": self.runs,
        }


def spread_of(durations_ms: Sequence[float]) -> Spread:
    """The spread of at least one duration."""
    ordered = sorted(durations_ms)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return Spread(statistics.median(ordered), p95, ordered[0], len(ordered))


def timed(work: Callable[[], object], *, runs: int, warm_up: int) -> Spread:
    """``work`` run ``warm_up`` times unmeasured, then ``runs`` times measured."""
    for _ in range(warm_up):
        work()
    durations = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        durations.append((time.perf_counter() - began) * 1000)
    return spread_of(durations)
