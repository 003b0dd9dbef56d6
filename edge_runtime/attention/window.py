"""What the detector is shown: windows of a picture, and the pyramid of tiles that covers it.

A window has the detector's own aspect, so that one resize brings it into the input. The glance is
the window around the whole picture; level k of the pyramid has windows of half its size k times.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from edge_runtime import imaging
from edge_runtime.attention.overlap import Boxes, shared_areas
from edge_runtime.types import Box, Frame, Luma

LEGIBLE_PX: Final = 10.0
"""Of the input: from here on most faces are found. Below, many are missed (the model's card)."""

BEST_PX: Final = 28.0
"""Of the input: how large a fovea shows its face. Large enough for a tight box, small enough to
leave room for a face that moves."""

LARGEST_PX: Final = 90.0
"""Of the input: larger faces the detector was not trained on."""

OVERLAP: Final = 0.25
"""Of neighbouring tiles: a face up to this share of a window is whole in one of them."""

ENLARGED: Final = 1.34
"""Windows are not enlarged more: beyond a third, more pixels do not mean more to see."""


def glance_window(picture: tuple[int, int], view: tuple[int, int]) -> Box:
    """The smallest window of the aspect of ``view`` around a picture; both (width, height)."""
    scale = max(picture[0] / view[0], picture[1] / view[1])
    width, height = view[0] * scale, view[1] * scale
    return Box((picture[0] - width) / 2, (picture[1] - height) / 2, width, height)


def pyramid(picture: tuple[int, int], view: tuple[int, int], smallest_px: float) -> Boxes:
    """Tiles (n, 4) on every level below the glance, coarse ones first.

    The finest level is the first on which a face of ``smallest_px`` picture pixels is legible, or
    on which a pixel of the picture is one of the input (``view``: its width and height).
    """
    glance = glance_window(picture, view)
    levels: list[Boxes] = []
    width, height = glance.w, glance.h
    while width * LEGIBLE_PX > smallest_px * view[0] and width / 2 * ENLARGED >= view[0]:
        width, height = width / 2, height / 2
        levels.append(_level(picture, width, height))
    return np.concatenate(levels) if levels else np.empty((0, 4), np.float32)


def _level(picture: tuple[int, int], width: float, height: float) -> Boxes:
    lefts, across = _spread(picture[0], width)
    tops, down = _spread(picture[1], height)
    rows = [(left, top, across, down) for top in tops for left in lefts]
    return np.array(rows, np.float32)


def _spread(length: float, window: float) -> tuple[list[float], float]:
    """Evenly spread starts of windows over a length, and the part of a window that lies in it."""
    if window >= length:
        return [0.0], length
    count = math.ceil((length - window) / (window * (1 - OVERLAP)) - 1e-6) + 1
    return [i * (length - window) / (count - 1) for i in range(count)], window


def fovea(face: Box, picture: tuple[int, int], view: tuple[int, int]) -> Box:
    """The window that shows ``face`` at BEST_PX of the input, moved inside the picture."""
    least = view[0] / ENLARGED
    width = max(max(face.w, face.h) * view[0] / BEST_PX, least)
    height = width * view[1] / view[0]
    width, height = min(width, picture[0]), min(height, picture[1])
    x, y = face.centre
    left = min(max(x - width / 2, 0.0), picture[0] - width)
    top = min(max(y - height / 2, 0.0), picture[1] - height)
    return Box(left, top, width, height)


def show(frame: Frame, window: Box, out: Luma) -> imaging.Fit:
    """Cut ``window`` out of a frame's luma into ``out`` (height, width); says how it was fitted.

    The small plane serves as long as it has a pixel for each of ``out``; finer windows read the
    full picture, there and nowhere else.
    """
    picture = frame.picture
    down, across = frame.luma.shape
    scale_x, scale_y = across / picture.width, down / picture.height
    if scale_x < 1 and window.w * scale_x * ENLARGED < out.shape[1]:
        left, top, right, bottom = imaging.whole_pixels(window, picture.width, picture.height)
        region = Box(left, top, right - left, bottom - top)
        pixels = picture.luma(region)
    else:
        small = Box(window.x * scale_x, window.y * scale_y, window.w * scale_x, window.h * scale_y)
        left, top, right, bottom = imaging.whole_pixels(small, across, down)
        pixels = frame.luma[top:bottom, left:right]
        region = Box(
            left / scale_x, top / scale_y, (right - left) / scale_x, (bottom - top) / scale_y
        )
    return imaging.letterbox(pixels, (region.w, region.h), out).moved(region.x, region.y)


class Views:
    """Some windows of a picture, and what the detector would see in each."""

    def __init__(self, windows: Boxes, view_width: int) -> None:
        """``windows`` (n, 4) are of the aspect of an input ``view_width`` pixels wide."""
        self.windows = windows
        left, top, width, height = windows.T.copy()[:, :, None]
        self._start, self._end = (left, top), (left + width, top + height)
        self._scale = np.float32(view_width) / width

    def __len__(self) -> int:
        return len(self.windows)

    def fitness(self, faces: Boxes) -> npt.NDArray[np.float32]:
        """How well each window (n) shows each face (m), 0 to 1: (n, m).

        1 at BEST_PX of the input, 0.6 at half and at twice of it; 0 for faces that are cut, too
        small to be found or too large.
        """
        sides = self._sides(faces)
        octaves = np.log2(np.maximum(sides, 1e-6) / BEST_PX)
        return np.asarray(np.exp(octaves * octaves * -0.5) * self._shown(faces, sides))

    def shown(self, faces: Boxes) -> npt.NDArray[np.bool_]:
        """Which windows (n) show which faces (m) with a fitness above 0: (n, m)."""
        return self._shown(faces, self._sides(faces))

    def within(self, window: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Which windows another, (4,), shows as well as a look of their own would: nearly all of
        them, at nearly their scale. (n,).
        """
        shared = shared_areas(self.windows, window[None])[:, 0]
        most = shared >= 0.9 * self.windows[:, 2] * self.windows[:, 3]
        return np.asarray(most & (window[2] <= 1.15 * self.windows[:, 2]))

    def _sides(self, faces: Boxes) -> npt.NDArray[np.float32]:
        """The faces' longer sides in pixels of the input."""
        return np.asarray(self._scale * np.maximum(faces[:, 2], faces[:, 3]))

    def _shown(self, faces: Boxes, sides: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        seen = (sides >= LEGIBLE_PX) & (sides <= LARGEST_PX)
        x, y, w, h = faces.T
        for start, end, from_, length in zip(self._start, self._end, (x, y), (w, h), strict=True):
            seen &= start <= from_
            seen &= end >= from_ + length
        return seen
