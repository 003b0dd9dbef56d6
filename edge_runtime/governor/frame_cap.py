"""Lets at most so many frames a second through."""

from __future__ import annotations


class FrameCap:
    """Asked about each frame in turn; evenly spaced, and no slower on average than allowed."""

    def __init__(self) -> None:
        self._due = float("-inf")

    def lets(self, taken_at: float, fps: float | None) -> bool:
        """Whether the frame taken at ``taken_at`` may pass; None lets every frame through."""
        if fps is None:
            self._due = float("-inf")
            return True
        if taken_at < self._due:
            return False
        # From the moment it was due, or a camera whose frames fall just before it loses half.
        # After a pause from now: what was not taken then is not made up for.
        period_s = 1 / fps
        late = taken_at - self._due
        self._due = taken_at + period_s if late > period_s else self._due + period_s
        return True
