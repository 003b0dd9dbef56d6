"""The power drawn, and a supply that cannot keep up with it."""

from __future__ import annotations

from typing import Final

from edge_runtime.governor.pressure import Pressure
from edge_runtime.governor.trend import Trend
from edge_runtime.types import Health, Snapshot

BAND: Final = 0.1
"""Comfortable is a tenth below the limit."""

WINDOW_S: Final = 30.0
"""Power jumps with every frame and every other program; a supply's rating is meant over time."""

ALARM_EVERY_S: Final = 5.0
"""How often the firmware is asked (telemetry's throttling): an alarm lasts at least so long."""

ALARM_STEPS: Final = 3
"""Rungs given up at once: a board whose voltage fails may stop within the second."""

ALARM_LASTS_S: Final = 60.0
"""After the alarm went off the supply counts as weak for so long."""


class Draw:
    """Keeps the mean power below a limit."""

    def __init__(self, limit_w: float) -> None:
        self._limit_w = limit_w
        self._trend = Trend(WINDOW_S)

    def read(self, health: Health, snapshot: Snapshot | None, now: float) -> Pressure | None:
        if health.power is None:
            return None
        self._trend.add(now, health.power.watts)
        watts = self._trend.line(WINDOW_S).mean
        excess = (watts - self._limit_w) / (BAND * self._limit_w)
        return Pressure(
            limit="max_power_w",
            excess=excess,
            outlook=excess,
            why=f"{watts:.1f} W are drawn, max_power_w is {self._limit_w:g}",
            settle_s=WINDOW_S,
        )


class Voltage:
    """Gives up much at once when the firmware reports under-voltage; needs no setting."""

    def __init__(self) -> None:
        self._alarm_at = float("-inf")
        self._alarmed = False

    def read(self, health: Health, snapshot: Snapshot | None, now: float) -> Pressure | None:
        alarm = health.throttling.under_voltage if health.throttling else None
        if alarm is None:
            return None
        fresh = alarm and not self._alarmed
        self._alarmed = alarm
        if alarm:
            self._alarm_at = now
        weak = now - self._alarm_at < ALARM_LASTS_S
        return Pressure(
            limit="under-voltage",
            excess=1.0 if alarm else -1.0,
            outlook=0.0 if weak else -1.0,
            why="under-voltage, the power supply cannot keep up",
            settle_s=0.0 if fresh else ALARM_EVERY_S,
            steps=ALARM_STEPS,
        )
