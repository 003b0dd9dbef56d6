"""How sure a counted share is."""

from __future__ import annotations

import math
from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class MeanRecall:
    """Balanced accuracy: the mean of the classes' recalls, however many there are of each."""

    recalls: tuple[Share, ...]

    @property
    def value(self) -> float:
        return sum(each.value for each in self.recalls) / len(self.recalls)

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, from the classes' own intervals (Zou and Donner, Stat. Med. 27, 2008, eq. 7)."""
        below, above = (
            math.hypot(*(each.interval[side] - each.value for each in self.recalls))
            / len(self.recalls)
            for side in (0, 1)
        )
        return self.value - below, self.value + above

    def as_json(self) -> JsonObject:
        low, high = self.interval
        return {
            "value": round(self.value, 5),
            "low95": round(low, 5),
            "high95": round(high, 5),
            "total": sum(each.total for each in self.recalls),
            "recalls": [round(each.value, 5) for each in self.recalls],
        }


@dataclass(frozen=True, slots=True)
class MeanValue:
    """The mean of what was measured on each of ``total``."""

    value: float
    spread: float
    """Standard deviation of the single values."""
    total: int

    @classmethod
    def of(cls, values: Sequence[float]) -> MeanValue:
        """At least one value."""
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((each - mean) ** 2 for each in values) / max(1, len(values) - 1))
        return cls(mean, spread, len(values))

    def as_json(self) -> JsonObject:
        half = Z95 * self.spread / math.sqrt(self.total)
        return {
            "value": round(self.value, 5),
            "low95": round(self.value - half, 5),
            "high95": round(self.value + half, 5),
            "total": self.total,
        }
