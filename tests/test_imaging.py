"""Geometry goes there and back; pixels change where they should and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import imaging
from edge_runtime.types import Box

SIZES = st.tuples(st.integers(16, 4000), st.integers(16, 4000))
BOXES = st.builds(
    Box, st.floats(-50, 4000), st.floats(-50, 4000), st.floats(1, 500), st.floats(1, 500)
)


@given(SIZES, BOXES)
def test_a_box_survives_the_way_into_the_glance_and_back(
    picture: tuple[int, int], box: Box
) -> None:
    fit = imaging.letterbox_fit(picture, (160, 120))
    assert fit.to_picture(fit.to_input(box)) == pytest.approx(box, rel=1e-6, abs=1e-6)


@given(SIZES)
def test_the_whole_picture_lands_inside_the_glance(picture: tuple[int, int]) -> None:
    fit = imaging.letterbox_fit(picture, (160, 120))
    inside = fit.to_input(Box(0, 0, *picture))
    assert inside.x >= 0
    assert inside.y >= 0
    assert inside.right <= 160 + 1e-6
    assert inside.bottom <= 120 + 1e-6
    assert max(inside.w / 160, inside.h / 120) == pytest.approx(1)


def test_a_strip_of_a_picture_stays_a_pixel_wide() -> None:
    assert imaging.letterbox_fit((16, 4000), (160, 120)).scale_x == 1 / 16


def test_a_wide_picture_gets_bars_above_and_below() -> None:
    out = np.zeros((120, 160), np.uint8)
    imaging.letterbox(np.full((270, 480), 200, np.uint8), (480, 270), out)
    assert (out[:15] == imaging.PADDING).all()
    assert (out[-15:] == imaging.PADDING).all()
    assert (out[15:105] == 200).all()


def test_a_squeezed_small_stream_is_unsqueezed() -> None:
    # The camera's 4:3 stream shows a 16:9 view: the glance must show 16:9 again.
    out = np.zeros((120, 160), np.uint8)
    fit = imaging.letterbox(np.full((240, 320), 200, np.uint8), (1536, 864), out)
    assert (out == 200).sum() == 160 * 90
    assert fit.to_picture(Box(0, 15, 160, 90)) == pytest.approx((0, 0, 1536, 864))


def test_letterbox_writes_every_pixel() -> None:
    out = np.full((120, 160), 7, np.uint8)
    imaging.letterbox(np.full((480, 640), 200, np.uint8), (640, 480), out)
    assert (out == 200).all()


@given(BOXES)
def test_whole_pixels_hold_the_box_and_stay_inside(box: Box) -> None:
    left, top, right, bottom = imaging.whole_pixels(box, 640, 480)
    assert 0 <= left <= right <= 640
    assert 0 <= top <= bottom <= 480
    inside = box.clipped(640, 480)
    if inside.area:
        assert left <= inside.x
        assert right >= inside.right
        assert top <= inside.y
        assert bottom >= inside.bottom


def test_pixelation_hides_the_face_and_touches_nothing_else() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (100, 100, 3), np.uint8)
    before = picture.copy()
    imaging.pixelate(picture, [Box(20, 30, 40, 40)], blocks=8)
    face = picture[30:70, 20:60]
    assert len(np.unique(face.reshape(-1, 3), axis=0)) <= 64
    outside = np.ones((100, 100), bool)
    outside[30:70, 20:60] = False
    np.testing.assert_array_equal(picture[outside], before[outside])


def test_pixelation_of_a_face_outside_the_picture_does_nothing() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    imaging.pixelate(picture, [Box(200, 200, 40, 40)])
    assert not picture.any()


def test_an_empty_region_has_no_brightness() -> None:
    assert imaging.luma_of(np.empty((0, 5, 3), np.uint8)).shape == (0, 5)
