"""A large detector (YuNet, Apache-2.0) that labels pictures which came without face boxes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.compress.photos import Boxes

TEACHER = "teachers/yunet_n_dynamic.onnx"
LONG_SIDE_PX = 320
SURE_FACE = 0.5
"""A score from which on something is taken for a face."""
CACHE = Path("build/teacher")
"""Where to keep what it said: looking at 20,000 pictures takes minutes."""


class YunetTeacher:
    """Finds faces at high resolution; far too heavy for the device, exact enough to learn from."""

    def __init__(
        self, data: Path, lowest_score: float = 0.3, long_side_px: int = LONG_SIDE_PX
    ) -> None:
        self._long_side_px = long_side_px
        self._net = cv2.FaceDetectorYN.create(
            str(data / TEACHER), "", (long_side_px, long_side_px), lowest_score
        )

    def find(self, picture: NDArray[np.uint8]) -> Boxes:
        """[n, 5]: centre x, centre y, width, height in pixels of the BGR picture, and the score."""
        return self.find_points(picture)[0]

    def find_points(self, picture: NDArray[np.uint8]) -> tuple[Boxes, NDArray[np.float32]]:
        """The boxes of ``find``, and each face's five points [n, 5, 2] in pixels of the picture.

        Both eyes, the nose, both corners of the mouth; the picture's left before its right.
        """
        scale = self._long_side_px / max(picture.shape[:2])
        grown = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        self._net.setInputSize((grown.shape[1], grown.shape[0]))
        found: Any = self._net.detect(grown)[1]
        if found is None:
            found = np.zeros((0, 15), np.float32)
        boxes = np.concatenate([found[:, :4] / scale, found[:, 14:15]], axis=1)
        boxes[:, :2] += boxes[:, 2:4] / 2
        points = found[:, 4:14].reshape(-1, 5, 2) / scale
        return np.asarray(boxes, np.float32), np.asarray(points, np.float32)


def label_all(data: Path, files: Iterable[str], cache: Path) -> dict[str, Boxes]:
    """The teacher's boxes by file name (relative to `data`), computed once, kept in `cache`."""
    if cache.exists():
        with np.load(cache) as kept:
            return {name: kept[name] for name in kept.files}
    teacher = YunetTeacher(data)
    labels = {name: teacher.find(read_colour(data / name)) for name in files}
    cache.parent.mkdir(parents=True, exist_ok=True)
    with cache.open("wb") as out:
        np.savez_compressed(out, allow_pickle=False, **labels)
    return labels


def read_colour(path: Path) -> NDArray[np.uint8]:
    """A picture file as blue, green and red bytes. Raises FileNotFoundError."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(f"not a readable picture: {path}")
    return np.asarray(picture, np.uint8)
