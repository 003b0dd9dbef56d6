"""Ring buffers of fixed size: what is in a step, what a gap is, what an hour later is gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_runtime.telemetry.history import FIGURES, History, Stretch
from edge_runtime.types import Health, Power
from tests.governor.readings import HEALTH
from tests.web.fake_status import snapshot

TEMPERATURE = FIGURES.index("temperature_c")


class Kept:
    def __init__(self, interval_s: float = 1.0) -> None:
        self.now = 50_000.0
        self.history = History(
            interval_s, clock=lambda: self.now, wall=lambda: self.now + 1_000_000.0
        )

    def read(self, temperature: float | None, seconds: float = 1.0) -> None:
        health: Health = replace(HEALTH, temperature_c=temperature)
        self.history.add([], health)
        self.now += seconds

    def means(self, count: int) -> list[float]:
        return self.history.stretch("hour").mean[TEMPERATURE, -count:].tolist()


def three(stretch: Stretch, place: int) -> list[float]:
    return [float(part[TEMPERATURE, place]) for part in (stretch.low, stretch.mean, stretch.high)]


def test_a_step_holds_the_lowest_the_mean_and_the_highest() -> None:
    kept = Kept()
    for temperature in (50.0, 60.0, 40.0, 51.0, 49.0):
        kept.read(temperature)
    kept.now -= 1
    assert three(kept.history.stretch("hour"), -1) == [40.0, 50.0, 60.0]
    assert three(kept.history.stretch("day"), -1) == [40.0, 50.0, 60.0]


def test_the_unknown_is_no_number_and_spoils_no_mean() -> None:
    kept = Kept()
    for temperature in (None, 50.0, None, 60.0):
        kept.read(temperature)
    assert three(kept.history.stretch("hour"), -1) == [50.0, 55.0, 60.0]
    stretch = kept.history.stretch("hour")
    assert np.isnan(stretch.mean[FIGURES.index("captured_fps")]).all()


def test_silence_is_a_gap_also_while_it_lasts() -> None:
    kept = Kept()
    kept.read(50.0, seconds=20)
    assert np.isnan(kept.means(4)).tolist() == [True, True, True, True]
    assert kept.means(5)[0] == 50.0
    kept.read(60.0, seconds=0)
    assert np.array_equal(kept.means(5), [50.0, np.nan, np.nan, np.nan, 60.0], equal_nan=True)


@pytest.mark.parametrize("interval_s", [7.0, 10.0, 30.0])
def test_readings_that_come_seldom_leave_no_gaps(interval_s: float) -> None:
    kept = Kept(interval_s)
    for _ in range(20):
        kept.read(50.0, seconds=interval_s)
    kept.now -= interval_s
    assert kept.means(10) == [50.0] * 10


@pytest.mark.parametrize(("before_s", "after_s"), [(1.0, 30.0), (30.0, 1.0)])
def test_another_pace_of_readings_leaves_no_gaps(before_s: float, after_s: float) -> None:
    kept = Kept(before_s)
    for _ in range(10):
        kept.read(50.0, seconds=before_s)
    kept.now -= before_s
    kept.history.follow(after_s)
    kept.now += before_s  # the pause that was under way
    for _ in range(10):
        kept.read(50.0, seconds=after_s)
    kept.now -= after_s
    assert kept.means(40) == [50.0] * 40
    kept.now += after_s
    for _ in range(3):
        kept.read(50.0, seconds=60)
    assert np.isnan(kept.means(20)).any(), "silence is still a gap"


def test_each_of_several_cameras_has_figures_of_its_own() -> None:
    history = History(cameras=("front", "yard"), clock=lambda: 50_000.0, wall=lambda: 1e9)
    history.add([snapshot(), None], HEALTH)
    stretch = history.stretch("hour")
    front, yard = stretch.rows("front"), stretch.rows("yard")
    assert stretch.mean[front["processed_fps"], -1] == pytest.approx(29.84)
    assert stretch.mean[front["faces"], -1] == 2
    assert np.isnan(stretch.mean[yard["faces"], -1])
    assert history.bytes == 233_280 + 2 * 77_760  # 76 KiB each, as the docs say
    assert History(cameras=("camera",)).bytes == 233_280


def test_what_is_older_than_the_span_is_gone() -> None:
    kept = Kept()
    kept.read(99.0)
    kept.now += 3600
    assert np.isnan(kept.history.stretch("hour").high).all()
    assert np.nanmax(kept.history.stretch("day").high) == 99.0
    kept.read(50.0)
    assert np.nanmax(kept.history.stretch("hour").high[TEMPERATURE]) == 50.0
    kept.now += 86_400 * 3
    kept.read(51.0, seconds=0)
    day = kept.history.stretch("day")
    assert np.nanmax(day.high[TEMPERATURE]) == 51.0
    assert np.count_nonzero(~np.isnan(day.mean[TEMPERATURE])) == 1


def test_a_day_of_readings_takes_no_more_memory_and_no_allocation_per_reading() -> None:
    kept = Kept()
    before = kept.history.bytes
    assert before == 233_280  # 228 KiB, as the docs say
    for second in range(0, 90_000, 7):
        kept.read(40.0 + second % 20, seconds=7)
    assert kept.history.bytes == before
    day = kept.history.stretch("day")
    assert np.count_nonzero(~np.isnan(day.mean[TEMPERATURE])) == 1440


def test_figures_are_those_of_the_page() -> None:
    kept = Kept()
    power = Power(3.4, 0.8, "a model", "board")
    kept.history.add([], replace(HEALTH, power=power, memory_mb=96.5))
    stretch = kept.history.stretch("hour")
    told = dict(zip(FIGURES, stretch.mean[:, -1].tolist(), strict=True))
    assert told["power_w"] == pytest.approx(3.4)
    assert told["memory_mb"] == 96.5
    assert np.isnan(told["faces"])


def test_it_ends_with_the_step_of_now_by_the_clock_on_the_wall() -> None:
    kept = Kept()
    kept.now = 50_003.0
    assert kept.history.stretch("hour").ends_at == 1_050_005.0
