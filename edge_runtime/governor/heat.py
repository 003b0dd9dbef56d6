"""The processor's temperature, and where it leads."""

from __future__ import annotations

from typing import Final

from edge_runtime.governor.pressure import Pressure
from edge_runtime.governor.trend import Trend
from edge_runtime.types import Health, Snapshot

BAND_C: Final = 5.0
"""Comfortable is so much below the limit: about what the largest single rung saves on a board
without a fan, so that taking it back does not at once cross the limit again."""

SUDDEN_S: Final = 10.0
"""Within so long the chip alone follows a jump of load."""

STEADY_S: Final = 20.0
"""The board warms up over minutes: its slope is seen in so long."""

LONG_S: Final = 120.0
"""What is taken back must stay affordable for longer."""

SETTLE_S: Final = 10.0
HURRY_S: Final = 2.0
"""Between two rungs when heat is about to be ``HURRY`` bands, three degrees, above the limit."""
HURRY: Final = 0.6


class Heat:
    """Keeps the processor below a temperature, by looking ahead."""

    def __init__(self, limit_c: float) -> None:
        self._limit_c = limit_c
        self._trend = Trend(STEADY_S)
        self._long = Trend(LONG_S, every_s=LONG_S / 24)

    def read(self, health: Health, snapshot: Snapshot | None, now: float) -> Pressure | None:
        celsius = health.temperature_c
        if celsius is None:
            return None
        self._trend.add(now, celsius)
        self._long.add(now, celsius)
        sudden, steady = self._trend.line(SUDDEN_S), self._trend.line(STEADY_S)
        # A jump of load bends: the slope of its first seconds must not be believed for long.
        slope = min(sudden.slope, steady.slope)
        ahead = max(sudden.ahead, sudden.mean + slope * steady.span_s)
        excess = self._excess(ahead)
        rising = " and rising" if ahead > sudden.mean + 1 else ""
        return Pressure(
            limit="max_temperature_c",
            excess=excess,
            outlook=self._excess(max(sudden.mean, ahead, self._long.line(LONG_S).ahead)),
            why=f"{celsius:.0f} °C{rising}, max_temperature_c is {self._limit_c:g}",
            settle_s=HURRY_S if excess >= HURRY else SETTLE_S,
        )

    def _excess(self, celsius: float) -> float:
        return (celsius - self._limit_c) / BAND_C
