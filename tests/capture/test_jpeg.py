"""JPEG: shrinking decode, luma without chroma, damaged data refused in one sentence."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime import jpeg
from edge_runtime.errors import PictureDamaged
from edge_runtime.types import Bgr


def scene(width: int, height: int) -> Bgr:
    """Smooth colours, so that JPEG's own loss stays small."""
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.dstack([across, down, (across + down) / 2]).astype(np.uint8)


@pytest.fixture(scope="module")
def whole() -> bytes:
    noise = np.random.default_rng(1).integers(0, 60, (480, 640, 3), np.uint8)
    return jpeg.encode(scene(640, 480) // 2 + noise, quality=90)


def without_huffman_tables(data: bytes) -> bytes:
    """As motion-JPEG cameras send it: the standard tables are taken for granted."""
    while (at := data.find(b"\xff\xc4")) >= 0:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        data = data[:at] + data[at + 2 + length :]
    return data


def test_a_picture_survives_encoding_and_decoding() -> None:
    picture = scene(320, 240)
    assert cv2.PSNR(jpeg.decode_bgr(jpeg.encode(picture, quality=95)), picture) > 35


def test_a_lower_quality_makes_fewer_bytes() -> None:
    picture = scene(320, 240)
    assert len(jpeg.encode(picture, quality=30)) < len(jpeg.encode(picture, quality=95))


def test_a_view_into_a_larger_picture_is_encoded_as_what_it_shows() -> None:
    view = scene(320, 240)[20:120, 40:200]
    assert jpeg.size(jpeg.encode(view)) == (160, 100)


def test_luma_is_the_brightness_of_the_picture() -> None:
    picture = scene(320, 240)
    luma = jpeg.decode_luma(jpeg.encode(picture, quality=95))
    assert luma.dtype == np.uint8
    assert luma.flags.c_contiguous
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    assert cv2.PSNR(luma, grey) > 38


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 700), st.integers(1, 500))
def test_the_shrinking_decode_is_never_below_what_was_asked(width: int, height: int) -> None:
    data = jpeg.encode(scene(640, 480))
    luma = jpeg.decode_luma(data, at_least=(width, height))
    assert luma.shape[1] >= min(width, 640)
    assert luma.shape[0] >= min(height, 480)


def test_half_size_is_really_half_size(whole: bytes) -> None:
    assert jpeg.decode_luma(whole, at_least=(320, 240)).shape == (240, 320)


def test_size_reads_the_header_alone(whole: bytes) -> None:
    assert jpeg.size(whole) == (640, 480)
    assert jpeg.size(whole[: len(whole) // 2]) == (640, 480)


@pytest.mark.parametrize("tail", [bytes(500), b"\xff\xd9", b"rubbish" * 30])
def test_bytes_after_the_end_do_not_matter(whole: bytes, tail: bytes) -> None:
    assert np.array_equal(jpeg.decode_luma(whole + tail), jpeg.decode_luma(whole))


def test_stray_bytes_before_the_end_marker_are_tolerated(whole: bytes) -> None:
    stray = whole[:-2] + b"\x00" * 9 + whole[-2:]
    assert np.array_equal(jpeg.decode_bgr(stray), jpeg.decode_bgr(whole))


def test_motion_jpeg_without_huffman_tables_is_decoded() -> None:
    data = jpeg.encode(scene(320, 240))
    assert np.array_equal(jpeg.decode_luma(without_huffman_tables(data)), jpeg.decode_luma(data))


@pytest.mark.parametrize("keep", [0, 2, 100, 0.3, 0.9])
def test_truncated_data_is_refused(whole: bytes, keep: float) -> None:
    cut = whole[: int(keep if keep > 1 else keep * len(whole))]
    for decode in (jpeg.decode_luma, jpeg.decode_bgr):
        with pytest.raises(PictureDamaged, match=f"a JPEG of {len(cut)} bytes cannot be decoded"):
            decode(cut)


def test_what_is_no_jpeg_has_no_size() -> None:
    with pytest.raises(PictureDamaged, match="no JPEG"):
        jpeg.size(b"\x89PNG\r\n\x1a\n" + bytes(100))
