"""A label that holds: what a classifier has clearly said of a face for long enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CLEAR: Final = 0.2
"""How far the highest score must lie above the next. Closer than this, nobody has said anything
new: the label stays what it was."""

NOTHING: Final[Mapping[str, float]] = {}


class SteadyLabel:
    """One classifier's word about one face."""

    __slots__ = ("_leader", "_leads_since", "_scores", "label")

    def __init__(self) -> None:
        self.label: str | None = None
        """What holds; None before anything did."""
        self._leader: str | None = None
        self._leads_since = 0.0
        self._scores = NOTHING

    @property
    def score(self) -> float | None:
        """Of the label that leads now."""
        return None if self._leader is None else self._scores[self._leader]

    def turns(self, scores: Mapping[str, float], now: float, hold_s: float) -> bool:
        """Hear ``scores`` (label to probability); True once when another label has come to hold.

        Between two answers a face keeps the very same mapping, so nothing is compared then.
        """
        if scores is not self._scores:
            self._weigh(scores, now)
        leader = self._leader
        if leader is None or leader == self.label or now - self._leads_since < hold_s:
            return False
        self.label = leader
        return True

    def _weigh(self, scores: Mapping[str, float], now: float) -> None:
        self._scores = scores
        leader, highest, next_highest = None, -1.0, 0.0
        for label, score in scores.items():
            if score > highest:
                leader, highest, next_highest = label, score, max(highest, 0.0)
            elif score > next_highest:
                next_highest = score
        if leader is None or highest - next_highest < CLEAR:
            leader = self.label if self.label in scores else None
        if leader != self._leader:
            self._leader, self._leads_since = leader, now
