"""No collection but between frames; everything as before at the end."""

from __future__ import annotations

import gc

import pytest

from edge_runtime.service.collector import FULL_EVERY, SETTLED_S, YOUNG, Collector


class FakeGc:
    """Notes what it is asked to do."""

    def __init__(self, *, on: bool = True) -> None:
        self.on = on
        self.young = 0
        self.asked: list[str] = []

    def isenabled(self) -> bool:
        return self.on

    def enable(self) -> None:
        self.on = True

    def disable(self) -> None:
        self.on = False

    def freeze(self) -> None:
        self.asked.append("freeze")

    def unfreeze(self) -> None:
        self.asked.append("unfreeze")

    def collect(self, generation: int = 2) -> int:
        self.asked.append(f"collect {generation}")
        return 0

    def get_count(self) -> tuple[int, int, int]:
        return self.young, 0, 0


class Moment:
    """A clock that is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("on", [True, False])
def test_it_is_off_inside_and_as_before_afterwards(on: bool) -> None:
    fake = FakeGc(on=on)
    with Collector(Moment(), fake):
        assert not fake.on
    assert fake.on is on
    assert fake.asked == ["freeze", "unfreeze"]


def test_little_garbage_is_left_alone() -> None:
    fake = FakeGc()
    fake.young = YOUNG
    with Collector(Moment(), fake) as collector:
        collector.between_frames()
        assert fake.asked == ["freeze"]


def test_young_objects_are_looked_through_and_now_and_then_the_old() -> None:
    fake = FakeGc()
    fake.young = YOUNG + 1
    with Collector(Moment(), fake) as collector:
        for _ in range(FULL_EVERY):
            collector.between_frames()
        assert fake.asked[1:] == ["collect 0"] * (FULL_EVERY - 1) + ["collect 2"]


def test_what_is_loaded_is_frozen_once() -> None:
    fake, clock = FakeGc(), Moment()
    with Collector(clock, fake) as collector:
        clock.now += SETTLED_S
        collector.between_frames()
        collector.between_frames()
        assert fake.asked[1:] == ["freeze"]


def test_it_steers_the_collector_of_python() -> None:
    before = gc.isenabled()
    with Collector(Moment()) as collector:
        assert not gc.isenabled()
        collector.between_frames()
    assert gc.isenabled() is before
