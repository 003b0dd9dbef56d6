"""How long to wait before something is taken back: longer each time it had to be given up again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

FIRST_S: Final = 180.0
"""Longer than the temperature's outlook looks back, about a fanless board's time constant."""

FACTOR: Final = 4.0
LONGEST_S: Final = 4 * 3600.0

PROOF_S: Final = 3600.0
"""What was taken back and lasted for so long was right, however it ended."""

EASED: Final = 0.6
"""Bands by which pressure must have eased to try again before the time: 3 degrees of heat."""


class Trial(NamedTuple):
    """Something taken back, to see whether it can be afforded."""

    level: int
    outlooks: Mapping[str, float]
    """Just before, by limit: at these pressures it was tried."""
    at: float


class Refusal(NamedTuple):
    """A trial that failed."""

    level: int
    limit: str
    outlook: float
    at: float


class Patience:
    """Remembers the last trial, and the last that failed."""

    def __init__(self) -> None:
        self._trial: Trial | None = None
        self._refusal: Refusal | None = None
        self._wait_s = FIRST_S

    def tried(self, level: int, outlooks: Mapping[str, float], now: float) -> None:
        """``level`` is tried from ``now`` on."""
        self._trial = Trial(level, outlooks, now)

    def given_up(self, limit: str, now: float) -> None:
        """Something had to be given up for a limit: soon after a trial, that was why."""
        trial, self._trial = self._trial, None
        if trial is not None and now - trial.at <= PROOF_S:
            outlook = trial.outlooks.get(limit, float("-inf"))
            self._refusal = Refusal(trial.level, limit, outlook, now)
            self._wait_s = min(FACTOR * self._wait_s, LONGEST_S)
        elif self._refusal is not None and now - self._refusal.at > PROOF_S:
            self._refusal, self._wait_s = None, FIRST_S

    def wait_s(self, level: int, outlooks: Mapping[str, float]) -> float:
        """Before ``level`` may be tried, counted from the last change of level."""
        refusal = self._refusal
        if refusal is None or level > refusal.level:
            return FIRST_S
        eased = outlooks.get(refusal.limit, float("inf")) <= refusal.outlook - EASED
        return FIRST_S if eased else self._wait_s
