"""Milliseconds by stage of one frame."""

from __future__ import annotations

from edge_runtime.types import Clock


class Stopwatch:
    """Milliseconds by stage of one frame."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = self._lapped = clock()
        self.stage_ms: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Everything since the last lap was ``stage``."""
        now = self._clock()
        # A stage may come more than once in a frame: each classifier crops and classifies.
        self.stage_ms[stage] = self.stage_ms.get(stage, 0.0) + (now - self._lapped) * 1000
        self._lapped = now

    def finish(self, taken_at: float) -> None:
        """Close the frame: its total, and its age since ``taken_at``."""
        self.stage_ms["frame"] = (self._lapped - self._began) * 1000
        self.stage_ms["age"] = max(0.0, self._lapped - taken_at) * 1000
