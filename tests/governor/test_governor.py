"""What is given up for which limit, in which order, and when it comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import time
from itertools import pairwise

import pytest

from edge_runtime.governor import Governor, Limits
from edge_runtime.governor.ladder import ALL_FRAMES, LADDER, TOP
from edge_runtime.quiet_hours import QuietHours
from edge_runtime.types import Allowance, Health, Power, Snapshot
from tests.governor.readings import CALM, HEALTH, snapshot

FAILING = replace(CALM, under_voltage=True)


class Governed:
    """A governor whose time the test moves."""

    def __init__(self, limits: Limits, day: Callable[[], time] = lambda: time(12)) -> None:
        self.now = 1000.0
        self.governor = Governor(limits, clock=lambda: self.now, time_of_day=day)
        self.allowance = Allowance()

    def go(self, seconds: float, health: Health, speed: Snapshot | None = None) -> list[int]:
        """The levels at each second."""
        levels = []
        for _ in range(round(seconds)):
            self.allowance = self.governor.decide(health, speed)
            levels.append(self.allowance.level)
            self.now += 1
        return levels

    def until(self, level: int, health: Health) -> int:
        """Seconds until the level is reached."""
        for seconds in range(20_000):
            if self.go(1, health) == [level]:
                return seconds
        raise AssertionError(f"level {level} never came")


def hot(celsius: float | None) -> Health:
    return replace(HEALTH, temperature_c=celsius)


def drawing(watts: float) -> Health:
    return replace(HEALTH, power=Power(watts, 0.1, "a meter", "board"))


ALL = Limits(max_temperature_c=75.0, max_power_w=5.0, target_fps=15.0, max_latency_ms=50.0)


def test_below_every_limit_nothing_changes() -> None:
    governed = Governed(ALL)
    reading = replace(drawing(4.9), temperature_c=74.0)
    governed.go(3600, reading, snapshot(p95_ms=49.0, processed=15.0, dropped=15.0))
    assert governed.allowance == Allowance()


def test_what_is_unknown_limits_nothing() -> None:
    governed = Governed(ALL)
    unknown = replace(HEALTH, throttling=None)
    assert set(governed.go(600, unknown)) == {0}
    assert set(governed.go(600, unknown, replace(snapshot(), latency={}))) == {0}


def test_without_limits_only_under_voltage_counts() -> None:
    governed = Governed(Limits())
    busy = replace(drawing(50.0), temperature_c=95.0)
    assert set(governed.go(600, busy, snapshot(p95_ms=900.0, processed=1.0, dropped=9.0))) == {0}


def test_the_ladder_saves_more_with_each_rung() -> None:
    def work(level: int) -> tuple[float, float]:
        """Frames and detector calls per second of a camera of 30, at four looks."""
        rung = LADDER[level]
        fps = rung.fps or 30.0
        return fps, fps / rung.detect_every * (rung.looks or 4)

    works = [work(level) for level in range(TOP + 1)]
    assert works == sorted(works, reverse=True)
    assert len(set(works)) == TOP + 1
    assert LADDER[0].allowance(0, "").fps is None


def test_heat_climbs_one_rung_at_a_time_and_says_why() -> None:
    governed = Governed(Limits(max_temperature_c=75.0))
    levels = governed.go(300, hot(76.0))
    assert levels[0] == 1
    assert {after - before for before, after in pairwise(levels)} == {0, 1}
    assert levels[-1] == TOP
    assert governed.allowance.reasons == (
        "Takes at most 5 frames a second, looks for faces in every third frame only, "
        "at most 1 look a frame: 76 °C, max_temperature_c is 75",
    )


def test_a_rise_is_seen_before_the_limit() -> None:
    governed = Governed(Limits(max_temperature_c=75.0))
    celsius = 60.0
    while governed.allowance.level == 0:
        governed.go(1, hot(celsius))
        celsius += 0.2
    assert 68 < celsius < 74
    assert "and rising" in governed.allowance.reasons[0]


def test_between_comfortable_and_the_limit_it_stays_where_it_is() -> None:
    governed = Governed(Limits(max_temperature_c=75.0))
    governed.go(25, hot(76.0))
    level = governed.allowance.level
    assert level > 0
    assert set(governed.go(3600, hot(72.0))) == {level}


def tried_in_vain(governed: Governed, times: int) -> list[int]:
    """Take the first rung back and give it up again; returns how long each trial was waited for."""
    governed.go(1, hot(76.0))
    waits = []
    for _ in range(times):
        waits.append(governed.until(0, hot(69.5)))
        governed.until(1, hot(77.0))
    return waits


def test_what_had_to_be_given_up_again_is_tried_ever_later() -> None:
    waits = tried_in_vain(Governed(Limits(max_temperature_c=75.0)), 4)
    assert waits == pytest.approx([180, 720, 2880, 11520], abs=2)


def test_a_trial_comes_early_when_it_has_become_cooler() -> None:
    governed = Governed(Limits(max_temperature_c=75.0))
    tried_in_vain(governed, 3)
    assert governed.until(0, hot(65.0)) < 300


def test_under_voltage_counts_at_once_and_several_rungs() -> None:
    governed = Governed(Limits(max_temperature_c=75.0))
    governed.go(100, hot(50.0))
    weak = replace(hot(50.0), throttling=FAILING)
    assert governed.go(1, weak) == [3]
    assert governed.go(30, weak)[-1] == TOP
    assert "under-voltage" in governed.allowance.reasons[0]


def test_under_voltage_does_not_wait_for_heat_to_settle() -> None:
    governed = Governed(Limits(max_temperature_c=75.0))
    assert governed.go(1, hot(75.5)) == [1]
    assert governed.go(1, replace(hot(75.5), throttling=FAILING)) == [4]


def test_power_is_judged_by_its_mean() -> None:
    governed = Governed(Limits(max_power_w=5.0))
    governed.go(60, drawing(4.8))
    governed.go(2, drawing(7.0))
    assert governed.allowance.level == 0
    governed.go(30, drawing(7.0))
    assert governed.allowance.level > 0
    assert "max_power_w is 5" in governed.allowance.reasons[0]


def test_a_slow_frame_costs_looks_but_no_frames() -> None:
    governed = Governed(Limits(max_latency_ms=50.0))
    assert governed.go(3600, HEALTH, snapshot(p95_ms=80.0))[-1] == ALL_FRAMES
    assert governed.allowance.fps is None
    assert governed.allowance.reasons[0].endswith(
        "95 of 100 frames take up to 80.0 ms, max_latency_ms is 50"
    )


def test_a_step_shows_in_the_percentiles_only_after_their_window() -> None:
    governed = Governed(Limits(max_latency_ms=50.0))
    levels = governed.go(120, HEALTH, snapshot(p95_ms=80.0, processed=10.0))
    assert levels.index(2) - levels.index(1) == pytest.approx(512 / 10, abs=1)


def test_too_few_frames_count_only_while_others_are_dropped() -> None:
    governed = Governed(Limits(target_fps=15.0))
    governed.go(600, HEALTH, snapshot(processed=8.0, dropped=0.0))
    governed.go(600, HEALTH, snapshot(processed=14.5, dropped=0.1))
    assert governed.allowance.level == 0
    governed.go(600, HEALTH, snapshot(processed=8.0, dropped=22.0))
    assert governed.allowance.level == ALL_FRAMES
    assert "target_fps is 15" in governed.allowance.reasons[0]


def test_frames_come_back_though_a_slow_frame_still_costs_looks() -> None:
    governed = Governed(Limits(max_temperature_c=75.0, max_latency_ms=50.0))
    governed.go(300, hot(78.0), snapshot(p95_ms=80.0))
    assert governed.allowance.level == TOP
    governed.go(3600, hot(50.0), snapshot(p95_ms=80.0))
    assert governed.allowance.level == ALL_FRAMES
    assert governed.allowance.fps is None


def test_quiet_hours_are_kept_by_the_clock_on_the_wall() -> None:
    moment = time(21, 59)
    hours = QuietHours.parsed("22:00-07:00")
    governed = Governed(Limits(max_temperature_c=75.0, quiet_hours=hours), lambda: moment)
    assert governed.go(1, hot(50.0)) == [0]
    moment = time(22, 0)
    assert governed.go(3, hot(50.0)) == [TOP] * 3
    assert governed.allowance.reasons[0].endswith("quiet hours, 22:00-07:00")
    moment = time(7, 0)
    assert governed.go(1, hot(50.0)) == [0]


def test_after_the_quiet_hours_it_goes_on_where_it_was() -> None:
    moment = time(12)
    hours = QuietHours.parsed("22:00-07:00")
    governed = Governed(Limits(max_temperature_c=75.0, quiet_hours=hours), lambda: moment)
    governed.go(25, hot(76.0))
    by_day = governed.allowance
    moment = time(23)
    governed.go(100, hot(73.0))
    moment = time(8)
    governed.go(1, hot(73.0))
    assert governed.allowance == by_day


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("22:00-07:00", ["22:00", "23:59", "00:00", "06:59"], ["07:00", "12:00", "21:59"]),
        ("01:30-05:00", ["01:30", "04:59"], ["01:29", "05:00", "23:00"]),
    ],
)
def test_hours_may_wrap_around_midnight(text: str, inside: list[str], outside: list[str]) -> None:
    hours = QuietHours.parsed(text)
    assert all(time.fromisoformat(each) in hours for each in inside)
    assert not any(time.fromisoformat(each) in hours for each in outside)
    assert str(hours) == text
