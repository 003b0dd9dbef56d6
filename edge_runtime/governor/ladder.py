"""What is given up, in which order: each rung saves what the ones below it save, and more.

Looks come first, for a frame with fewer looks misses only the smallest faces; then the detector's
cadence, which the tracker bridges; the camera's own frames last, which people see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_runtime.types import Allowance


@dataclass(frozen=True, slots=True)
class Rung:
    """How much work is left."""

    looks: int | None = None
    detect_every: int = 1
    fps: float | None = None

    def allowance(self, level: int, why: str) -> Allowance:
        return Allowance(self.looks, self.detect_every, self.fps, (f"{self}: {why}",), level)

    def __str__(self) -> str:
        """``Takes at most 15 frames a second, looks for faces in every third``."""
        parts = []
        if self.fps is not None:
            parts.append(f"takes at most {self.fps:g} frames a second")
        if self.detect_every > 1:
            parts.append(f"looks for faces in every {_ORDINALS[self.detect_every]} frame only")
        if self.looks is not None:
            parts.append(f"at most {self.looks} {'look' if self.looks == 1 else 'looks'} a frame")
        text = ", ".join(parts)
        return text[:1].upper() + text[1:]


_ORDINALS: Final = {2: "second", 3: "third"}

LADDER: Final = (
    Rung(),
    Rung(looks=2),
    Rung(looks=1),
    Rung(looks=1, detect_every=2),
    Rung(looks=1, detect_every=3),
    Rung(looks=1, detect_every=3, fps=15.0),
    Rung(looks=1, detect_every=3, fps=10.0),
    Rung(looks=1, detect_every=3, fps=5.0),
)
"""Rung 0 gives nothing up."""

TOP: Final = len(LADDER) - 1

ALL_FRAMES: Final = max(level for level, rung in enumerate(LADDER) if rung.fps is None)
"""The highest rung that still takes every frame: leaving frames out makes none of them faster."""
