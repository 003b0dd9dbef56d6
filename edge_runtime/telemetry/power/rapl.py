"""Energy counters of x86 processors (RAPL), under /sys/class/powercap.

Only root may read them since CVE-2020-8694. They count the processor package, so the scope is the
chip: no screen, no disk, no supply losses. No tolerance is published. Comparisons with meters agree
within a few per cent for Haswell and later (Khan et al., RAPL in Action, 2018); we claim 10 %.
"""

from __future__ import annotations

import re
import time
from typing import NamedTuple

from edge_runtime.telemetry.kernel_files import KernelFiles
from edge_runtime.types import Clock, Power

_SHARE = 0.10

# Below this the counters' own steps and our two clock readings weigh too much.
_LEAST_S = 0.1


class _Sample(NamedTuple):
    at: float
    counters: dict[str, int]
    """Package folder to microjoules."""


class RaplPower:
    """Mean package power between two readings; the first knows nothing yet."""

    def __init__(self, files: KernelFiles, *, clock: Clock = time.monotonic) -> None:
        self._files = files
        self._clock = clock
        self._last: _Sample | None = None
        self._power: Power | None = None

    def read(self, busy: float | None) -> Power | None:
        del busy
        now, last = self._sample(), self._last
        if last is not None and now.at - last.at < _LEAST_S:
            return self._power
        self._last = now
        self._power = None if last is None else self._between(last, now)
        return self._power

    def _sample(self) -> _Sample:
        counters = {path: self._files.integer(f"{path}/energy_uj") for path in self._packages()}
        known = {path: energy for path, energy in counters.items() if energy is not None}
        return _Sample(self._clock(), known)

    def _packages(self) -> list[str]:
        """``intel-rapl:0`` but not its parts ``intel-rapl:0:1``; AMD's have the same names."""
        zones = self._files.folders("sys/class/powercap")
        top = [path for path in zones if re.search(r"/intel-rapl:\d+$", path)]
        return [p for p in top if (self._files.text(f"{p}/name") or "").startswith("package")]

    def _between(self, before: _Sample, now: _Sample) -> Power | None:
        if not now.counters or before.counters.keys() != now.counters.keys():
            return None
        joules = sum(self._used(p, before.counters[p], now.counters[p]) for p in now.counters) / 1e6
        watts = joules / (now.at - before.at)
        return Power(watts, _SHARE * watts, "RAPL package counters", "soc")

    def _used(self, path: str, before: int, now: int) -> int:
        """Microjoules from ``before`` to ``now``; the counter wraps around every few minutes."""
        if now >= before:
            return now - before
        limit = self._files.integer(f"{path}/max_energy_range_uj")
        return now if limit is None else now + limit - before
