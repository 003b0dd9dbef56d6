"""Hours of a board under the governor, in seconds: the loop that the telemetry thread runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge_runtime.governor import Governor, Limits
from edge_runtime.types import Allowance, Health, Power
from tests.governor.board import Board, Work
from tests.governor.readings import HEALTH

HOUR_S = 3600.0

Air = Callable[[float], float]
Load = Callable[[float], Work]


@dataclass
class Run:
    """What came of it."""

    chip_c: list[float] = field(default_factory=list)
    """The true temperature at each reading."""
    watts: list[float] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    interval_s: float = 1.0

    @property
    def changes(self) -> list[float]:
        """Moments at which the level changed; it was 0 before."""
        pairs = zip([0, *self.levels], self.levels, strict=False)
        return [i * self.interval_s for i, (before, after) in enumerate(pairs) if before != after]

    def last_hour(self, values: list[float]) -> list[float]:
        return values[-round(HOUR_S / self.interval_s) :]

    def changes_in_any_hour(self, after_s: float) -> int:
        """The most changes within an hour, from ``after_s`` on."""
        late = [moment for moment in self.changes if moment >= after_s]
        return max((sum(b <= m < b + HOUR_S for m in late) for b in late), default=0)


def simulate(
    board: Board,
    work: Work | Load,
    hours: float,
    *,
    limits: Limits | None = None,
    air: Air | None = None,
    interval_s: float = 1.0,
) -> Run:
    """Run ``board`` under a governor that is asked every ``interval_s``."""
    run, now = Run(interval_s=interval_s), 0.0
    governor = Governor(limits or Limits(max_temperature_c=75.0), clock=lambda: now)
    watts = board.watts(0.0)
    while now < hours * HOUR_S:
        if air is not None:
            board.air_c = air(now)
        allowance = governor.decide(reading(board, watts), None)
        present = work if isinstance(work, Work) else work(now)
        watts = board.watts(present.busy(allowance))
        board.run(interval_s, watts)
        now += interval_s
        note(run, board, watts, allowance)
    return run


def reading(board: Board, watts: float) -> Health:
    power = Power(watts, 0.1, "the simulation", "board")
    return replace(HEALTH, temperature_c=board.sensed_c(), power=power)


def note(run: Run, board: Board, watts: float, allowance: Allowance) -> None:
    run.chip_c.append(board.chip_c)
    run.watts.append(watts)
    run.levels.append(allowance.level)
