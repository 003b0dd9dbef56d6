"""The demo: the same film for the same seed, faces where it says they are, at its own pace."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_runtime.capture import Source, open_source, photographs
from edge_runtime.errors import LibraryMissing
from edge_runtime.types import Box, Frame
from tests.capture.fake_clock import FakeClock

needs_photographs = pytest.mark.skipif(
    importlib.util.find_spec("skimage") is None, reason="scikit-image is not installed"
)


def demo(query: str, clock: FakeClock) -> Source:
    return open_source(f"demo://?{query}", clock=clock, wait=clock.wait)


def film(query: str, clock: FakeClock) -> list[Frame]:
    with demo(query, clock) as source:
        return list(source)


@needs_photographs
def test_the_same_seed_shows_the_same_film(clock: FakeClock) -> None:
    first, second = (film("faces=2&seed=5&frames=4&size=320x240", clock) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.picture.bgr(), other.picture.bgr())
        assert one.truth == other.truth


@needs_photographs
def test_another_seed_shows_another_film(clock: FakeClock) -> None:
    one, other = (film(f"seed={seed}&frames=1", clock)[0] for seed in (1, 2))
    assert one.truth != other.truth


@needs_photographs
@pytest.mark.parametrize("faces", [0, 1, 3, 12])
def test_everybody_is_there_at_the_start(faces: int, clock: FakeClock) -> None:
    (frame,) = film(f"faces={faces}&frames=1", clock)
    assert frame.truth is not None
    assert len(frame.truth) == faces


@needs_photographs
def test_faces_have_the_size_of_faces_and_stay_in_the_picture(clock: FakeClock) -> None:
    with demo("faces=3&seed=1&fps=2&frames=60", clock) as source:
        for frame in source:
            for face in frame.truth or ():
                assert 0 <= face.x <= face.right <= 640
                assert 0 <= face.y <= face.bottom <= 480
                assert 0.07 * 640 <= face.w <= 0.25 * 640


@needs_photographs
def test_faces_do_not_hide_one_another(clock: FakeClock) -> None:
    with demo("faces=6&seed=3&fps=2&frames=60", clock) as source:
        for frame in source:
            faces = frame.truth or ()
            assert all(a.iou(b) == 0 for a in faces for b in faces if a is not b)


@needs_photographs
def test_faces_leave_and_come_back(clock: FakeClock) -> None:
    with demo("faces=1&seed=4&fps=2&frames=100", clock) as source:
        there = [len(frame.truth or ()) for frame in source]
    gone = there.index(0)
    assert 0 < gone < 60
    assert 1 in there[gone:]


@needs_photographs
def test_faces_move_smoothly(clock: FakeClock) -> None:
    with demo("faces=1&seed=4&frames=120", clock) as source:
        centres = np.array([frame.truth[0].centre for frame in source if frame.truth])
    steps = np.abs(np.diff(centres, axis=0))
    assert steps.max() < 8
    assert np.ptp(centres, axis=0).max() > 10


@needs_photographs
def test_light_and_noise_change_from_frame_to_frame(clock: FakeClock) -> None:
    with demo("faces=0&frames=330&size=160x120", clock) as source:
        planes = [frame.luma.astype(float) for frame in source]
    difference = np.abs(planes[1] - planes[0]).mean()
    assert 0.5 < difference < 5
    means = [plane.mean() for plane in planes]
    assert max(means) > 1.1 * min(means)


@needs_photographs
def test_it_keeps_its_pace_and_is_live(clock: FakeClock) -> None:
    with demo("fps=20&size=64x48", clock) as source:
        assert source.live
        times = [next(source).taken_at for _ in range(5)]
    assert np.diff(times) == pytest.approx([0.05] * 4)


@needs_photographs
def test_a_counted_demo_is_a_recording_and_ends(clock: FakeClock) -> None:
    with demo("frames=7&size=64x48", clock) as source:
        assert not source.live
        assert len(list(source)) == 7
    assert clock.waits == []


def test_without_the_photographs_the_remedy_is_named(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, "find_spec", lambda name: None)
    with pytest.raises(LibraryMissing, match=r"pip install 'edge-runtime\[demo\]'"):
        demo("faces=1", clock)


@needs_photographs
@pytest.mark.data
@pytest.mark.skipif(cv2.__version__ < "5", reason="OpenCV 4 loads no ONNX of free size")
def test_a_face_detector_sees_the_faces_where_the_demo_says(
    data_dir: Path, clock: FakeClock
) -> None:
    model = str(data_dir / "teachers" / "yunet_s_dynamic.onnx")
    detector = cv2.FaceDetectorYN.create(model, "", (640, 480), 0.6, 0.3, 50)
    overlaps = []
    with demo("faces=3&seed=2&fps=1&frames=8", clock) as source:
        for frame in source:
            found: Any = detector.detect(frame.picture.bgr())[1]
            boxes = [Box(*map(float, row[:4])) for row in (() if found is None else found)]
            overlaps += [max(map(face.iou, boxes), default=0.0) for face in frame.truth or ()]
    assert len(overlaps) > 15
    assert min(overlaps) > 0.5
    assert np.mean(overlaps) > 0.8
