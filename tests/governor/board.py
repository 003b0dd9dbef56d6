"""A Raspberry Pi as heat sees it: chip, board, air; and the work that warms it.

Two nodes. The chip (processor and package) takes up all of the power, passes it to the board
through ``chip_k_w`` and the board to the air through ``board_k_w``:

    chip_j_k  dTc/dt = P - (Tc - Tb) / chip_k_w
    board_j_k dTb/dt = (Tc - Tb) / chip_k_w - (Tb - Tair) / board_k_w

P is a straight line over the busy share of all cores, as in ``telemetry/power/model.py``. Where the
figures come from:

- Pi 4, 2.7 W idle and 6.4 W full: Pi Dramble. 27 K above the air when idle, without a heat sink:
  pi-plates.com, "Using a THERMOplate to measure temperatures on the RPi4" (54.7 at 27.3 °C). So
  27 / 2.7 = 10 K/W in all. From idle to 80 °C under a synthetic full load: 177 s, Halfacree,
  "Thermal testing Raspberry Pi 4" (raspberrypi.org, November 2019), which ``board_j_k`` is chosen
  for (a test holds the model to it).
- Pi 5, 3.0 W idle and 8.8 W full: raspberry.tips. About 50 °C when idle in a room of 22: 9.3 K/W.
  80 °C "within a few minutes" of full load: pidiylab.com's cooling guide. Here it takes one, which
  is harder to govern.
- With a fan, about 4.5 K/W: a loaded Pi 5 in the 60s (beamostore.com, "Raspberry Pi 5
  overheating"). The Pi 5's own fan turns in steps at 50, 60, 67.5 and 75 °C with 5 °C of hysteresis
  (Raspberry Pi documentation, "Raspberry Pi 5 cooling").
- How the resistance divides (a third inside) and the chip's 5 J/K, some 15 s, are assumed: the
  first seconds' jump of a third of the rise that every published curve shows.

The firmware's own throttling is left out: here nothing but the governor stops the heat. Sensors
step by half a degree and err by as much.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

from edge_runtime.types import Allowance

STEP_S: Final = 1.0
"""Of Euler's method; the fastest time constant is 12 s."""

CAMERA_FPS: Final = 30.0


@dataclass(frozen=True)
class Cooling:
    """Resistances, kelvin per watt."""

    chip_k_w: float
    board_k_w: float


@dataclass(frozen=True)
class Model:
    """A board with its cooling."""

    idle_w: float
    full_w: float
    cooling: Cooling
    fan_steps: tuple[tuple[float, float], ...] = ()
    """(from so many degrees on, board_k_w), rising; 5 degrees of hysteresis."""
    chip_j_k: float = 5.0
    board_j_k: float = 25.0


PI_4 = Model(2.7, 6.4, Cooling(3.0, 7.0))
PI_5 = Model(3.0, 8.8, Cooling(3.1, 6.2))
PI_4_FAN = replace(PI_4, cooling=Cooling(2.5, 2.0))
PI_5_FAN = replace(
    PI_5,
    cooling=Cooling(2.5, 5.0),
    fan_steps=((50.0, 3.5), (60.0, 2.8), (67.5, 2.3), (75.0, 2.0)),
)


@dataclass(frozen=True)
class Work:
    """Seconds of all cores that a frame costs: always, and when the detector runs, by looks."""

    frame_s: float
    look_s: float
    looks: int = 4

    def fps(self, allowance: Allowance) -> float:
        """Processed frames per second: as many as come, or as can be done."""
        arriving = min(CAMERA_FPS, allowance.fps or CAMERA_FPS)
        return min(arriving, 1 / self.cost_s(allowance))

    def busy(self, allowance: Allowance) -> float:
        """Share of all cores."""
        return min(1.0, self.fps(allowance) * self.cost_s(allowance))

    def cost_s(self, allowance: Allowance) -> float:
        looks = min(self.looks, allowance.looks or self.looks)
        return self.frame_s + looks * self.look_s / allowance.detect_every


LIGHT = Work(frame_s=0.1 / 30, look_s=0.1 / 30 / 4)
"""A fifth of all cores at 30 frames a second: about what ``face-glance`` and ``smile`` need."""

HEAVY = Work(frame_s=0.2 / 30, look_s=0.7 / 30 / 4)
"""Nine tenths of all cores."""

TOO_MUCH = Work(frame_s=0.4 / 30, look_s=1.2 / 30 / 4)
"""More than there is: frames are dropped, and the first rungs of the ladder only drop fewer."""


class Board:
    """A model in some air, doing some work."""

    def __init__(self, model: Model, air_c: float, *, busy: float = 0.0, seed: int = 1) -> None:
        """At rest after being ``busy`` for long."""
        self.model = model
        self.air_c = air_c
        self._board_k_w = model.cooling.board_k_w
        self._sensor = random.Random(seed)
        watts = self.watts(busy)
        self.board_c = air_c + watts * self._board_k_w
        self.chip_c = self.board_c + watts * model.cooling.chip_k_w

    def watts(self, busy: float) -> float:
        return self.model.idle_w + (self.model.full_w - self.model.idle_w) * busy

    def run(self, seconds: float, watts: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / STEP_S)):
            self._turn_fan()
            inner_w = (self.chip_c - self.board_c) / self.model.cooling.chip_k_w
            outer_w = (self.board_c - self.air_c) / self._board_k_w
            self.chip_c += STEP_S * (watts - inner_w) / self.model.chip_j_k
            self.board_c += STEP_S * (inner_w - outer_w) / self.model.board_j_k

    def sensed_c(self) -> float:
        """What the kernel reports."""
        return round((self.chip_c + self._sensor.gauss(0, 0.3)) / 0.5) * 0.5

    def _turn_fan(self) -> None:
        for begins_c, k_w in self.model.fan_steps:
            if self.chip_c >= begins_c and k_w < self._board_k_w:
                self._board_k_w = k_w
        slower = self.model.cooling.board_k_w
        for begins_c, k_w in self.model.fan_steps:
            if k_w == self._board_k_w and self.chip_c < begins_c - 5:
                self._board_k_w = slower
            slower = k_w
