"""The live view costs nothing unwatched, hides faces, and says when it is old."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from edge_runtime import jpeg
from edge_runtime.types import Bgr, Box
from edge_runtime.web.preview import Preview
from edge_runtime.web.viewer import Viewer
from tests.web.fake_status import FACES, FakeClock, frame, noise, snapshot


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def preview(clock: FakeClock) -> Preview:
    return Preview(clock=clock, quality=95)


@contextmanager
def watched(preview: Preview) -> Iterator[Viewer]:
    """One viewer outside any event loop that runs: nobody waits on him."""
    loop = asyncio.new_event_loop()

    async def enter() -> Viewer:
        viewer = preview.watch()
        entered.append(viewer)
        found = viewer.__enter__()
        assert found is not None
        return found

    entered: list[object] = []
    try:
        yield loop.run_until_complete(enter())
    finally:
        entered[0].__exit__(None, None, None)  # type: ignore[attr-defined]
        loop.close()


def shown(preview: Preview) -> Bgr:
    assert preview.newest is not None
    return jpeg.decode_bgr(preview.newest.jpeg)


def test_nobody_watches_nothing_is_wanted_or_kept(preview: Preview, clock: FakeClock) -> None:
    assert not preview.wanted(clock())
    preview.offer(frame(), snapshot())
    assert not preview.encode_next(0)
    assert preview.newest is None


def test_a_viewer_makes_pictures_wanted_at_the_previews_own_rate(clock: FakeClock) -> None:
    preview = Preview(clock=clock, fps=10)
    with watched(preview):
        assert preview.wanted(clock())
        preview.offer(frame(), snapshot())
        assert not preview.wanted(clock.now + 0.09)
        assert preview.wanted(clock.now + 0.11)
    assert not preview.wanted(clock.now + 10)


def test_ten_of_thirty_frames_a_second_are_ten(clock: FakeClock) -> None:
    preview = Preview(clock=clock, fps=10)
    offers = 0
    with watched(preview):
        for index in range(300):
            clock.now = 100 + index / 30 + 0.0004 * (index % 3)  # as cameras are: not to the dot
            if preview.wanted(clock.now):
                preview.offer(frame(), snapshot())
                offers += 1
    assert 95 <= offers <= 101


def test_after_a_pause_no_burst_makes_up_for_it(clock: FakeClock) -> None:
    preview = Preview(clock=clock, fps=10)
    with watched(preview):
        preview.offer(frame(), snapshot())
        clock.now += 5
        preview.offer(frame(), snapshot())
        assert not preview.wanted(clock.now + 0.04)


def test_pictures_are_made_small(preview: Preview) -> None:
    with watched(preview):
        preview.offer(frame(pixels=noise(1536, 864)), snapshot(width=1536, height=864))
        assert preview.encode_next(0)
        assert shown(preview).shape == (360, 640, 3)


def test_small_pictures_are_not_blown_up(preview: Preview) -> None:
    with watched(preview):
        preview.offer(frame(pixels=noise(320, 240)), snapshot(width=320, height=240, faces=()))
        assert preview.encode_next(0)
        assert shown(preview).shape == (240, 320, 3)


def test_the_offered_frame_is_copied_not_marked(preview: Preview) -> None:
    offered = frame()
    before = offered.picture.bgr().copy()
    with watched(preview):
        preview.offer(offered, snapshot())
        preview.encode_next(0)
    assert np.array_equal(offered.picture.bgr(), before)


def detail(picture: Bgr, box: Box) -> float:
    """How much neighbouring pixels differ inside ``box``: noise differs much, blocks hardly."""
    inside = picture[int(box.y) : int(box.bottom), int(box.x) : int(box.right)].astype(int)
    return float(np.abs(np.diff(inside, axis=1)).mean())


INSIDE = Box(215, 135, 90, 130)  # of the first face, clear of its box's lines
BESIDE = Box(20, 300, 100, 100)


def test_faces_are_pixelated(preview: Preview) -> None:
    with watched(preview):
        preview.offer(frame(), snapshot())
        preview.encode_next(0)
        picture = shown(preview)
    assert detail(picture, INSIDE) < detail(picture, BESIDE) / 4


def test_so_is_where_a_face_may_still_be(preview: Preview) -> None:
    with watched(preview):
        preview.offer(frame(), snapshot(faces=(), possible_faces=(FACES[0].box,)))
        preview.encode_next(0)
        picture = shown(preview)
    assert detail(picture, INSIDE) < detail(picture, BESIDE) / 4


def test_faces_stay_visible_only_when_told_so(clock: FakeClock) -> None:
    preview = Preview(clock=clock, quality=95, pixelate=False)
    with watched(preview):
        preview.offer(frame(), snapshot())
        preview.encode_next(0)
        picture = shown(preview)
    assert detail(picture, INSIDE) > detail(picture, BESIDE) / 2


def test_one_picture_is_made_for_all_viewers(preview: Preview) -> None:
    async def watch() -> None:
        with preview.watch() as first, preview.watch() as second:
            assert first is not None
            assert second is not None
            preview.offer(frame(), snapshot())
            assert preview.encode_next(0)
            one, two = await first.next(1), await second.next(1)
            assert one is two is preview.newest
            assert await first.next(0) is None

    asyncio.run(watch())


def test_a_slow_viewer_gets_the_newest_not_all(preview: Preview) -> None:
    async def watch() -> None:
        with preview.watch() as viewer:
            assert viewer is not None
            for index in range(5):
                preview.offer(frame(index), snapshot(index))
                preview.encode_next(0)
            shot = await viewer.next(1)
            assert shot is not None
            assert shot.number == 5

    asyncio.run(watch())


def test_an_older_offer_nobody_took_is_replaced(preview: Preview) -> None:
    with watched(preview):
        preview.offer(frame(0), snapshot(0))
        preview.offer(frame(1), snapshot(1))
        assert preview.encode_next(0)
        assert not preview.encode_next(0)


def test_viewers_are_limited(clock: FakeClock) -> None:
    preview = Preview(clock=clock, max_viewers=1)

    async def watch() -> None:
        with preview.watch() as first, preview.watch() as second:
            assert first is not None
            assert second is None
            assert preview.viewers == 1
        assert preview.viewers == 0

    asyncio.run(watch())


def test_a_picture_that_is_old_says_so_once_a_second(preview: Preview, clock: FakeClock) -> None:
    with watched(preview):
        preview.offer(frame(), snapshot())
        preview.encode_next(0)
        clock.now += 1.9
        assert not preview.encode_next(0)
        clock.now += 0.2
        assert preview.encode_next(0)
        assert preview.newest is not None
        assert not preview.newest.live
        picture = shown(preview).astype(int)
        assert np.abs(picture[:, :, 0] - picture[:, :, 2]).mean() < 2, "grey"
        assert not preview.encode_next(0)
        clock.now += 1
        assert preview.encode_next(0)
        preview.offer(frame(1), snapshot(1))
        preview.encode_next(0)
        assert preview.newest.live


def test_no_picture_outlives_the_last_viewer(preview: Preview, clock: FakeClock) -> None:
    with watched(preview):
        preview.offer(frame(), snapshot())
        preview.encode_next(0)
    assert preview.newest is None
    clock.now += 60
    with watched(preview):
        assert not preview.encode_next(0)


def test_a_picture_made_while_the_last_viewer_left_is_thrown_away(preview: Preview) -> None:
    with watched(preview):
        preview.offer(frame(), snapshot())
        taken = preview._offered
    preview._offered = taken
    preview.encode_next(0)
    assert preview.newest is None
    assert preview._last is None


def test_an_offer_wakes_the_encoder(preview: Preview) -> None:
    made: list[bool] = []
    with watched(preview):
        encoder = threading.Thread(target=lambda: made.append(preview.encode_next(5)))
        encoder.start()
        preview.offer(frame(), snapshot())
        encoder.join(2)
    assert made == [True]


def test_a_viewer_whose_loop_is_gone_hurts_nobody(
    preview: Preview, caplog: pytest.LogCaptureFixture
) -> None:
    with watched(preview) as viewer:
        viewer._loop.close()
        preview.offer(frame(), snapshot())
        with caplog.at_level(logging.ERROR):
            assert preview.encode_next(0)
    assert caplog.text == ""


def test_none_is_made_while_nobody_is_ready_for_another(preview: Preview, clock: FakeClock) -> None:
    async def watch() -> None:
        with preview.watch() as viewer:
            assert viewer is not None
            preview.offer(frame(), snapshot())
            preview.encode_next(0)
            clock.now += 60
            assert not preview.wanted(clock()), "he has not taken the last one"
            assert await viewer.next(1) is not None
            assert not preview.wanted(clock()), "he is busy with it"
            assert await viewer.next(0) is None
            assert preview.wanted(clock())

    asyncio.run(watch())


def test_a_slow_viewer_is_not_told_that_the_camera_stopped(
    preview: Preview, clock: FakeClock
) -> None:
    with watched(preview):
        preview.offer(frame(), snapshot())
        preview.encode_next(0)
        for _ in range(10):
            clock.now += 1
            preview.wanted(clock())
            assert not preview.encode_next(0)


def test_a_viewer_who_cannot_keep_up_makes_pictures_fewer_and_smaller(
    preview: Preview, clock: FakeClock
) -> None:
    """One takes each picture at once, the other needs 0.3 s: ten a second are too many for him."""

    async def watch() -> None:
        with preview.watch() as quick, preview.watch() as slow:
            assert quick is not None
            assert slow is not None
            sizes, done_at = [], clock()
            for index in range(200):
                clock.now += 0.05
                await quick.next(0)
                if clock() >= done_at and await slow.next(0):
                    done_at = clock() + 0.3
                if preview.wanted(clock()):
                    preview.offer(frame(index), snapshot(index))
                    preview.encode_next(0)
                    sizes.append(len(preview.newest.jpeg) if preview.newest else 0)
            assert preview.fidelity.step.fps <= 5
            assert sizes[-1] < sizes[0] / 2

    asyncio.run(watch())


def test_a_new_viewer_after_all_left_starts_at_what_is_configured(
    preview: Preview, clock: FakeClock
) -> None:
    best = preview.fidelity.step
    with watched(preview):
        for _ in range(300):
            preview._fidelity.made(10, ())
            clock.now += 0.1
        assert preview.fidelity.step.width < best.width
    with watched(preview):
        assert preview.fidelity.step == best
