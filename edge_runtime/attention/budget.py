"""How many looks a frame may cost: a number, milliseconds on this device, or no end of them."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Self

from edge_runtime.errors import ConfigError

WRITTEN: Final = re.compile(r"([1-9][0-9]{0,2})|([0-9]{1,4}(?:\.[0-9]{1,3})?) ?ms|full")

WEIGHT: Final = 0.05
"""Of the newest look in what a look is known to cost."""


class Budget(NamedTuple):
    """What may be spent on one frame; both None: everything worth seeing, the whole pyramid."""

    looks: int | None = None
    ms: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """``4``, ``8ms`` or ``full``. Raises ConfigError."""
        match = WRITTEN.fullmatch(text)
        if match is None or (match[2] and float(match[2]) <= 0):
            raise ConfigError(
                f"budget {text!r}: expected a number of looks (4), milliseconds a frame (8ms) "
                "or full"
            )
        return cls(int(match[1]) if match[1] else None, float(match[2]) if match[2] else None)


class Purse:
    """Turns a Budget into looks by what a look was measured to cost."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.look_ms: float | None = None
        """Moving average; None before the first look."""

    def spent(self, looks: int, ms: float) -> None:
        """So many looks took so long together."""
        each = ms / looks
        self.look_ms = (
            each if self.look_ms is None else self.look_ms + WEIGHT * (each - self.look_ms)
        )

    def looks(self, most: int | None = None) -> int | None:
        """Looks for the next frame, at least 1; None: no end. ``most`` caps them."""
        wanted = self.budget.looks
        if self.budget.ms is not None:
            # Before anything was measured one look is what there surely is time for.
            wanted = 1 if self.look_ms is None else max(1, int(self.budget.ms / self.look_ms))
        if most is None:
            return wanted
        return most if wanted is None else min(wanted, most)
