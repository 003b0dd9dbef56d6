"""Where a photograph lands on a canvas: affine maps for pixels and their boxes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.compress.photos import Boxes, Luma, Photo

Affine = NDArray[np.float64]


@dataclass(frozen=True)
class Placement:
    """How a photograph is turned, stretched and moved."""

    pivot: tuple[float, float]
    """The point of the photograph (x, y in its pixels) that is laid on `target`."""
    target: tuple[float, float]
    """Where the pivot lands, in canvas pixels."""
    scale: tuple[float, float]
    """Canvas pixels per photograph pixel along the photograph's x and y; negative x mirrors."""
    angle: float = 0.0
    """Rotation in radians, applied after the stretch."""

    @property
    def affine(self) -> Affine:
        """[2, 3]: photograph pixels to canvas pixels."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag(self.scale)
        return np.hstack([linear, (np.array(self.target) - linear @ np.array(self.pivot))[:, None]])


def move_boxes(boxes: Boxes, affine: Affine) -> Boxes:
    """Centre-size boxes [n, 4] under an affine map, each taken as the ellipse it encloses.

    A face is round: the bounds of the turned ellipse stay tight where those of the turned
    rectangle would grow.
    """
    linear = affine[:, :2]
    centres = boxes[:, :2] @ linear.T + affine[:, 2]
    sizes = np.sqrt((boxes[:, 2:] ** 2) @ (linear**2).T)
    return np.hstack([centres, sizes]).astype(np.float32)


def warp(photo: Photo, affine: Affine, shape: tuple[int, int], border: int | None = None) -> Luma:
    """The photograph on a canvas (height, width); `border` is the grey outside, None its edge."""
    level = _level_for(photo, affine)
    image = photo.levels[level]
    grown = np.array([photo.image.shape[1] / image.shape[1], photo.image.shape[0] / image.shape[0]])
    # Pixel centres sit at half coordinates; cv2 counts from the centre of the first pixel.
    linear = affine[:, :2] * grown
    shift = affine[:, 2] + linear @ np.array([0.5, 0.5]) - 0.5
    matrix = np.hstack([linear, shift[:, None]])
    mode = cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT
    warped = cv2.warpAffine(
        image,
        matrix,
        shape[::-1],
        flags=cv2.INTER_LINEAR,
        borderMode=mode,
        borderValue=float(border or 0),
    )
    return np.asarray(warped, np.uint8)


def covered(photo: Photo, affine: Affine, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which canvas pixels the photograph covers."""
    height, width = photo.image.shape
    corners = (
        np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ affine[:, :2].T
        + affine[:, 2]
    )
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
    return mask.astype(bool)


def _level_for(photo: Photo, affine: Affine) -> int:
    """The pyramid level whose pixels are nearest to, but not much larger than, a canvas pixel."""
    scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    return int(np.clip(np.floor(np.log2(1.4 / max(scale, 1e-6))), 0, len(photo.levels) - 1))
