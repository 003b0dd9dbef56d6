"""A line that says how far a recipe is and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable

from edge_runtime.types import Clock

WIDTH = 24
EVERY_S = 0.2
AT_ONCE = 0.1
"""No first step is as large a share of a stage, so the stage was begun by an earlier run."""
QUIET_EVERY_S = 30.0
"""Between lines where nothing can be drawn over (a log)."""


class Progress:
    """Counts work in units: an epoch is one, any other stage ``LIGHT``."""

    LIGHT = 0.5

    def __init__(
        self,
        stages: list[tuple[str, float]],
        *,
        write: Callable[[str], None],
        redraw: bool,
        clock: Clock = time.monotonic,
    ) -> None:
        """``stages``: names and units. ``redraw``: the line may be written over in place."""
        self._stages, self._write, self._redraw, self._clock = stages, write, redraw, clock
        self._number, self._share = 0, 0.0
        self._resumed_at: float | None = None
        self._units, self._worked_s = 0.0, 0.0
        self._began = self._drawn = clock()

    def begin(self, number: int) -> None:
        """Stage ``number``, from 1, begins."""
        self._number, self._share, self._began = number, 0.0, self._clock()
        self._resumed_at = None
        self._draw()

    def advance(self, share: float) -> None:
        """``share`` of the stage is done, 0 to 1."""
        if self._resumed_at is None:
            # A resumed training begins in its middle; the time before belongs to another run.
            self._resumed_at = share if share > AT_ONCE else 0.0
        self._share = share
        if self._clock() - self._drawn >= (EVERY_S if self._redraw else QUIET_EVERY_S):
            self._draw()

    def end(self, note: str, *, kept: bool = False) -> None:
        """The stage is done; ``kept``: by an earlier run, so its time says nothing."""
        if not kept:
            self._units += (1 - (self._resumed_at or 0.0)) * self._stages[self._number - 1][1]
            self._worked_s += self._clock() - self._began
        self._share = 1.0
        name = self._stages[self._number - 1][0]
        before = "\r\x1b[K" if self._redraw else ""
        self._write(f"{before}{self._number}/{len(self._stages)} {name}: {note}\n")

    def left_s(self) -> float | None:
        """Seconds until the end at the speed so far; None before anything is known."""
        here = self._share - (self._resumed_at or 0.0)
        units = self._units + here * self._stages[self._number - 1][1]
        worked = self._worked_s + self._clock() - self._began
        ahead = sum(units for _, units in self._stages[self._number :])
        ahead += (1 - self._share) * self._stages[self._number - 1][1]
        return worked / units * ahead if units > 0 else None

    def _draw(self) -> None:
        self._drawn = self._clock()
        full = round(self._share * WIDTH)
        bar = "#" * full + "." * (WIDTH - full)
        name = self._stages[self._number - 1][0]
        line = (
            f"{self._number}/{len(self._stages)} {name} [{bar}] {self._share:4.0%} {self._left()}"
        )
        self._write(f"\r\x1b[K{line}" if self._redraw else f"{line}\n")

    def _left(self) -> str:
        left = self.left_s()
        return "" if left is None else f"{clock_text(left)} left"


def clock_text(seconds: float) -> str:
    """``1:02:03`` or ``2:03``."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
