"""Drawn faces with five points, each a bright dot, and a person's own pattern of brightness."""

from __future__ import annotations

import numpy as np

from edge_runtime.compress.face_sights import Points, Sight
from edge_runtime.compress.photos import photo_of

POINTS: Points = np.array([[42, 50], [72, 50], [57, 66], [44, 82], [70, 82]], np.float32)
"""In a picture of 112 px."""


def drawn_face(number: int, person: str, shift: tuple[int, int] = (0, 0)) -> Sight:
    """A dark face on grey; dots of its points; two stripes that tell people apart."""
    picture = np.full((112, 112), 114, np.uint8)
    x, y = shift
    picture[28 + y : 98 + y, 30 + x : 84 + x] = 60
    picture[36 + y : 42 + y, 34 + x : 80 + x] = 40 + 25 * (sum(person.encode()) % 8)
    points = POINTS + np.array(shift, np.float32)
    for column, row in points.astype(int):
        picture[row - 2 : row + 2, column - 2 : column + 2] = 250
    box = np.array([[57 + x, 63 + y, 54, 70]], np.float32)
    return Sight(f"faces/{number}.jpg", photo_of(picture, box), points, person)


def bright_spot(picture: np.ndarray, near: np.ndarray, reach: int = 6) -> np.ndarray:
    """The centre, x and y in pixels from the edge, of what is bright around a place."""
    left, top = np.maximum(np.round(near).astype(int) - reach, 0)
    part = picture[top : top + 2 * reach, left : left + 2 * reach].astype(float)
    weight = np.maximum(part - 150, 0) + 1e-9
    rows, columns = np.indices(part.shape) + 0.5
    centre = [(columns * weight).sum(), (rows * weight).sum()] / weight.sum()
    return np.add(centre, (left, top))
