"""How long something must last before it counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. Longer: fewer events, later; shorter: more of them, sooner."""

    came_after_s: float = 0.3
    """From the first sight of a face to the sight with which it has come."""
    left_after_s: float = 2.0
    """Out of sight for so long, it has left; sooner it is the same visit."""
    stayed_after_s: float = 10.0
    label_hold_s: float = 1.0
    """A label must lead for so long."""
    unknown_after_s: float = 10.0
    """Somebody unknown is told once more after so long."""
