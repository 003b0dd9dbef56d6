"""The small plane: never above 320x240, aspect kept, brightness kept."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import jpeg
from edge_runtime.capture.glance import glance_of_bgr, glance_of_jpeg, glance_size, shrunk
from tests.capture.recordings import scene

SIDES = st.integers(16, 4000)


@given(SIDES, SIDES)
def test_the_aspect_is_kept_within_half_a_pixel(width: int, height: int) -> None:
    small = glance_size(width, height)
    assert small[0] <= 320
    assert small[1] <= 240
    scale = min(320 / width, 240 / height, 1)
    assert abs(small[0] - max(width * scale, 1)) <= 0.5
    assert abs(small[1] - max(height * scale, 1)) <= 0.5


def test_a_small_picture_stays_as_it_is() -> None:
    assert glance_size(160, 120) == (160, 120)


@given(st.integers(20, 900), st.integers(20, 700))
def test_shrinking_keeps_the_brightness(width: int, height: int) -> None:
    small = glance_size(width, height)
    luma = scene(width, height)[..., 1]
    assert shrunk(luma, *small).shape == small[::-1]
    assert abs(float(shrunk(luma, *small).mean()) - float(luma.mean())) < 6


def test_jpeg_and_colour_agree() -> None:
    picture = scene(800, 600)
    compressed = glance_of_jpeg(jpeg.encode(picture, quality=95), 800, 600)
    assert compressed.shape == (240, 320)
    assert np.abs(compressed.astype(int) - glance_of_bgr(picture)).mean() < 2
