"""The power management chip of a Raspberry Pi 5, asked through ``vcgencmd pmic_read_adc``.

The chip measures current and voltage of twelve rails behind its own converters, and the voltage
but not the current of the 5 V input. What leaves the 5 V line before it, USB devices, hats, the
fan, is unseen, and so are the converters' losses. A straight line makes up for the rest:

    W = 1.1451 * sum(V * I) + 0.5879

fitted by the author of RPi5-power (https://github.com/jfikar/RPi5-power) on one board against a
USB meter; an earlier fit of the same board is 1.1327 and 0.6444.
"""

from __future__ import annotations

import re
import time
from collections import deque

from edge_runtime.telemetry.board import Board
from edge_runtime.telemetry.command import Command
from edge_runtime.types import Clock, Power

_SLOPE = 1.1451
_OFFSET_W = 0.5879

# The two published fits lie within 0.06 W of each other from 0 to 9 W, but they are one board's.
# Ten per cent is ours, for other boards' shunts and converters; 0.3 W for the jumpy readings.
_SHARE = 0.10
_LEAST_W = 0.3

_RAIL = re.compile(r"(?m)^\s*(\w+)_([AV])\s+(?:current|volt)\(\d+\)=(\d+(?:\.\d+)?)[AV]\s*$")


class PmicPower:
    """Asked at most every ``every_s`` seconds and averaged over ``readings`` of them.

    Asking interrupts the firmware: a program that did so 50 times a second ran six times slower.
    """

    def __init__(
        self,
        board: Board,
        run_command: Command,
        *,
        clock: Clock = time.monotonic,
        every_s: float = 2.0,
        readings: int = 5,
    ) -> None:
        self._name = board.name.removeprefix("Raspberry ").removesuffix(" Model B")
        self._run = run_command
        self._clock = clock
        self._every_s = every_s
        self._asked_at: float | None = None
        self._sums: deque[float] = deque(maxlen=readings)

    def read(self, busy: float | None) -> Power | None:
        del busy
        now = self._clock()
        if self._asked_at is None or now - self._asked_at >= self._every_s:
            self._asked_at = now
            self._ask()
        if not self._sums:
            return None
        watts = _SLOPE * sum(self._sums) / len(self._sums) + _OFFSET_W
        error = max(_SHARE * watts, _LEAST_W)
        return Power(watts, error, f"PMIC of a {self._name}, without USB and hats", "board")

    def _ask(self) -> None:
        text = self._run(("vcgencmd", "pmic_read_adc"))
        watts = None if text is None else rail_power_w(text)
        if watts is None:
            self._sums.clear()
        else:
            self._sums.append(watts)


def rail_power_w(text: str) -> float | None:
    """Sum of V * I over the rails that have both, watts; None when there is none.

    ``text`` has lines of `` VDD_CORE_A current(7)=0.92871990A`` and ``VDD_CORE_V volt(15)=…V``.
    """
    amps: dict[str, float] = {}
    volts: dict[str, float] = {}
    for rail, unit, value in _RAIL.findall(text):
        (amps if unit == "A" else volts)[rail] = float(value)
    rails = amps.keys() & volts.keys()
    return sum(amps[rail] * volts[rail] for rail in sorted(rails)) if rails else None
