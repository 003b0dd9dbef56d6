"""A lost camera comes back: when it is tried again, what is counted, what people are told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from edge_runtime.capture.picture import GreyPicture
from edge_runtime.capture.reopen import ReopeningSource, pinned
from edge_runtime.capture.source import Source
from edge_runtime.errors import SourceDamaged, SourceLost, SourceUnavailable
from edge_runtime.types import Camera, Frame
from tests.capture.fake_clock import FakeClock

LUMA = np.zeros((4, 4), np.uint8)


class Scripted(Source):
    """Delivers as many frames as told, then raises ``end``."""

    def __init__(self, frames: int, end: Exception, *, live: bool = True) -> None:
        super().__init__()
        self.uri, self.description, self.live = "v4l2:///dev/video0", "a camera", live
        self.width, self.height, self.fps = 4, 4, 10.0
        self.closings = 0
        self._left, self._end = frames, end

    def _next_frame(self, index: int) -> Frame:
        if index >= self._left:
            raise self._end
        return Frame(index, 0.0, LUMA, GreyPicture(LUMA))

    def _close(self) -> None:
        self.closings += 1


LOST = SourceLost("it was unplugged")
AWAY = SourceUnavailable("no /dev/video0")


def opener(*steps: Scripted | Exception) -> Callable[[], Source]:
    script: Iterator[Scripted | Exception] = iter(steps)

    def open_next() -> Source:
        step = next(script)
        if isinstance(step, Exception):
            raise step
        return step

    return open_next


def test_frames_keep_rising_over_a_loss(clock: FakeClock) -> None:
    first = Scripted(3, LOST)
    source = ReopeningSource(
        opener(first, Scripted(2, StopIteration())), wait=clock.wait, clock=clock
    )
    assert [frame.index for frame in source] == [0, 1, 2, 3, 4]
    assert first.closings == 1


def test_the_first_opening_may_fail_for_good(clock: FakeClock) -> None:
    with pytest.raises(SourceUnavailable):
        ReopeningSource(opener(AWAY), wait=clock.wait, clock=clock)
    assert clock.waits == []


def test_the_wait_doubles_up_to_the_longest(clock: FakeClock) -> None:
    away: list[Scripted | Exception] = [AWAY] * 7
    steps = (Scripted(1, LOST), *away, Scripted(1, StopIteration()))
    source = ReopeningSource(opener(*steps), wait=clock.wait, clock=clock)
    assert len(list(source)) == 2
    assert clock.waits == [0.5, 1, 2, 4, 8, 10, 10, 10]


def test_the_wait_starts_small_again_once_a_frame_has_come(clock: FakeClock) -> None:
    steps = (Scripted(1, LOST), AWAY, AWAY, Scripted(1, LOST), Scripted(1, StopIteration()))
    source = ReopeningSource(opener(*steps), wait=clock.wait, clock=clock)
    list(source)
    assert clock.waits == [0.5, 1, 2, 0.5]


def test_the_wait_grows_while_it_opens_but_nothing_comes(clock: FakeClock) -> None:
    dead = [Scripted(0, LOST) for _ in range(3)]
    source = ReopeningSource(
        opener(Scripted(1, LOST), *dead, Scripted(1, StopIteration())), wait=clock.wait, clock=clock
    )
    list(source)
    assert clock.waits == [0.5, 1, 2, 4]
    assert [camera.closings for camera in dead] == [1, 1, 1]
    assert source.camera.reopened == 1


def test_unplugged_for_thirty_seconds_and_back(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    told: list[Camera] = []
    back_at = clock.now + 30

    def open_camera() -> Source:
        if told and clock.now < back_at:
            raise AWAY
        return Scripted(2, LOST if not told else StopIteration())

    source = ReopeningSource(open_camera, wait=clock.wait, clock=clock, on_change=told.append)
    assert [frame.index for frame in source] == [0, 1, 2, 3]
    assert 30 <= clock.now - 1000 <= 40
    states = [(camera.state, camera.problem, camera.reopened) for camera in told]
    assert states == [
        ("opening", None, 0),
        ("streaming", None, 0),
        ("lost", "it was unplugged", 0),
        ("lost", "no /dev/video0", 0),
        ("streaming", None, 1),
        ("ended", None, 1),
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "it was unplugged" in caplog.text
    assert "back after 35.5 s" in caplog.text


def test_it_ends_at_once_when_the_program_stops(clock: FakeClock) -> None:
    clock.stopping_after = 3.0
    source = ReopeningSource(opener(Scripted(1, LOST), *[AWAY] * 9), wait=clock.wait, clock=clock)
    assert len(list(source)) == 1
    assert clock.waits == [0.5, 1, 2]
    assert source.camera.state == "ended"


def test_closed_while_it_is_being_opened_it_keeps_nothing_open(clock: FakeClock) -> None:
    late = Scripted(5, LOST)

    def open_again() -> Source:
        if not clock.waits:
            return Scripted(1, LOST)
        source.close()
        return late

    source = ReopeningSource(open_again, wait=clock.wait, clock=clock)
    assert len(list(source)) == 1
    assert late.closings == 1


def test_damage_to_a_file_is_not_a_loss(clock: FakeClock) -> None:
    damaged = Scripted(1, SourceDamaged("read 1 of about 9 frames"), live=False)
    source = ReopeningSource(opener(damaged), wait=clock.wait, clock=clock)
    next(source)
    with pytest.raises(SourceDamaged):
        next(source)
    assert source.camera.state == "ended"
    assert clock.waits == []


def test_auto_is_decided_once(clock: FakeClock) -> None:
    asked: list[str] = []

    def open_uri(uri: str) -> Source:
        asked.append(uri)
        return Scripted(1, LOST if len(asked) < 3 else StopIteration())

    list(ReopeningSource(pinned("auto", open_uri), wait=clock.wait, clock=clock))
    assert asked == ["auto", "v4l2:///dev/video0", "v4l2:///dev/video0"]


def test_a_given_uri_is_kept_with_its_secrets() -> None:
    asked: list[str] = []

    def open_uri(uri: str) -> Source:
        asked.append(uri)
        return Scripted(1, LOST)

    again = pinned("rtsp://me:geheim@cam/1", open_uri)
    again()
    again()
    assert asked == ["rtsp://me:geheim@cam/1"] * 2
