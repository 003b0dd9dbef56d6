"""Training crops for face classifiers: squares as the runtime will cut them, and worse."""

from __future__ import annotations

import cv2
import numpy as np

from edge_runtime.compress.distortion import Random, blur, darken, grain, recompress, relight, shade
from edge_runtime.compress.photos import Luma, Photo
from edge_runtime.compress.placement import Affine, Placement, warp

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
    return random_view(photo, side, rng)[0]


def random_view(photo: Photo, side: int, rng: Random, reach: float = 1.0) -> tuple[Luma, Affine]:
    """A crop as ``random_crop`` gives it, and the map from the photo's pixels to the crop's.

    ``reach``: how far the detector is off, 1 for a usual one.
    """
    shift = (rng.uniform(-0.08, 0.08) * reach, rng.uniform(-0.08, 0.08) * reach)
    angle = rng.normal(0, np.radians(7))
    # A far face has few pixels: cut it small, then enlarge.
    taken = side if rng.random() < 0.65 else int(rng.integers(20, side))
    grow = float(np.exp(rng.uniform(-0.12, 0.12) * reach))
    flip = 1 if rng.random() < 0.5 else -1
    place = _placed(photo, taken, shift, grow, float(angle), flip)
    crop = warp(photo, place.affine, (taken, taken), PADDING)
    if taken != side:
        crop = np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    return _spoil(crop, rng), place.affine * (side / taken)


def plain_affine(photo: Photo, side: int) -> Affine:
    """The map from the photo's pixels to those of ``plain_crop``."""
    return _placed(photo, side, (0.0, 0.0), 1.0, 0.0, 1).affine


def _cut(
    photo: Photo, side: int, shift: tuple[float, float], grow: float, angle: float, flip: int
) -> Luma:
    place = _placed(photo, side, shift, grow, angle, flip)
    return warp(photo, place.affine, (side, side), PADDING)


def _placed(
    photo: Photo, side: int, shift: tuple[float, float], grow: float, angle: float, flip: int
) -> Placement:
    x, y, w, h = (float(v) for v in photo.faces[0])
    size = max(w, h) * (1 + MARGIN) * grow
    pivot = (x + shift[0] * max(w, h), y + shift[1] * max(w, h))
    return Placement(pivot, (side / 2, side / 2), (flip * side / size, side / size), angle)


def _spoil(crop: Luma, rng: Random) -> Luma:
    for chance, change in SPOILERS:
        if rng.random() < chance:
            crop = change(crop, rng)
    if rng.random() < 0.15:
        crop = crop.copy()
        size, left, top = rng.integers(6, 16, 2), *rng.integers(0, crop.shape[0] - 6, 2)
        crop[top : top + size[0], left : left + size[1]] = rng.integers(0, 256)
    return crop
