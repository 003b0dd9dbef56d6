"""A simulated Pi with and without a fan: never 80 degrees, settled, calm, and free when cool."""

from __future__ import annotations

import math

import pytest

from edge_runtime.governor import Limits
from edge_runtime.governor.ladder import TOP
from edge_runtime.types import Allowance
from tests.governor.board import (
    HEAVY,
    LIGHT,
    PI_4,
    PI_4_FAN,
    PI_5,
    PI_5_FAN,
    TOO_MUCH,
    Board,
    Model,
    Work,
)
from tests.governor.simulation import HOUR_S, Run, simulate

FIRMWARE_C = 80.0
"""From here on a Pi slows itself down."""

LIMIT_C = 75.0

INTERVAL_S = 5.0
"""For simulated days: five times the default."""

BOARDS = {"pi4": PI_4, "pi4-fan": PI_4_FAN, "pi5": PI_5, "pi5-fan": PI_5_FAN}
WORKS = {"light": LIGHT, "heavy": HEAVY, "too-much": TOO_MUCH}


def ungoverned_c(model: Model, air_c: float, work: Work) -> float:
    """Where the chip would end."""
    watts = Board(model, air_c).watts(work.busy(Allowance()))
    board = Board(model, air_c)
    board.run(2 * HOUR_S, watts)
    return board.chip_c


def test_the_model_throttles_as_fast_as_a_real_board() -> None:
    board, seconds = Board(PI_4, 22.0), 0
    assert board.chip_c == pytest.approx(22 + 27, abs=1)
    while board.chip_c < FIRMWARE_C:
        board.run(1.0, 7.0)  # stress on the processor and the graphics unit together
        seconds += 1
    assert seconds == pytest.approx(177, rel=0.3)


@pytest.mark.parametrize(
    ("board", "air_c", "work"),
    [
        ("pi4", 25.0, "light"),
        ("pi4", 25.0, "too-much"),
        ("pi4", 40.0, "light"),
        ("pi4", 40.0, "too-much"),
        ("pi4-fan", 40.0, "too-much"),
        ("pi5", 25.0, "heavy"),
        ("pi5", 25.0, "too-much"),
        ("pi5", 40.0, "light"),
        ("pi5", 40.0, "too-much"),
        ("pi5-fan", 25.0, "too-much"),
        ("pi5-fan", 40.0, "heavy"),
        ("pi5-fan", 40.0, "too-much"),
    ],
)
def test_heat_stays_below_the_firmwares_limit_and_settles(
    board: str, air_c: float, work: str
) -> None:
    run = simulate(Board(BOARDS[board], air_c), WORKS[work], hours=3)
    assert max(run.chip_c) < 76.0
    assert max(run.last_hour(run.chip_c)) < LIMIT_C
    assert run.changes_in_any_hour(after_s=HOUR_S) <= 2
    if ungoverned_c(BOARDS[board], air_c, WORKS[work]) < LIMIT_C - 1:
        assert run.changes == []
    elif ungoverned_c(BOARDS[board], air_c, WORKS[work]) > LIMIT_C + 1:
        assert run.levels[-1] > 0


def test_without_the_governor_the_same_boards_would_boil() -> None:
    assert ungoverned_c(PI_5, 40.0, TOO_MUCH) > 115
    assert ungoverned_c(PI_5, 25.0, HEAVY) > FIRMWARE_C
    assert ungoverned_c(PI_4, 25.0, TOO_MUCH) > FIRMWARE_C


@pytest.mark.slow
def test_a_day_and_a_night_in_a_shed() -> None:
    def air(now: float) -> float:
        return 25.0 - 12.0 * math.cos(2 * math.pi * now / (24 * HOUR_S))

    run = simulate(Board(PI_5, 13.0), HEAVY, hours=48, air=air, interval_s=INTERVAL_S)
    assert max(run.chip_c) < FIRMWARE_C - 3
    night = run.levels[round(24 * HOUR_S / INTERVAL_S)]
    noon = run.levels[round(36 * HOUR_S / INTERVAL_S)]
    assert night < noon
    assert run.changes_in_any_hour(after_s=24 * HOUR_S) <= 8


def test_once_it_is_cool_everything_is_given_back() -> None:
    def air(now: float) -> float:
        return 38.0 if now < HOUR_S else 10.0

    run = simulate(Board(PI_4, 38.0), HEAVY, hours=3, air=air)
    assert run.levels[round(HOUR_S) - 1] >= 3
    assert set(run.last_hour([float(level) for level in run.levels])) == {0.0}


def test_once_the_work_is_light_everything_is_given_back() -> None:
    run = simulate(Board(PI_5, 30.0), lambda now: TOO_MUCH if now < HOUR_S else LIGHT, hours=2.5)
    assert run.levels[round(HOUR_S) - 1] >= 4
    assert run.levels[-1] == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_sensor_that_errs_raises_no_false_alarm(seed: int) -> None:
    watts = Board(PI_4, 25.0).watts(HEAVY.busy(Allowance()))
    air_c = 71.0 - watts * 10.0  # so that it comes to rest at 71 degrees
    run = simulate(Board(PI_4, air_c, busy=0.9, seed=seed), HEAVY, hours=1)
    assert max(run.chip_c) == pytest.approx(71.0, abs=0.2)
    assert run.changes == []


def test_power_settles_below_its_limit() -> None:
    limits = Limits(max_power_w=5.0)
    run = simulate(Board(PI_4_FAN, 25.0), HEAVY, hours=3, limits=limits)
    assert max(run.watts) > 5.8
    assert max(run.last_hour(run.watts)) <= 5.0
    assert run.changes_in_any_hour(after_s=HOUR_S) <= 2


def test_seldom_read_it_still_holds() -> None:
    run = simulate(Board(PI_5, 35.0), TOO_MUCH, hours=2, interval_s=INTERVAL_S)
    assert max(run.chip_c) < FIRMWARE_C - 3
    assert run.changes_in_any_hour(after_s=HOUR_S) <= 2


def test_where_even_the_least_work_is_too_warm_it_stays_at_the_top() -> None:
    run: Run = simulate(Board(PI_5, 48.0), HEAVY, hours=1)
    assert min(run.chip_c) > LIMIT_C
    assert set(run.levels[-100:]) == {TOP}
