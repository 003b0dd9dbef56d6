"""Pictures become fewer, smaller and plainer as the slowest viewer needs, and better again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import pairwise

import pytest

from edge_runtime.web.fidelity import CALM_S, PATIENT_S, WINDOW_S, Fidelity, Step
from edge_runtime.web.viewer import Shot, Use, Viewer
from tests.web.fake_status import FakeClock


@dataclass
class Told(Viewer):
    """A viewer of whom is told what he did."""

    taken: int
    busy_s: float

    def use(self) -> Use:
        return Use(self.taken, self.busy_s)

    __hash__ = object.__hash__


WELL = Told(20, 0.1)
SLOW = Told(10, 2.0)
STUCK = Told(0, 2.0)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def fidelity(clock: FakeClock) -> Fidelity:
    return Fidelity(fps=10, width=640, quality=75, clock=clock)


def pass_windows(
    fidelity: Fidelity, clock: FakeClock, windows: float, *viewers: Viewer, making_s: float = 0.01
) -> None:
    for _ in range(round(windows)):
        clock.now += WINDOW_S
        fidelity.made(making_s, viewers)


def number(fidelity: Fidelity) -> int:
    return fidelity.steps.index(fidelity.step)


def test_the_first_step_is_what_is_configured(fidelity: Fidelity) -> None:
    assert fidelity.step == Step(10, 640, 75)


def test_each_step_is_cheaper_and_none_is_unreadable(fidelity: Fidelity) -> None:
    costs = [step.fps * step.width**2 * step.quality for step in fidelity.steps]
    assert costs == sorted(costs, reverse=True)
    assert len(set(costs)) == len(costs)
    assert costs[-1] < costs[0] / 8
    assert min(step.quality for step in fidelity.steps) >= 30


def test_a_poorer_quality_that_is_configured_is_not_improved() -> None:
    plain = Fidelity(fps=10, width=640, quality=10)
    assert {step.quality for step in plain.steps} == {10}


def test_viewers_who_keep_up_change_nothing(fidelity: Fidelity, clock: FakeClock) -> None:
    pass_windows(fidelity, clock, 50, WELL, WELL)
    assert number(fidelity) == 0


def test_the_slowest_viewer_decides(fidelity: Fidelity, clock: FakeClock) -> None:
    pass_windows(fidelity, clock, 1, WELL, SLOW, WELL)
    assert number(fidelity) == 1


def test_nothing_is_judged_before_a_window_is_over(fidelity: Fidelity, clock: FakeClock) -> None:
    for _ in range(19):
        clock.now += 0.1
        fidelity.made(9, (SLOW,))
    assert number(fidelity) == 0


def test_a_stuck_viewer_spoils_nothing_for_others(fidelity: Fidelity, clock: FakeClock) -> None:
    pass_windows(fidelity, clock, 20, WELL, STUCK)
    assert number(fidelity) == 0


def test_slow_making_counts_like_a_slow_viewer(fidelity: Fidelity, clock: FakeClock) -> None:
    pass_windows(fidelity, clock, 1, WELL, making_s=0.06)
    assert number(fidelity) == 1


def test_there_is_a_last_step(fidelity: Fidelity, clock: FakeClock) -> None:
    pass_windows(fidelity, clock, 20, Told(1, 2.0))
    assert fidelity.step == fidelity.steps[-1]


def test_it_gets_better_one_step_at_a_time(fidelity: Fidelity, clock: FakeClock) -> None:
    pass_windows(fidelity, clock, 3, Told(1, 2.0))
    assert number(fidelity) == 3
    reached = []
    for _ in range(12):
        pass_windows(fidelity, clock, 1, WELL)
        reached.append(number(fidelity))
    assert reached == [3, 3, 2, 2, 2, 1, 1, 1, 0, 0, 0, 0]


def test_an_attempt_in_vain_is_not_repeated_soon(fidelity: Fidelity, clock: FakeClock) -> None:
    """A line that takes the second step and never the first: fewer and fewer attempts."""
    attempts = []
    for _ in range(500):
        before = number(fidelity)
        pass_windows(fidelity, clock, 1, WELL if before else SLOW)
        if before and not number(fidelity):
            attempts.append(clock.now)
    pauses = [later - sooner for sooner, later in pairwise(attempts)]
    assert pauses == sorted(pauses)
    assert pauses[-1] >= PATIENT_S
    assert len(attempts) < 15


def test_one_that_lasted_makes_it_hopeful_again(fidelity: Fidelity, clock: FakeClock) -> None:
    for _ in range(20):
        pass_windows(fidelity, clock, 1, WELL if number(fidelity) else SLOW)
    while number(fidelity):
        pass_windows(fidelity, clock, 1, WELL)
    pass_windows(fidelity, clock, 20, WELL)
    pass_windows(fidelity, clock, 1, SLOW)
    assert number(fidelity) == 1
    pass_windows(fidelity, clock, CALM_S / WINDOW_S, WELL)
    assert number(fidelity) == 0


def test_a_viewer_says_how_long_he_was_busy(clock: FakeClock) -> None:
    async def watch() -> None:
        viewer = Viewer(lambda: Shot(1, b"", True), asyncio.get_running_loop(), clock)
        assert await viewer.next(1) is not None
        clock.now += 0.5
        assert viewer.use() == Use(1, 0.5), "one that he is still busy with counts"
        clock.now += 0.25
        assert await viewer.next(0) is None
        clock.now += 10
        assert viewer.use() == Use(0, 0.25), "waiting is not being busy"

    asyncio.run(watch())


def test_it_says_why_pictures_are_not_as_configured(fidelity: Fidelity, clock: FakeClock) -> None:
    assert (fidelity.number, fidelity.reason) == (0, None)
    pass_windows(fidelity, clock, 1, SLOW)
    assert (fidelity.number, fidelity.reason) == (1, "viewer")
    pass_windows(fidelity, clock, 1, WELL, making_s=0.09)
    assert (fidelity.number, fidelity.reason) == (2, "making")
    pass_windows(fidelity, clock, 2 + 2 * CALM_S, WELL)
    assert (fidelity.number, fidelity.reason) == (0, None)
