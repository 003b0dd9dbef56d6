"""How long a frame takes, and how many are processed a second."""

from __future__ import annotations

from typing import Final

from edge_runtime.governor.ladder import ALL_FRAMES
from edge_runtime.governor.pressure import Pressure
from edge_runtime.governor.trend import Trend
from edge_runtime.types import Health, Snapshot

WINDOW_FRAMES: Final = 512
"""Of telemetry's LatencyMeter: a step shows in the percentiles once all of these came after it."""

SETTLE_S: Final = 10.0
"""At least so long is waited, however fast frames come."""

SLOWEST_FPS: Final = 1.0

BAND: Final = 0.2
"""Comfortable is a fifth below the longest latency, or above the lowest rate."""

RATE_S: Final = 10.0

DROPS: Final = 0.05
"""Dropped frames, as a share of the target, from which on it is we who are too slow."""


class Latency:
    """Keeps the time of a frame below a limit, by fewer looks and a rarer detector."""

    def __init__(self, limit_ms: float) -> None:
        self._limit_ms = limit_ms

    def read(self, health: Health, snapshot: Snapshot | None, now: float) -> Pressure | None:
        latency = snapshot.latency.get("frame") if snapshot else None
        if snapshot is None or latency is None:
            return None
        fps = max(snapshot.rates.processed_fps or 0.0, SLOWEST_FPS)
        excess = (latency.p95 - self._limit_ms) / (BAND * self._limit_ms)
        return Pressure(
            limit="max_latency_ms",
            excess=excess,
            outlook=excess,
            why=f"95 of 100 frames take up to {latency.p95:.1f} ms, "
            f"max_latency_ms is {self._limit_ms:g}",
            settle_s=max(SETTLE_S, WINDOW_FRAMES / fps),
            highest=ALL_FRAMES,
        )


class Rate:
    """Keeps up a frame rate.

    Too few frames of a slow camera are no fault of ours: some must be dropped as well.
    """

    def __init__(self, target_fps: float) -> None:
        self._target_fps = target_fps
        self._processed = Trend(RATE_S)
        self._dropped = Trend(RATE_S)

    def read(self, health: Health, snapshot: Snapshot | None, now: float) -> Pressure | None:
        rates = snapshot.rates if snapshot else None
        if rates is None or rates.processed_fps is None or rates.dropped_fps is None:
            return None
        self._processed.add(now, rates.processed_fps)
        self._dropped.add(now, rates.dropped_fps)
        processed, dropped = self._processed.line(RATE_S).mean, self._dropped.line(RATE_S).mean
        short = (self._target_fps - processed) / (BAND * self._target_fps)
        excess = short if dropped >= DROPS * self._target_fps else -1.0
        return Pressure(
            limit="target_fps",
            excess=excess,
            outlook=excess,
            why=f"{processed:.1f} frames a second are processed and {dropped:.1f} dropped, "
            f"target_fps is {self._target_fps:g}",
            settle_s=SETTLE_S,
            highest=ALL_FRAMES,
        )
