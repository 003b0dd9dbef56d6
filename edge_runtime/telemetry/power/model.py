"""A Raspberry Pi's power from how busy its processor is: a straight line per board.

    W = idle + (full - idle) * u,    u = busy share of all cores, 0 to 1

The lines are PowerJoular's linear figures for 64-bit systems
(https://github.com/joular/powerjoular; W = a * u + b, so idle = b, full = a + b). Its polynomials
are not used: they fall while the load rises. For the Zero 2 W it has none; there, idle is CNX
Software's measurement (0.6 W), and full is the middle of what two public figures allow: 1.79 W
(official typical current 350 mA at 5.1 V, no full load) and 2.79 W (the Zero W's 1.39 W plus the
1.4 W that Andre Jacobs measured between both boards under full load).

The error comes from second opinions on the same board (named beside each line): the widest
disagreement at idle and at full load, weighted by u, and never less than 10 %. Boards on which
nobody else reported get the worst disagreement of the table, 42 %. The camera (up to 250 mA,
1.3 W), USB devices and hats are in none of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edge_runtime.telemetry.board import Board
from edge_runtime.types import Power

_LEAST_SHARE = 0.10
WORST_DISAGREEMENT = 0.42


class Anchor(NamedTuple):
    """Somebody else's figures for the same board, watts."""

    idle_w: float
    full_w: float


@dataclass(frozen=True, slots=True)
class ModelPower:
    """The line of one board."""

    name: str
    idle_w: float
    full_w: float
    anchors: tuple[Anchor, ...]

    def read(self, busy: float | None) -> Power | None:
        if busy is None:
            return None
        share = min(max(busy, 0.0), 1.0)
        watts = self.idle_w + (self.full_w - self.idle_w) * share
        source = f"model of a {self.name} from its load, without camera and USB"
        return Power(watts, self._error_w(share, watts), source, "board")

    def _error_w(self, share: float, watts: float) -> float:
        if not self.anchors:
            return WORST_DISAGREEMENT * watts
        idle = max(abs(self.idle_w - anchor.idle_w) for anchor in self.anchors)
        full = max(abs(self.full_w - anchor.full_w) for anchor in self.anchors)
        return max(idle + (full - idle) * share, _LEAST_SHARE * watts)


def _line(name: str, slope: float, offset: float, *anchors: Anchor) -> ModelPower:
    """From PowerJoular's a and b."""
    return ModelPower(name, offset, slope + offset, anchors)


MODELS = {
    # raspberry.tips: 3 W idle, 8.8 W at full load.
    "Raspberry Pi 5 Model B": _line("Pi 5", 3.457856, 4.403192, Anchor(3.0, 8.8)),
    "Raspberry Pi 400": _line("Pi 400", 5.025369, 1.822133),
    # Official 0.6 A and 1.2 A at 5.1 V; Pi Dramble 2.7 W and 6.4 W. PowerJoular's two revisions
    # differ by 0.02 W, far below the error: r1.2 stands for all.
    "Raspberry Pi 4 Model B": _line(
        "Pi 4B", 4.534427, 2.285693, Anchor(0.6 * 5.1, 1.2 * 5.1), Anchor(2.7, 6.4)
    ),
    # Pi Dramble.
    "Raspberry Pi 3 Model B Plus": _line("Pi 3B+", 3.298333, 2.002230, Anchor(1.9, 5.1)),
    # Official 0.30 A and 0.85 A at 5.1 V.
    "Raspberry Pi 3 Model B": _line("Pi 3B", 3.477373, 1.078204, Anchor(0.30 * 5.1, 0.85 * 5.1)),
    # OpenTrafficCam: 0.13 A at 5.3 V idle. Full load: the two bounds above.
    "Raspberry Pi Zero 2 W": ModelPower(
        "Pi Zero 2 W", 0.6, 2.29, (Anchor(0.69, 1.79), Anchor(0.6, 2.79))
    ),
}


def model_of(board: Board) -> ModelPower | None:
    """The line for ``board``; None for boards nobody has measured."""
    return MODELS.get(board.name)
