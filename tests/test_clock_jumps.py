"""A board has no clock of its own: it starts in the past, and NTP sets it right while we run.

All intervals are monotonic, so what is left to get wrong is what shows or compares the time of day.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_runtime.events.log import EventLog
from edge_runtime.telemetry.history import FIGURES, History
from edge_runtime.web.tokens import Token, TokenScope
from tests.governor.readings import HEALTH

PACKAGE = Path(__file__).resolve().parent.parent / "edge_runtime"

BOOT, TODAY = 1.6e9, 1.8e9
"""Seconds since 1970: what a board believes without a network, and what NTP says."""

WALL_CLOCKS = {
    "time.time",
    "time.time_ns",
    "datetime.now",
    "datetime.datetime.now",
    "time.localtime",
}

MAY_TELL_THE_TIME = {
    "app/certificate.py": "from when on a certificate holds",
    "app/supply.py": "when a model was exchanged, for people",
    "app/trial_firing.py": "an event made up for a trial",
    "doctor/machine.py": "whether this clock is right",
    "events/log.py": "when something happened, for people; numbers that go on after a restart",
    "people/register.py": "when a person was entered, for people",
    "quiet_hours.py": "whether it is night",
    "store/shelf/shelf.py": "when a model was activated, for people",
    "telemetry/history.py": "where the last step of a curve is drawn",
    "web/tokens.py": "when a token was made and ends",
}
"""File to what it needs the time of day for. Whoever joins them has to bear a jump."""


class Board:
    """Its monotonic clock goes on; the other one jumps."""

    def __init__(self) -> None:
        self.since_boot, self.offset = 0.0, BOOT

    def clock(self) -> float:
        return self.since_boot

    def wall(self) -> float:
        return self.since_boot + self.offset

    def ntp(self, now: float) -> None:
        self.offset = now - self.since_boot


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.mark.parametrize("jump_to", [TODAY, BOOT - 86_400.0])
def test_events_keep_their_order_and_none_is_lost(board: Board, jump_to: float) -> None:
    log = EventLog(clock=board.clock, wall=board.wall)
    log.tell("camera_lost", "before")
    cursor = log.newest
    board.since_boot += 10
    board.ntp(jump_to)
    log.tell("camera_back", "after")
    assert [event.sentence for event in log.after(cursor)] == ["after"]
    assert [event.sentence for event in log.after(0)] == ["before", "after"]


def test_who_read_up_to_an_event_before_a_reboot_misses_none_after(board: Board) -> None:
    board.ntp(TODAY)
    log = EventLog(clock=board.clock, wall=board.wall)
    log.tell("camera_lost", "yesterday")
    cursor = log.newest
    again = Board()  # without a network, so in the past
    log = EventLog(clock=again.clock, wall=again.wall)
    log.tell("camera_back", "today")
    assert [event.sentence for event in log.after(cursor)] == ["today"]


def test_curves_have_no_gap_and_no_step_twice(board: Board) -> None:
    history = History(clock=board.clock, wall=board.wall)
    for second in range(60):
        if second == 30:
            board.ntp(TODAY)
        history.add([], replace(HEALTH, temperature_c=50.0))
        board.since_boot += 1
    stretch = history.stretch("hour")
    means = stretch.mean[FIGURES.index("temperature_c")]
    # Twelve steps of 5 s; the thirteenth has just begun.
    assert means[-13:-1].tolist() == [50.0] * 12
    assert TODAY < stretch.ends_at <= TODAY + 60


def test_a_token_does_not_end_early_while_the_clock_is_in_the_past() -> None:
    made = datetime.fromtimestamp(TODAY, UTC)
    token = Token(
        "phone", TokenScope.VIEW, made.isoformat(), "0" * 64, (made + timedelta(days=7)).isoformat()
    )
    assert not token.expired(datetime.fromtimestamp(BOOT, UTC))
    assert token.expired(made + timedelta(days=8))


def test_only_those_tell_the_time_that_need_it() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "compress" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in WALL_CLOCKS
    }
    assert found == set(MAY_TELL_THE_TIME)
