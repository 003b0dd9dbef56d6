"""Millijoules a frame, where the processor's own counters may be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.telemetry.power.rapl import RaplPower
from edge_runtime.types import Clock, Power

AT_LEAST_S: Final = 1.0
"""The counters' own steps must not weigh."""

Read = Callable[[], Power | None]
"""Mean power since the last call."""


class Wattmeter:
    """RAPL's package counters: the whole chip, neighbours included."""

    def __init__(self, read: Read | None = None, *, clock: Clock = time.monotonic) -> None:
        rapl = RaplPower(KernelFiles())
        self._read = read or (lambda: rapl.read(None))
        self._clock = clock

    def per_frame_mj(self, turn: Callable[[], object], frames: int) -> float | None:
        """The mean of as many turns of ``frames`` frames as take a second; None where unread."""
        began = self._clock()
        self._read()
        done = 0
        while self._clock() - began < AT_LEAST_S:
            turn()
            done += frames
        power = self._read()
        if power is None:
            return None
        return power.watts * (self._clock() - began) / done * 1000
