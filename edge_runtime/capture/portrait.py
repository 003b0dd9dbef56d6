"""A head cut out of a photograph, and put into another at any size and place."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edge_runtime.types import Bgr, Box

PHOTOGRAPH: Final = "astronaut.png"

# Where face detectors see the face in that photograph (512x512): the median of YuNet n and s at
# input sizes 256, 320, 384, 512 and 640, whose boxes agree within 4 pixels at the sides.
_FACE: Final = Box(179.7, 62.6, 90.9, 112.1)

# Hair, face and some neck: centre and half-axes of the ellipse that is cut out.
_CENTRE: Final = (227.0, 104.0)
_AXES: Final = (80.0, 100.0)
_SOFT: Final = 8
"""Width of the soft edge, pixels of the photograph."""


class Level(NamedTuple):
    """The head at one scale: colour already multiplied by how much it covers."""

    scale: float
    colour: Bgr
    open: npt.NDArray[np.uint8]
    """How much of what lies behind shines through, 0 to 255, one value per channel."""


class Portrait:
    """A head that can be pasted. ``aspect`` is the height of its face over its width."""

    aspect: Final = _FACE.h / _FACE.w

    def __init__(
        self, photograph: Bgr, *, mirrored: bool, tint: tuple[float, float, float]
    ) -> None:
        """``tint`` multiplies blue, green and red: another lamp, another skin."""
        left, top = int(_CENTRE[0] - _AXES[0]) - _SOFT, int(_CENTRE[1] - _AXES[1]) - _SOFT
        width, height = 2 * (int(_AXES[0]) + _SOFT), 2 * (int(_AXES[1]) + _SOFT)
        left, top = max(left, 0), max(top, 0)
        head = photograph[top : top + height, left : left + width].astype(np.float32)
        cover = _ellipse(head.shape[1], head.shape[0], _CENTRE[0] - left, _CENTRE[1] - top)
        self._face = Box(_FACE.x - left, _FACE.y - top, _FACE.w, _FACE.h)
        if mirrored:
            head, cover = head[:, ::-1], cover[:, ::-1]
            self._face = self._face._replace(x=head.shape[1] - self._face.right)
        lit = np.clip(head * np.array(tint, np.float32), 0, 255) * cover
        self._levels = _levels(lit.astype(np.uint8), (255 * (1 - cover)).astype(np.uint8))

    def paste(self, picture: Bgr, face: Box) -> None:
        """Put the head into ``picture``, in place, so that its face lies at ``face``."""
        scale = face.w / self._face.w
        # The smallest level that need not be enlarged, else the largest there is.
        level = min(self._levels, key=lambda one: (one.scale < scale, abs(one.scale - scale)))
        height, width = level.colour.shape[:2]
        zoom = scale / level.scale
        left, top = face.x - self._face.x * scale, face.y - self._face.y * scale
        x0, y0 = max(int(np.floor(left)), 0), max(int(np.floor(top)), 0)
        x1 = min(int(np.ceil(left + width * zoom)), picture.shape[1])
        y1 = min(int(np.ceil(top + height * zoom)), picture.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        move = np.array([[zoom, 0, left - x0], [0, zoom, top - y0]], np.float32)
        _blend(picture[y0:y1, x0:x1], level, move)


def _blend(behind: Bgr, level: Level, move: npt.NDArray[np.float32]) -> None:
    size = behind.shape[1], behind.shape[0]
    colour = cv2.warpAffine(level.colour, move, size)
    through = cv2.warpAffine(level.open, move, size, borderValue=(255, 255, 255))
    cv2.multiply(behind, through, dst=behind, scale=1 / 255)
    cv2.add(behind, colour, dst=behind)


def _ellipse(width: int, height: int, x: float, y: float) -> npt.NDArray[np.float32]:
    across = (np.arange(width) - x) / _AXES[0]
    down = (np.arange(height) - y) / _AXES[1]
    distance = np.hypot(across[None, :], down[:, None])
    edge = _SOFT / min(_AXES)
    cover = np.clip((1 - distance) / edge, 0, 1)
    return np.asarray(cover[..., None], np.float32)


def _levels(colour: Bgr, through: Bgr) -> tuple[Level, ...]:
    """Full, half and quarter size: shrinking by more than two at once would alias."""
    levels = [Level(1.0, colour, np.repeat(through, 3, axis=2))]
    for _ in range(2):
        last = levels[-1]
        half = last.colour.shape[1] // 2, last.colour.shape[0] // 2
        levels.append(
            Level(
                last.scale / 2,
                np.asarray(cv2.resize(last.colour, half, interpolation=cv2.INTER_AREA)),
                np.asarray(cv2.resize(last.open, half, interpolation=cv2.INTER_AREA)),
            )
        )
    return tuple(levels)
