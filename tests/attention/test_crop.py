"""Crops hold what they should, also at the picture's edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.attention.crop import crop_box, cut
from edge_runtime.imaging import PADDING, luma_of, whole_pixels
from edge_runtime.types import Box, CropSpec, Region

LUMA = CropSpec(48, 48, 1, 0.25, True)


class GradientPicture:
    """Brightness grows to the right, so a crop's columns tell where they came from."""

    width, height = 320, 240

    def bgr(self, box: Box | None = None) -> np.ndarray:
        whole = np.repeat(np.linspace(0, 255, 320)[None, :, None], 240, 0).repeat(3, 2)
        left, top, right, bottom = whole_pixels(box or Box(0, 0, 320, 240), 320, 240)
        return whole.astype(np.uint8)[top:bottom, left:right]

    def luma(self, box: Box | None = None) -> np.ndarray:
        return luma_of(np.ascontiguousarray(self.bgr(box)))


def test_the_crop_is_square_around_the_face_with_its_margin() -> None:
    assert crop_box(Box(100, 50, 40, 80), LUMA) == Box(70, 40, 100, 100)


def test_a_crop_that_need_not_be_square_keeps_the_face_aspect() -> None:
    spec = LUMA._replace(square=False)
    assert crop_box(Box(100, 50, 40, 80), spec) == Box(95, 40, 50, 100)


def test_the_pixels_are_those_of_the_place() -> None:
    crop = cut(GradientPicture(), Region(1, Box(100, 50, 80, 80), 0.9), LUMA)
    left, right = (90 / 319 * 255, 190 / 319 * 255)
    assert crop.pixels[24, 0] == pytest.approx(left, abs=3)
    assert crop.pixels[24, -1] == pytest.approx(right, abs=3)


@given(
    st.floats(-60, 300),
    st.floats(-60, 220),
    st.floats(4, 300),
    st.floats(4, 300),
    st.sampled_from([1, 3]),
)
def test_any_place_gives_a_crop_of_the_asked_size(
    x: float, y: float, w: float, h: float, channels: int
) -> None:
    spec = LUMA._replace(channels=channels)
    crop = cut(GradientPicture(), Region(1, Box(x, y, w, h), 0.9), spec)
    assert crop.pixels.shape == ((48, 48) if channels == 1 else (48, 48, 3))
    assert crop.pixels.dtype == np.uint8


def test_beyond_the_edge_is_the_grey_of_training() -> None:
    crop = cut(GradientPicture(), Region(1, Box(280, 100, 80, 80), 0.9), LUMA)
    assert crop.pixels[24, -1] == PADDING
    assert crop.pixels[24, 0] < 230


def test_colour_crops_are_rgb() -> None:
    class Red(GradientPicture):
        def bgr(self, box: Box | None = None) -> np.ndarray:
            pixels = super().bgr(box).copy()
            pixels[..., :2] = 0
            pixels[..., 2] = 200
            return pixels

    crop = cut(Red(), Region(1, Box(100, 50, 80, 80), 0.9), LUMA._replace(channels=3))
    assert crop.pixels[24, 24].tolist() == [200, 0, 0]
