"""The first minute of a model: whether it keeps to its time, or the one before must come back."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from statistics import median
from typing import Final

from edge_runtime.types import Clock

PROBATION_S: Final = 60.0
FRAMES: Final = 30
"""Frames with work in them that are looked at together: one slow frame proves nothing."""


class Probation:
    """Watches the milliseconds of a stage, such as ``classify``, after a model was activated."""

    def __init__(
        self,
        stage: str,
        budget_ms: float,
        *,
        seconds: float = PROBATION_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self._stage, self._budget_ms = stage, budget_ms
        self._clock = clock
        self._ends = clock() + seconds
        self._recent: deque[float] = deque(maxlen=FRAMES)

    @property
    def over(self) -> bool:
        """The time is up: the model stays."""
        return self._clock() >= self._ends

    def look(self, stage_ms: Mapping[str, float]) -> str | None:
        """A frame's times; returns why the model must go, or None."""
        took = stage_ms.get(self._stage)
        if took is None or self.over:
            return None
        self._recent.append(took)
        if len(self._recent) < FRAMES or median(self._recent) <= self._budget_ms:
            return None
        return (
            f"{self._stage} took {median(self._recent):.1f} ms in the median of {FRAMES} frames, "
            f"the budget is {self._budget_ms:.1f} ms"
        )
