"""At most so many frames a second, evenly, whatever the camera's rhythm."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from edge_runtime.governor import FrameCap


def passed(moments: list[float], fps: float | None) -> list[float]:
    cap = FrameCap()
    return [moment for moment in moments if cap.lets(moment, fps)]


@pytest.mark.parametrize("fps", [5.0, 10.0, 15.0, 20.0])
def test_the_mean_rate_is_the_one_allowed_though_frames_jitter(fps: float) -> None:
    jitter = random.Random(3)
    moments = [i / 30 + jitter.uniform(-0.004, 0.004) for i in range(30 * 60)]
    kept = passed(moments, fps)
    assert len(kept) == pytest.approx(60 * fps, abs=2)
    gaps = [later - earlier for earlier, later in pairwise(kept)]
    assert max(gaps) < 1 / fps + 1 / 30 + 0.01


def test_without_a_limit_every_frame_passes() -> None:
    moments = [i / 30 for i in range(100)]
    assert passed(moments, None) == moments


def test_a_camera_slower_than_allowed_loses_nothing() -> None:
    moments = [i / 8 for i in range(100)]
    assert passed(moments, 10.0) == moments


def test_a_pause_is_not_made_up_for() -> None:
    moments = [i / 30 for i in range(30)] + [60 + i / 30 for i in range(30)]
    assert len([moment for moment in passed(moments, 5.0) if moment >= 60]) == 5
