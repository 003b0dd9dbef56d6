"""Pixels in, pixels out: resize, letterbox, square crops, pixelation, JPEG. Nothing else.

All pictures are numpy uint8 arrays: luma (height, width) or BGR (height, width, 3).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edge_runtime.types import Bgr, Box, Luma

Pixels = npt.NDArray[np.uint8]

# Letterbox bars and out-of-picture pixels: mid grey is what the detector was trained with.
PADDING = 114

# Our pictures are small: waking a second thread for one costs more than the work (converting a
# 100x100 crop 205 us with two threads on one core, 5 us with one), and the cores have better to do.
cv2.setNumThreads(1)


class Fit(NamedTuple):
    """How a picture was fitted into an input: input = picture * scale + offset, per axis."""

    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float

    def to_picture(self, box: Box) -> Box:
        """A box of the input, in pixels of the picture."""
        return Box(
            (box.x - self.offset_x) / self.scale_x,
            (box.y - self.offset_y) / self.scale_y,
            box.w / self.scale_x,
            box.h / self.scale_y,
        )

    def moved(self, left: float, top: float) -> Fit:
        """The Fit of a whole picture, of whose part at ``left``, ``top`` this is the Fit."""
        return self._replace(
            offset_x=self.offset_x - left * self.scale_x,
            offset_y=self.offset_y - top * self.scale_y,
        )

    def to_input(self, box: Box) -> Box:
        """A box of the picture, in pixels of the input."""
        return Box(
            box.x * self.scale_x + self.offset_x,
            box.y * self.scale_y + self.offset_y,
            box.w * self.scale_x,
            box.h * self.scale_y,
        )


@lru_cache(maxsize=64)  # a source's pictures, and windows' cuts of them, keep their sizes
def letterbox_fit(picture: tuple[float, float], into: tuple[int, int]) -> Fit:
    """The Fit that centres ``picture`` (width, height) in ``into``, its aspect kept."""
    width, height = into
    scale = min(width / picture[0], height / picture[1])
    # A strip of a picture is still a pixel wide.
    inner_w, inner_h = (max(1, round(side * scale)) for side in picture)
    return Fit(
        inner_w / picture[0],
        inner_h / picture[1],
        (width - inner_w) // 2,
        (height - inner_h) // 2,
    )


def letterbox(
    whole: Pixels, picture: tuple[float, float], out: Pixels, *, by_area: bool = False
) -> Fit:
    """Resize ``whole`` into ``out``, with the aspect of ``picture`` (width, height) and bars.

    ``whole`` shows the whole picture, in luma or colour as ``out``, but may have another aspect (a
    camera's small stream): one resize corrects both. Writes every pixel of ``out``. ``by_area``
    takes ``resize_by_area``.
    """
    height, width = out.shape[:2]
    fit = letterbox_fit(picture, (width, height))
    left, top = int(fit.offset_x), int(fit.offset_y)
    inner_w, inner_h = round(picture[0] * fit.scale_x), round(picture[1] * fit.scale_y)
    if (inner_w, inner_h) != (width, height):
        out.fill(PADDING)
    inner = out[top : top + inner_h, left : left + inner_w]
    (resize_by_area if by_area else resize)(whole, inner)
    return fit


def resize(source: Pixels, out: Pixels) -> None:
    """Resize ``source`` into ``out``: means of 2x2 pixels while more than halving, then linear.

    OpenCV's own area average costs 186 us from 640x480 to 160x120 where two halvings cost 29 us
    (one core of a 2 GHz Xeon): only the exact halving is vectorized.
    """
    height, width = out.shape[:2]
    while source.shape[0] > 2 * height and source.shape[1] > 2 * width:
        source = _halved(source)
    halving = source.shape[:2] == (2 * height, 2 * width)
    how = cv2.INTER_AREA if halving else cv2.INTER_LINEAR
    cv2.resize(source, (width, height), dst=out, interpolation=how)


def resize_by_area(source: Pixels, out: Pixels) -> None:
    """Resize ``source`` into ``out``: what shrinks becomes the mean of what it covers.

    As models are trained and measured; too dear for every frame.
    """
    how = cv2.INTER_AREA if out.size < source.size else cv2.INTER_LINEAR
    cv2.resize(source, (out.shape[1], out.shape[0]), dst=out, interpolation=how)


def warp(source: Pixels, matrix: npt.NDArray[np.float64], out: Pixels) -> None:
    """Write what ``matrix`` (2, 3) takes from ``source`` to ``out``, bilinearly, and the grey of
    PADDING where there is nothing. Coordinates have a pixel's centre at a half.
    """
    half = np.array([0.5, 0.5])
    centred = matrix.astype(np.float64)
    centred[:, 2] += matrix[:, :2] @ half - half  # OpenCV's pixels have it at a whole number
    cv2.warpAffine(
        source,
        centred,
        (out.shape[1], out.shape[0]),
        dst=out,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(PADDING,) * 3,
    )


def _halved(source: Pixels) -> Pixels:
    # An odd last row or column is left out: the exact ratio is what makes this fast.
    height, width = source.shape[0] // 2, source.shape[1] // 2
    even = source[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def summed(cells: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Sums above and left of each corner of ``cells`` (rows, columns): one more of both."""
    return np.asarray(cv2.integral(cells.view(np.uint8)), np.int32)


def resized(source: Pixels, width: int, height: int) -> Pixels:
    """A copy of ``source`` at ``width`` x ``height``."""
    out = np.empty((height, width, *source.shape[2:]), np.uint8)
    resize(source, out)
    return out


def luma_of(bgr: Bgr) -> Luma:
    """Brightness of a colour picture (BT.601, as cameras and JPEG use)."""
    if not bgr.size:
        # A region outside the picture holds nothing; OpenCV refuses to convert nothing.
        return np.empty(bgr.shape[:2], np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)


def bgr_of(luma: Luma) -> Bgr:
    """A grey picture with three equal channels."""
    return np.asarray(cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR), np.uint8)


def whole_pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """``box`` rounded outwards and clipped: left, top, right, bottom for slicing."""
    x, y, w, h = box
    left = min(max(math.floor(x), 0), width)
    top = min(max(math.floor(y), 0), height)
    right = min(max(math.ceil(x + w), left), width)
    bottom = min(max(math.ceil(y + h), top), height)
    return left, top, right, bottom


def pixelate(bgr: Bgr, boxes: Iterable[Box], blocks: int = 8) -> None:
    """Make faces unrecognizable, in place: ``blocks`` mean-coloured squares across each box."""
    height, width = bgr.shape[:2]
    for box in boxes:
        left, top, right, bottom = whole_pixels(box, width, height)
        if right - left < 1 or bottom - top < 1:
            continue
        face = bgr[top:bottom, left:right]
        small = cv2.resize(face, (blocks, blocks), interpolation=cv2.INTER_AREA)
        cv2.resize(small, (right - left, bottom - top), dst=face, interpolation=cv2.INTER_NEAREST)


def rgb_of(bgr: Bgr) -> Pixels:
    """The same picture with its channels in the order classifiers are trained with."""
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def fit_region(pixels: Pixels, box: Box, picture: tuple[int, int], out: Pixels) -> None:
    """Resize ``box`` into ``out``, given the ``pixels`` of its part inside ``picture``.

    ``picture`` is (width, height). Where the box reaches over the edge it is filled with the
    grey that classifiers were trained with.
    """
    left, top, right, bottom = whole_pixels(box, *picture)
    if right <= left or bottom <= top:
        out.fill(PADDING)
        return
    over = (
        max(0, top - int(np.floor(box.y))),
        max(0, int(np.ceil(box.bottom)) - bottom),
        max(0, left - int(np.floor(box.x))),
        max(0, int(np.ceil(box.right)) - right),
    )
    if any(over):
        pixels = np.asarray(
            cv2.copyMakeBorder(pixels, *over, cv2.BORDER_CONSTANT, value=(PADDING,) * 3), np.uint8
        )
    resize(pixels, out)


def sharpness(pixels: Pixels) -> float:
    """Variance of the Laplacian, grey levels squared: large where there are edges, small in a blur
    (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000).
    """
    grey = luma_of(pixels) if pixels.ndim == 3 else pixels
    edges = cv2.Laplacian(grey, cv2.CV_16S)
    return float(cv2.meanStdDev(edges)[1][0, 0]) ** 2
