"""How many, how large and how good the live view's pictures are: what the slowest viewer takes.

All viewers share one picture, so it has to suit all of them. Five steps lead from what is
configured to a tenth of its bytes a second. Every ``WINDOW_S`` two things are asked: how long a
viewer was busy with each picture he took (the slowest counts), and how long making one took. When
the viewer needs more than ``FULL`` of the time between two pictures, or making one more than
``MOST_MAKING``, it goes a step down. When all was calm for ``CALM_S`` it goes a step up again; if
that was in vain, the next attempt waits twice as long, up to ``PATIENT_S``.

A viewer who took nothing in a window does not count: he is stuck, and no step would help him.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from edge_runtime.types import Clock
from edge_runtime.web.viewer import Use, Viewer

WINDOW_S: Final = 2.0
FULL: Final = 0.8
MOST_MAKING: Final = 0.5
"""Share of the interval that making a picture may take: frames want the processor too."""

CALM_S: Final = 6.0
PATIENT_S: Final = 96.0

LEAST_QUALITY: Final = 30
"""Below, JPEG's blocks are hard to tell from pixelated faces. Unless configured so."""


Reason = Literal["viewer", "making"]


class Step(NamedTuple):
    """What is made."""

    fps: float
    width: int
    """Pixels, at most; the height follows."""
    quality: int
    """Of the JPEG, 1 to 100."""


SHARES: Final = ((1, 1, 1), (1, 1, 0.7), (0.5, 1, 0.7), (0.5, 0.75, 0.6), (0.25, 0.5, 0.6))
"""Of the configured rate, width and quality."""


class Fidelity:
    """The step the live view is on; ``step`` may be read from any thread."""

    def __init__(
        self, *, fps: float, width: int, quality: int, clock: Clock = time.monotonic
    ) -> None:
        least = min(quality, LEAST_QUALITY)
        self.steps = tuple(
            Step(fps * rate, round(width * size), max(least, round(quality * good)))
            for rate, size, good in SHARES
        )
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Somebody new watches, and nobody else: what was learned is of others."""
        now = self._clock()
        self._number = 0
        self._reason: Reason | None = None
        self._judge_at = now + WINDOW_S
        self._making_s: list[float] = []
        self._calm_since = now
        self._raised_at: float | None = None
        """When it went up, until it goes down."""
        self._patience_s = CALM_S

    @property
    def step(self) -> Step:
        return self.steps[self._number]

    @property
    def number(self) -> int:
        """Which of ``steps`` it is; 0: as configured."""
        return self._number

    @property
    def reason(self) -> Reason | None:
        """Why it went down last: the slowest viewer, or making a picture; None on the first."""
        return self._reason if self._number else None

    def made(self, seconds: float, viewers: Iterable[Viewer]) -> None:
        """A picture was made within ``seconds`` for these viewers."""
        self._making_s.append(seconds)
        now = self._clock()
        if now < self._judge_at:
            return
        self._judge_at = now + WINDOW_S
        making_s = sum(self._making_s) / len(self._making_s)
        self._making_s.clear()
        self._judge(now, making_s, [each.use() for each in viewers])

    def _judge(self, now: float, making_s: float, uses: Iterable[Use]) -> None:
        taking_s = max((use.busy_s / use.taken for use in uses if use.taken), default=0.0)
        interval_s = 1 / self.step.fps
        if taking_s > FULL * interval_s:
            self._lower(now, "viewer")
        elif making_s > MOST_MAKING * interval_s:
            self._lower(now, "making")
        elif self._number and now - self._calm_since >= self._patience_s:
            self._number -= 1
            self._raised_at = self._calm_since = now

    def _lower(self, now: float, reason: Reason) -> None:
        self._calm_since, self._reason = now, reason
        if self._number < len(self.steps) - 1:
            self._number += 1
        # A raise that did not last says that there is no room; one that did, that things change.
        if self._raised_at is not None:
            in_vain = now - self._raised_at <= CALM_S
            self._patience_s = min(2 * self._patience_s, PATIENT_S) if in_vain else CALM_S
            self._raised_at = None
