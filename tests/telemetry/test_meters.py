from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.telemetry.meters import LatencyMeter, RateMeter
from tests.telemetry.conftest import StandingClock


def stream(meter: RateMeter, clock: StandingClock, fps: float, seconds: float) -> None:
    for _ in range(round(fps * seconds)):
        clock.pass_by(1 / fps)
        meter.add()


def test_no_rate_before_two_events(clock: StandingClock) -> None:
    meter = RateMeter(clock=clock)
    assert meter.per_second() is None
    meter.add()
    assert meter.per_second() is None
    assert meter.total == 1


@pytest.mark.parametrize("fps", [1.5, 10, 30, 200, 1000])
def test_steady_events_give_their_rate(clock: StandingClock, fps: float) -> None:
    meter = RateMeter(window_s=2, clock=clock)
    stream(meter, clock, fps, 5)
    assert meter.per_second() == pytest.approx(fps, rel=0.02)
    assert meter.total == round(fps * 5)


def test_the_rate_follows_a_change_within_the_window(clock: StandingClock) -> None:
    meter = RateMeter(window_s=2, clock=clock)
    stream(meter, clock, 30, 4)
    stream(meter, clock, 5, 3)
    assert meter.per_second() == pytest.approx(5, rel=0.02)


def test_a_stalled_source_slows_down_at_once_and_reads_zero_after_the_window(
    clock: StandingClock,
) -> None:
    meter = RateMeter(window_s=2, clock=clock)
    stream(meter, clock, 30, 4)
    seen = []
    for _ in range(19):
        clock.pass_by(0.1)
        seen.append(meter.per_second() or 0.0)
    assert seen == sorted(seen, reverse=True)
    assert seen[0] < 30
    assert seen[9] == pytest.approx(15, rel=0.1)
    clock.pass_by(0.2)
    assert meter.per_second() == 0.0


def test_a_source_slower_than_the_window_keeps_its_last_interval(clock: StandingClock) -> None:
    meter = RateMeter(window_s=2, clock=clock)
    stream(meter, clock, 0.4, 10)
    assert meter.per_second() == pytest.approx(0.4)
    clock.pass_by(1.9)
    assert meter.per_second() == pytest.approx(0.4)


def test_events_of_one_moment_have_no_rate(clock: StandingClock) -> None:
    meter = RateMeter(clock=clock)
    meter.add(5.0)
    meter.add(5.0)
    clock.now = 5.5
    assert meter.per_second() is None


@given(st.lists(st.floats(0.001, 3), min_size=2, max_size=80), st.floats(0, 5))
def test_the_rate_is_never_above_the_shortest_interval_and_zero_after_the_window(
    gaps: list[float], silence: float
) -> None:
    clock = StandingClock()
    meter = RateMeter(window_s=2, clock=clock, size=32)
    for gap in gaps:
        clock.pass_by(gap)
        meter.add()
    clock.pass_by(silence)
    rate = meter.per_second()
    assert rate is not None
    assert 0 <= rate <= 1 / min(gaps) * (1 + 1e-6)
    if silence >= 2.001:
        assert rate == 0


def test_no_percentiles_of_nothing() -> None:
    assert LatencyMeter().percentiles() is None


def test_percentiles_are_nearest_ranks() -> None:
    meter = LatencyMeter()
    for value in range(100, 0, -1):
        meter.add(float(value))
    assert meter.percentiles() == (50, 95, 99)


def test_only_the_window_counts() -> None:
    meter = LatencyMeter(size=4)
    for value in (900.0, 900.0, 1.0, 2.0, 3.0, 4.0):
        meter.add(value)
    assert meter.percentiles() == (2, 4, 4)


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=200))
def test_percentiles_are_ordered_members_of_the_window(durations: list[float]) -> None:
    meter = LatencyMeter(size=64)
    for duration in durations:
        meter.add(duration)
    found = meter.percentiles()
    assert found is not None
    assert found.p50 <= found.p95 <= found.p99
    assert set(found) <= set(durations[-64:])


def test_all_durations_are_counted_by_length() -> None:
    meter = LatencyMeter(size=2)
    # As long as a bound is within it; the last bucket holds what is longer than all.
    for value in (0.0, 0.1, 0.11, 5000.0, 5001.0):
        meter.add(value)
    counts, sum_ms = meter.durations()
    assert (counts[0], counts[1], counts[-2], counts[-1], sum(counts)) == (2, 1, 1, 1, 5)
    assert sum_ms == pytest.approx(10001.21)
