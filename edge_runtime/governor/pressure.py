"""How near a limit is, in one measure for all of them, so that the nearest can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge_runtime.governor.ladder import TOP
from edge_runtime.types import Health, Snapshot


@dataclass(frozen=True, slots=True)
class Pressure:
    """0 is the limit, -1 comfortably below it, 1 as far above."""

    limit: str
    """Whose it is: the setting's name."""
    excess: float
    """As it is about to be: above 0 something is given up."""
    outlook: float
    """As it will be for some time: at -1 and below something is taken back."""
    why: str
    """The reading and the limit, for a sentence's second half."""
    settle_s: float
    """How long to wait before giving up more: what the last step did must show first."""
    steps: int = 1
    """How many rungs at once."""
    highest: int = TOP
    """The rung beyond which giving up does not help."""


class Gauge(Protocol):
    """Watches one limit."""

    def read(self, health: Health, snapshot: Snapshot | None, now: float) -> Pressure | None:
        """The pressure now; None where the reading is unknown."""
