"""How sure a counted share is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge_runtime.types import JsonObject

Z95 = 1.959964
"""Of the normal distribution, two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Share:
    """``right`` of ``total``."""

    right: int
    total: int

    @property
    def value(self) -> float:
        return self.right / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % score interval (Wilson, JASA 22, 1927): holds near 0 and 1 and for few."""
        n, p, z = self.total, self.value, Z95
        middle = p + z * z / (2 * n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = ((middle + side * half) / (1 + z * z / n) for side in (-1, 1))
        return max(0.0, low), min(1.0, high)

    def as_json(self) -> JsonObject:
        low, high = self.interval
        return {
            "value": round(self.value, 5),
            "low95": round(low, 5),
            "high95": round(high, 5),
            "right": self.right,
            "total": self.total,
        }
