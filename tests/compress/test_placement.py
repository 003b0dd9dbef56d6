"""Boxes follow pixels: what is true of a warped picture is true of the warped box."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from edge_runtime.compress.photos import Photo, centred, pyramid
from edge_runtime.compress.placement import Placement, covered, move_boxes, warp

CANVAS = (120, 160)


def disc_photo() -> Photo:
    """A bright ellipse on black, and the box around it."""
    image = np.zeros((200, 240), np.uint8)
    cv2.ellipse(image, (100, 80), (30, 40), 0, 0, 360, 255, -1)
    box = np.array([[100.5, 80.5, 61, 81]], np.float32)
    return Photo(pyramid(image), box, np.zeros((0, 4), np.float32))


@pytest.mark.parametrize("angle", [0.0, 0.4, -0.7, math.pi / 2])
@pytest.mark.parametrize("scale", [(0.4, 0.4), (-0.9, 0.9), (0.3, 0.5), (0.2, 0.2)])
def test_the_moved_box_bounds_the_moved_pixels(angle: float, scale: tuple[float, float]) -> None:
    photo = disc_photo()
    place = Placement((100.5, 80.5), (80.0, 60.0), scale, angle)
    rows, columns = np.nonzero(warp(photo, place.affine, CANVAS, 0) > 127)
    seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    x, y, w, h = move_boxes(photo.faces, place.affine)[0]
    assert (x - w / 2, y - h / 2, x + w / 2, y + h / 2) == pytest.approx(seen, abs=1.6)


def test_covered_is_where_the_picture_landed() -> None:
    photo = disc_photo()
    place = Placement((120.0, 100.0), (80.0, 60.0), (0.25, 0.25))
    where = covered(photo, place.affine, CANVAS)
    assert where[60, 80]
    assert not where[0, 0]
    assert where.sum() == pytest.approx(60 * 50, rel=0.05)


def test_centred_boxes_keep_their_middle() -> None:
    assert centred([[10, 20, 4, 6]]).tolist() == [[12, 23, 4, 6]]
