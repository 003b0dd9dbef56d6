"""Lays a face where `face-id` expects it: the part of its contract that is about cutting."""

from __future__ import annotations

import numpy as np

from edge_runtime.compress.face_crops import PADDING
from edge_runtime.compress.face_sights import Points
from edge_runtime.compress.photos import Luma, Photo
from edge_runtime.compress.placement import Affine, warp

PLACES = np.array(
    [(0.3156, 0.4616), (0.6826, 0.4616), (0.5003, 0.6405), (0.3495, 0.8247), (0.6534, 0.8233)]
)
"""Where the five points go, as shares of the crop's side: where the teacher has them."""


def similarity(points: Points, places: Affine) -> Affine:
    """[2, 3]: the turn, one scale and shift that bring points [n, 2] nearest to places [n, 2].

    Least squares (Umeyama, IEEE PAMI 13, 1991, equations 40 to 42, for two dimensions).
    """
    from_, to = points.mean(0), places.mean(0)
    here, there = points - from_, places - to
    along = float((here * there).sum())
    across = float((here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0]).sum())
    linear = np.array([[along, -across], [across, along]]) / float((here**2).sum())
    return np.hstack([linear, (to - linear @ from_)[:, None]])


def aligned(photo: Photo, points: Points, side: int) -> Luma:
    """The face [side, side] with its points in their places, grey 114 beyond the picture."""
    return warp(photo, similarity(points, PLACES * side), (side, side), PADDING)
