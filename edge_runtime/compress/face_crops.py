"""Training crops for face classifiers: squares as the runtime will cut them, and worse."""

from __future__ import annotations

import cv2
import numpy as np

from edge_runtime.compress.distortion import Random, blur, darken, grain, recompress, relight, shade
from edge_runtime.compress.photos import Luma, Photo
from edge_runtime.compress.placement import Placement, warp

MARGIN = 0.2
"""Share of the box's larger side added around it in all; part of the model's contract."""
PADDING = 114
SPOILERS = (
    (0.2, shade),
    (0.12, blur),
    (0.7, relight),
    (0.03, darken),
    (0.2, grain),
    (0.12, recompress),
)
"""How often each happens: a crop has few pixels, and a smile is in few of them."""


def plain_crop(photo: Photo, side: int) -> Luma:
    """The crop exactly as the contract says."""
    return turned_crop(photo, side, 0.0, 1)


def turned_crop(photo: Photo, side: int, angle: float, flip: int) -> Luma:
    """The crop turned by an angle in radians; ``flip`` -1 mirrors it."""
    return _cut(photo, side, (0.0, 0.0), 1.0, angle, flip)


def random_crop(photo: Photo, side: int, rng: Random) -> Luma:
    """A crop as a worse detector, a worse camera and a moving head would give it."""
    shift = (rng.uniform(-0.08, 0.08), rng.uniform(-0.08, 0.08))
    angle = rng.normal(0, np.radians(7))
    # A far face has few pixels: cut it small, then enlarge.
    taken = side if rng.random() < 0.65 else int(rng.integers(20, side))
    grow = float(np.exp(rng.uniform(-0.12, 0.12)))
    crop = _cut(photo, taken, shift, grow, float(angle), 1 if rng.random() < 0.5 else -1)
    if taken != side:
        crop = np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    return _spoil(crop, rng)


def _cut(
    photo: Photo, side: int, shift: tuple[float, float], grow: float, angle: float, flip: int
) -> Luma:
    x, y, w, h = (float(v) for v in photo.faces[0])
    size = max(w, h) * (1 + MARGIN) * grow
    pivot = (x + shift[0] * max(w, h), y + shift[1] * max(w, h))
    place = Placement(pivot, (side / 2, side / 2), (flip * side / size, side / size), angle)
    return warp(photo, place.affine, (side, side), PADDING)


def _spoil(crop: Luma, rng: Random) -> Luma:
    for chance, change in SPOILERS:
        if rng.random() < chance:
            crop = change(crop, rng)
    if rng.random() < 0.15:
        crop = crop.copy()
        size, left, top = rng.integers(6, 16, 2), *rng.integers(0, crop.shape[0] - 6, 2)
        crop[top : top + size[0], left : left + size[1]] = rng.integers(0, 256)
    return crop
