"""How a face lies in the picture: five points, and the similarity that lays them out.

The similarity (rotation, one scale, shift) that brings points z_i nearest to their places w_i, both
written as complex numbers around their means, is w = a z with

    a = sum(conj(z_i) w_i) / sum(|z_i|^2)

which is Umeyama's solution for the plane without reflection ("Least-squares estimation of
transformation parameters between two point patterns", PAMI 1991).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime import imaging
from edge_runtime.types import Box, Luma, Picture

Points = npt.NDArray[np.float64]
"""(5, 2) x and y in pixels of the picture, a pixel's centre at a half: the eye on the picture's
left, the one on its right, the tip of the nose, the mouth's left and right corner."""

FROM_ABOVE: Final = 2.0
"""A face is brought down to at most so many pixels for one of the crop before it is turned:
beyond, bilinear reading skips pixels."""

SMALLEST_SCALE: Final = 1e-3


class Similarity(NamedTuple):
    """Picture to crop: (x, y) -> scale * rotation * (x, y) + shift."""

    turn: complex
    """Scale and rotation."""
    shift: complex

    def matrix(self) -> npt.NDArray[np.float64]:
        """(2, 3), for coordinates whose pixels' centres are at a half."""
        a, b = self.turn, self.shift
        return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])

    def back(self, point: complex) -> complex:
        """From the crop to the picture."""
        return (point - self.shift) / self.turn


def similarity(points: Points, places: Points) -> Similarity:
    """What brings ``points`` nearest to ``places`` (n, 2)."""
    z, w = points[:, 0] + 1j * points[:, 1], places[:, 0] + 1j * places[:, 1]
    z_mean, w_mean = z.mean(), w.mean()
    z, w = z - z_mean, w - w_mean
    spread = float((np.abs(z) ** 2).sum())
    turn = complex((np.conj(z) * w).sum() / spread) if spread > 0 else 0j
    return Similarity(turn, complex(w_mean - turn * z_mean))


def misfit(points: Points, places: Points, fit: Similarity) -> float:
    """How far laid-out points lie from their places: root mean square, in distances of the eyes."""
    z, w = points[:, 0] + 1j * points[:, 1], places[:, 0] + 1j * places[:, 1]
    apart = np.abs(fit.turn * z + fit.shift - w)
    return float(np.sqrt((apart**2).mean()) / abs(w[1] - w[0]))


def laid_out(picture: Picture, fit: Similarity, side: int) -> Luma:
    """The face as the similarity lays it out: (side, side) luma; reads only that part of the
    picture. Outside the picture it is the grey that models were trained with.
    """
    out = np.full((side, side), imaging.PADDING, np.uint8)
    if abs(fit.turn) < SMALLEST_SCALE:
        return out
    corners = [fit.back(complex(x, y)) for x in (0, side) for y in (0, side)]
    left, right = min(c.real for c in corners), max(c.real for c in corners)
    top, bottom = min(c.imag for c in corners), max(c.imag for c in corners)
    around = imaging.whole_pixels(
        Box(left - 1, top - 1, right - left + 2, bottom - top + 2), picture.width, picture.height
    )
    left, top, right, bottom = around
    if right <= left or bottom <= top:
        return out
    pixels = picture.luma(Box(left, top, right - left, bottom - top))
    smaller = max(1.0, 1 / abs(fit.turn) / FROM_ABOVE)
    if smaller > 1:
        size = (math.ceil(pixels.shape[1] / smaller), math.ceil(pixels.shape[0] / smaller))
        reduced = np.empty((size[1], size[0]), np.uint8)
        imaging.resize_by_area(pixels, reduced)
    else:
        reduced = pixels
    # Crop from the reduced part: first to pixels of the picture, then as the similarity says.
    scale_x, scale_y = pixels.shape[1] / reduced.shape[1], pixels.shape[0] / reduced.shape[0]
    to_picture = np.array([[scale_x, 0, left], [0, scale_y, top], [0, 0, 1]])
    imaging.warp(reduced, fit.matrix() @ to_picture, out)
    return out
