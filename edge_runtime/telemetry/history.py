"""The last hour and the last day, in memory of fixed size: nothing is written to the card."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from edge_runtime.types import Clock, Health, Snapshot

Span = Literal["hour", "day"]

FIGURES: Final = (
    "captured_fps",
    "processed_fps",
    "dropped_fps",
    "latency_p50_ms",
    "latency_p95_ms",
    "temperature_c",
    "power_w",
    "memory_mb",
    "faces",
)
"""Of all cameras together; latencies are the slowest camera's."""

CAMERA_FIGURES: Final = ("processed_fps", "latency_p95_ms", "faces")
"""Of each camera by itself, where there are several."""

STEPS: Final[Mapping[Span, tuple[float, int]]] = {"hour": (5.0, 720), "day": (60.0, 1440)}
"""Seconds of a step, and how many: 228 KiB in all, and 76 KiB for each of several cameras."""

_LOW, _MEAN, _HIGH = range(3)

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span as it is now, oldest step first. NaN: nothing was read then, or it was unknown."""

    span: Span
    step_s: float
    ends_at: float
    """Seconds since 1970 at which the last step ends, by the clock as it is now."""
    cameras: tuple[str, ...]
    """Whose figures follow those of all; none where there is only one camera."""
    low: Values
    """(figures, steps): ``FIGURES``, then ``CAMERA_FIGURES`` of each camera; so are the others."""
    mean: Values
    high: Values

    def rows(self, camera: str) -> Mapping[str, int]:
        """Where the figures of one camera are."""
        first = len(FIGURES) + self.cameras.index(camera) * len(CAMERA_FIGURES)
        return {name: first + i for i, name in enumerate(CAMERA_FIGURES)}


class History:
    """One thread adds, any thread reads."""

    def __init__(
        self,
        interval_s: float = 1.0,
        *,
        cameras: Sequence[str] = (),
        clock: Clock = time.monotonic,
        wall: Clock = time.time,
    ) -> None:
        """``interval_s``: how often something is added. Steps that are shorter are filled.
        ``cameras``: their names; what is kept of each alone is kept where there are several.
        """
        self._clock, self._wall = clock, wall
        self._interval_s = self._interval_before_s = interval_s
        self._cameras = tuple(cameras) if len(cameras) > 1 else ()
        rows = len(FIGURES) + len(self._cameras) * len(CAMERA_FIGURES)
        self._rings = {span: _Ring(*STEPS[span], rows=rows) for span in STEPS}
        self._adding = threading.Lock()

    @property
    def bytes(self) -> int:
        """Memory of all steps; it never grows."""
        return sum(ring.values.nbytes for ring in self._rings.values())

    def follow(self, interval_s: float) -> None:
        """Readings come at another pace from now on; the pause under way may still be the old."""
        with self._adding:
            self._interval_s = interval_s

    def add(self, snapshots: Sequence[Snapshot | None], health: Health) -> None:
        """A reading of now; unknown figures are left out.

        ``snapshots``: of each camera in their order, None before its first.
        """
        known = [each for each in snapshots if each is not None]
        figures = _figures(known, health)
        if self._cameras:
            figures += [figure for each in snapshots for figure in _figures_of(each)]
        values = np.array(figures, np.float32)
        now = self._clock()
        with self._adding:
            pause_s = max(self._interval_s, self._interval_before_s)
            self._interval_before_s = self._interval_s
            for ring in self._rings.values():
                ring.add(values, now, fill_s=1.5 * pause_s)

    def stretch(self, span: Span) -> Stretch:
        """The last hour or day up to now."""
        ring, now = self._rings[span], self._clock()
        with self._adding:
            values = ring.until(now)
        ends_in_s = (ring.number(now) + 1) * ring.step_s - now
        return Stretch(
            span, ring.step_s, self._wall() + ends_in_s, self._cameras,
            low=values[_LOW], mean=values[_MEAN], high=values[_HIGH],
        )  # fmt: skip


class _Ring:
    """Steps of one length; the one with number n lies at n modulo their count."""

    def __init__(self, step_s: float, steps: int, *, rows: int) -> None:
        self.step_s, self._steps = step_s, steps
        self.values = np.full((3, rows, steps), np.nan, np.float32)
        self._counts = np.zeros(rows, np.int64)
        self._last: int | None = None

    def number(self, moment: float) -> int:
        return int(moment // self.step_s)

    def add(self, values: Values, now: float, *, fill_s: float) -> None:
        """``fill_s``: no longer is the pause between two readings that leaves no gap."""
        number = self.number(now)
        if number != self._last:
            self._begin(number, values, fill_s)
        place = number % self._steps
        low, mean, high = self.values[:, :, place]
        known = ~np.isnan(values)
        self._counts += known
        np.fmin(low, values, out=low)
        np.fmax(high, values, out=high)
        first = known & np.isnan(mean)
        mean[first] = values[first]
        more = known & ~first
        mean[more] += (values[more] - mean[more]) / self._counts[more]

    def until(self, now: float) -> Values:
        """(3, figures, steps), the step of ``now`` last; a copy."""
        number = self.number(now)
        steps = np.arange(number - self._steps + 1, number + 1)
        copy = self.values[:, :, steps % self._steps]
        if self._last is None:
            return copy
        copy[:, :, steps > self._last] = np.nan  # what lies there is a span old
        return copy

    def _begin(self, number: int, values: Values, fill_s: float) -> None:
        """A new step: those that were passed over are gaps, unless readings come that seldom."""
        last = number - self._steps if self._last is None else self._last
        first_new = max(last + 1, number - self._steps + 1)
        passed = np.arange(first_new, number + 1) % self._steps
        self.values[:, :, passed] = np.nan
        if self._last is not None and (number - last) * self.step_s <= fill_s + self.step_s:
            self.values[:, :, passed[:-1]] = values[None, :, None]
        self._counts[:] = 0
        self._last = number


def _figures(snapshots: Sequence[Snapshot], health: Health) -> list[float]:
    """In the order of ``FIGURES``; NaN where unknown."""
    rates = [snapshot.rates for snapshot in snapshots]
    frames = [s.latency["frame"] for s in snapshots if "frame" in s.latency]
    slowest = max(frames, key=lambda each: each.p95, default=None)
    power = health.power
    return [
        _sum([each.captured_fps for each in rates]),
        _sum([each.processed_fps for each in rates]),
        _sum([each.dropped_fps for each in rates]),
        math.nan if slowest is None else slowest.p50,
        math.nan if slowest is None else slowest.p95,
        math.nan if health.temperature_c is None else health.temperature_c,
        math.nan if power is None else power.watts,
        math.nan if health.memory_mb is None else health.memory_mb,
        float(sum(len(each.faces) for each in snapshots)) if snapshots else math.nan,
    ]


def _figures_of(snapshot: Snapshot | None) -> list[float]:
    """In the order of ``CAMERA_FIGURES``; NaN where unknown."""
    if snapshot is None:
        return [math.nan] * len(CAMERA_FIGURES)
    frame = snapshot.latency.get("frame")
    return [
        _sum([snapshot.rates.processed_fps]),
        math.nan if frame is None else frame.p95,
        float(len(snapshot.faces)),
    ]


def _sum(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) if known else math.nan
