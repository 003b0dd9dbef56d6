"""Recorded machines and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.telemetry.recorded import RecordedMachine


class StandingClock:
    """Seconds that pass only when told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str], RecordedMachine]:
    """Unpacks a recorded board."""
    return lambda board: RecordedMachine(tmp_path, board)
