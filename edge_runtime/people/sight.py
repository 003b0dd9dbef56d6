"""One look at a face, for recognition: its vector, and how much the look can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from edge_runtime import imaging
from edge_runtime.people.layout import Points, Similarity, misfit
from edge_runtime.types import Luma

Vector = npt.NDArray[np.float32]
"""(size,), of length 1."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What a look at a face shows of it."""

    eyes_px: float
    """Distance of the eyes in the picture."""
    sharpness: float
    """Variance of the Laplacian of the laid-out face, grey levels squared."""
    yaw: float
    """Where the nose's tip is between the eyes: 0 in the middle, 0.5 under an eye (turned away);
    above 0 towards the picture's right."""
    pitch: float
    """Where it is between eyes (0) and mouth (1)."""
    misfit: float
    """Of the points to an upright face, in distances of the eyes: the hidden is guessed badly."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at a face."""

    quality: Quality
    vector: Vector | None = None
    """None where it does not count: then the model was not asked."""
    hindrance: str | None = None
    """Why it does not count; None when it does."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a look must show to count. What is known of the defaults: docs/known-faces.md."""

    eyes_px: float = 14.0
    sharpness: float = 60.0
    yaw: float = 0.35
    lowest_pitch: float = 0.2
    highest_pitch: float = 0.85
    misfit: float = 0.22

    def hindrance(self, quality: Quality) -> str | None:
        """The first thing that is wrong, in words that may follow "the face is"."""
        if quality.eyes_px < self.eyes_px:
            return "too small"
        if quality.sharpness < self.sharpness:
            return "blurred or too dark"
        if abs(quality.yaw) > self.yaw:
            return "turned away"
        if not self.lowest_pitch <= quality.pitch <= self.highest_pitch:
            return "looking up or down"
        if quality.misfit > self.misfit:
            return "partly hidden"
        return None


USUAL: Final = Gate()


def quality_of(points: Points, places: Points, fit: Similarity, face: Luma) -> Quality:
    """What a look shows: ``face`` is laid out by ``fit`` so that ``points`` meet ``places``."""
    yaw, pitch = _direction(points)
    eyes_px = float(np.hypot(*(points[1] - points[0])))
    return Quality(eyes_px, imaging.sharpness(face), yaw, pitch, misfit(points, places, fit))


def _direction(points: Points) -> tuple[float, float]:
    """Yaw and pitch as ``Quality`` has them: the nose in the coordinates of eyes and mouth.

    They do not change when a flat picture of the face is turned, for that shrinks all of it alike:
    only a head in the round moves its nose before its eyes.
    """
    left, right, nose, mouth_left, mouth_right = points
    eyes, mouth = (left + right) / 2, (mouth_left + mouth_right) / 2
    axes = np.stack([right - left, mouth - eyes], axis=1)
    if abs(np.linalg.det(axes)) < 1e-6:
        return 1.0, 0.5  # eyes and mouth in one line: nobody's face
    across, down = np.linalg.solve(axes, nose - eyes)
    return float(across), float(down)
