"""Crops for classifiers follow the runtime's contract."""

from __future__ import annotations

import cv2
import numpy as np

from edge_runtime.compress.face_crops import MARGIN, plain_crop, random_crop
from edge_runtime.compress.photos import Photo, photo_of


def photo() -> Photo:
    image = np.zeros((112, 112), np.uint8)
    cv2.rectangle(image, (36, 26), (75, 85), 200, -1)  # a face of 40 x 60 pixels
    return photo_of(image, np.array([[56, 56, 40, 60]], np.float32))


def test_the_crop_is_the_larger_side_and_its_margin() -> None:
    crop = plain_crop(photo(), 48)
    scale = 48 / (60 * (1 + MARGIN))
    rows, columns = np.nonzero(crop > 100)
    assert abs(np.ptp(rows) + 1 - 60 * scale) <= 1.5
    assert abs(np.ptp(columns) + 1 - 40 * scale) <= 1.5
    assert abs(columns.mean() - 23.5) < 0.6


def test_random_crops_differ_and_repeat_with_their_seed() -> None:
    face = photo()
    one, two = (random_crop(face, 48, np.random.default_rng(seed)) for seed in (1, 2))
    again = random_crop(face, 48, np.random.default_rng(1))
    assert one.shape == (48, 48)
    assert not np.array_equal(one, two)
    assert np.array_equal(one, again)
