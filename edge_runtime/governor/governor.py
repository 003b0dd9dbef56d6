"""Decides what is given up: quickly up the ladder, slowly down again, and not twice in vain."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from edge_runtime.governor.heat import Heat
from edge_runtime.governor.ladder import LADDER, TOP
from edge_runtime.governor.limits import Limits
from edge_runtime.governor.patience import Patience
from edge_runtime.governor.power import Draw, Voltage
from edge_runtime.governor.pressure import Gauge, Pressure
from edge_runtime.governor.speed import Latency, Rate
from edge_runtime.quiet_hours import local_time
from edge_runtime.types import Allowance, Clock, Health, Snapshot

COMFORTABLE: Final = -1.0

NOTHING: Final = Allowance()


class Governor:
    """Asked after each reading. What is unknown limits nothing; no limit reached, no change.

    One rung at a time, but for under-voltage. Something is taken back only when every limit is
    comfortably far, and when that was wrong, the next try waits longer: see ``Patience``.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        clock: Clock = time.monotonic,
        time_of_day: Callable[[], datetime.time] = local_time,
    ) -> None:
        self._gauges = tuple(_gauges(limits))
        self._quiet_hours = limits.quiet_hours
        self._clock = clock
        self._time_of_day = time_of_day
        self._patience = Patience()
        self._whys: list[str] = []  # by rung: why it was climbed
        self._changed_at = float("-inf")
        self._allowance = NOTHING

    def follow(self, limits: Limits) -> None:
        """Other limits from the next decision on; what was given up is taken back as ever."""
        self._gauges = tuple(_gauges(limits))
        self._quiet_hours = limits.quiet_hours

    def decide(self, health: Health, snapshot: Snapshot | None) -> Allowance:
        """What may be done from now on; equal to the one before unless something changed."""
        now = self._clock()
        read = (gauge.read(health, snapshot, now) for gauge in self._gauges)
        pressures = [pressure for pressure in read if pressure is not None]
        quiet = self._quiet_hours
        if quiet is not None and self._time_of_day() in quiet:
            # The ladder waits: a cool night proves nothing about the day after it.
            return LADDER[TOP].allowance(TOP, f"quiet hours, {quiet}")
        self._move(pressures, now)
        return self._allowance

    @property
    def _level(self) -> int:
        return len(self._whys)

    def _move(self, pressures: Sequence[Pressure], now: float) -> None:
        over = [p for p in pressures if p.excess > 0 and p.highest > self._level]
        since_s = now - self._changed_at
        if over:
            due = [pressure for pressure in over if since_s >= pressure.settle_s]
            if due:
                self._give_up(max(due, key=lambda p: (p.steps, p.excess)), now)
        elif self._whys:
            # Limits that this rung does not serve do not keep us on it.
            outlooks = {p.limit: p.outlook for p in pressures if p.highest >= self._level}
            comfortable = all(outlook <= COMFORTABLE for outlook in outlooks.values())
            if comfortable and since_s >= self._patience.wait_s(self._level - 1, outlooks):
                self._take_back(outlooks, now)

    def _give_up(self, pressure: Pressure, now: float) -> None:
        steps = min(pressure.steps, pressure.highest - self._level)
        self._whys += [pressure.why] * steps
        self._patience.given_up(pressure.limit, now)
        self._changed(now)

    def _take_back(self, outlooks: Mapping[str, float], now: float) -> None:
        self._whys.pop()
        self._patience.tried(self._level, outlooks, now)
        self._changed(now)

    def _changed(self, now: float) -> None:
        level, self._changed_at = self._level, now
        self._allowance = LADDER[level].allowance(level, self._whys[-1]) if level else NOTHING


def _gauges(limits: Limits) -> Iterator[Gauge]:
    yield Voltage()
    if limits.max_temperature_c is not None:
        yield Heat(limits.max_temperature_c)
    if limits.max_power_w is not None:
        yield Draw(limits.max_power_w)
    if limits.max_latency_ms is not None:
        yield Latency(limits.max_latency_ms)
    if limits.target_fps is not None:
        yield Rate(limits.target_fps)
