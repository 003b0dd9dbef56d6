"""Whether a head was seen to turn: a printed photograph cannot do that.

The place of the nose's tip between eyes and mouth (``Quality.yaw`` and ``pitch``) stays the same
when a flat picture is moved, tilted or turned, as far as its far side is not much smaller than its
near side; a head in the round moves its nose before its eyes. So a face that is looked at for some
seconds is alive if yaw covered a range that a flat picture does not. A film of a face on a screen
turns as well: this stops photographs, nothing more.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from edge_runtime.people.sight import Quality

RANGE: Final = 0.2
"""Of the nose's place between the eyes, in distances of the eyes: docs/known-faces.md has the
ranges of flat pictures, computed, and of people on clips."""

WITHIN_S: Final = 6.0
"""Seconds in which the turn must happen."""

LEAST: Final = 4
"""Looks that it takes: single ones may be off."""


class Turning:
    """Directions of one face's looks, the newest seconds of them."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, float]] = deque()
        self.seen = False
        """Once seen it stays so while the face is followed."""

    def see(self, quality: Quality, now: float) -> None:
        """One more look, at ``now`` seconds."""
        if self.seen:
            return
        looks = self._looks
        looks.append((now, quality.yaw))
        while now - looks[0][0] > WITHIN_S:
            looks.popleft()
        self.seen = len(looks) >= LEAST and self._range() >= RANGE

    def _range(self) -> float:
        """Between the second least and the second most: one bad look is not a turn."""
        yaws = sorted(yaw for _, yaw in self._looks)
        return yaws[-2] - yaws[1]
