"""A steady rhythm, without drift and without racing after a pause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.capture.pace import Pace
from tests.capture.fake_clock import FakeClock


@given(st.lists(st.floats(0, 0.09), min_size=20, max_size=20))
def test_uneven_work_does_not_make_it_drift(work: list[float]) -> None:
    clock = FakeClock()
    pace = Pace(10, clock=clock, wait=clock.wait)
    for seconds in work:
        pace.hold()
        clock.advance(seconds)
    pace.hold()
    assert clock.now - 1000 == pytest.approx(2.0)


def test_after_a_long_pause_it_does_not_race(clock: FakeClock) -> None:
    pace = Pace(10, clock=clock, wait=clock.wait)
    pace.hold()
    clock.advance(60)
    pace.hold()
    began = clock.now
    for _ in range(10):
        pace.hold()
    assert clock.now - began == pytest.approx(1.0)


def test_a_short_delay_is_made_up(clock: FakeClock) -> None:
    pace = Pace(10, clock=clock, wait=clock.wait)
    pace.hold()
    clock.advance(0.35)
    for _ in range(4):
        pace.hold()
    assert clock.now - 1000 == pytest.approx(0.4)


def test_it_tells_when_the_program_stops(clock: FakeClock) -> None:
    clock.stopping_after = 0.1
    pace = Pace(10, clock=clock, wait=clock.wait)
    assert [pace.hold(), pace.hold()] == [False, True]
