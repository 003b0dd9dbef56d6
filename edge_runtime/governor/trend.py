"""Readings of the last seconds or minutes, and the straight line through them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

FEWEST: Final = 3
"""Readings a trend is made of, however seldom they come."""


class Line(NamedTuple):
    """A straight line through readings."""

    mean: float
    slope: float
    """Per second."""
    span_s: float
    """From the first reading to the last."""
    lag_s: float
    """From the readings' mean moment to the last."""

    @property
    def ahead(self) -> float:
        """Where it leads to after the last reading, as long again as its span.

        No further ahead than was looked back: so the error of the end stays below two errors of a
        reading, and a sensor which steps by half a degree raises no false alarm.
        """
        return self.mean + self.slope * (self.lag_s + self.span_s)


class Trend:
    """Takes readings with their moments."""

    def __init__(self, kept_s: float, *, every_s: float = 0.0) -> None:
        """``every_s``: readings nearer to each other are left out; a long window needs few."""
        self._kept_s, self._every_s = kept_s, every_s
        self._readings: deque[tuple[float, float]] = deque()

    def add(self, now: float, value: float) -> None:
        if self._readings and now - self._readings[-1][0] < self._every_s:
            return
        self._readings.append((now, value))
        while len(self._readings) > FEWEST and now - self._readings[0][0] > self._kept_s:
            self._readings.popleft()

    def line(self, window_s: float) -> Line:
        """Through the readings of the window, or the last few where it holds fewer."""
        readings: list[tuple[float, float]] = []
        begins = self._readings[-1][0] - window_s
        for reading in reversed(self._readings):
            if reading[0] < begins and len(readings) >= FEWEST:
                break
            readings.append(reading)
        return _fitted(readings)


def _fitted(readings: Sequence[tuple[float, float]]) -> Line:
    """By least squares; level as long as there are too few readings, newest first, to tell."""
    count = len(readings)
    mean_t = sum([moment for moment, _ in readings]) / count
    mean = sum([value for _, value in readings]) / count
    spread = sum([(moment - mean_t) ** 2 for moment, _ in readings])
    span_s = readings[0][0] - readings[-1][0]
    if count < FEWEST or spread == 0:
        return Line(mean, 0.0, span_s, span_s)
    rise = sum([(moment - mean_t) * (value - mean) for moment, value in readings])
    return Line(mean, rise / spread, span_s, readings[0][0] - mean_t)
