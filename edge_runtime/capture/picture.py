"""Full pictures whose pixels are decoded or converted only where, and when, they are asked for.

Every conversion is full-range BT.601, as JPEG has it and as the models were trained: black is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import cv2
import numpy as np
import numpy.typing as npt

from edge_runtime import imaging, jpeg
from edge_runtime.types import Bgr, Box, Luma

Plane = npt.NDArray[np.uint8]
Span = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels."""

# Video-range luma (16 to 235, ITU-R BT.601) stretched to the full range.
_STRETCH = np.clip((np.arange(256) - 16.0) * 255 / 219 + 0.5, 0, 255).astype(np.uint8)


def stretched(luma: Luma) -> Luma:
    """Video-range luma, 16 to 235, as full-range luma, 0 to 255."""
    return np.asarray(cv2.LUT(luma, _STRETCH), np.uint8)


class LazyPicture:
    """What all pictures share: size, and where a box lies in it."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height

    def _span(self, box: Box | None) -> Span:
        if box is None:
            return 0, 0, self.width, self.height
        return imaging.whole_pixels(box, self.width, self.height)


class BgrPicture(LazyPicture):
    """A picture already decoded to colour, (height, width, 3)."""

    def __init__(self, bgr: Bgr) -> None:
        super().__init__(bgr.shape[1], bgr.shape[0])
        self._bgr = bgr

    def luma(self, box: Box | None = None) -> Luma:
        return _grey(self.bgr(box))

    def bgr(self, box: Box | None = None) -> Bgr:
        left, top, right, bottom = self._span(box)
        return self._bgr[top:bottom, left:right]


class GreyPicture(LazyPicture):
    """A picture without colour, (height, width)."""

    def __init__(self, luma: Luma) -> None:
        super().__init__(luma.shape[1], luma.shape[0])
        self._luma = luma

    def luma(self, box: Box | None = None) -> Luma:
        left, top, right, bottom = self._span(box)
        return self._luma[top:bottom, left:right]

    def bgr(self, box: Box | None = None) -> Bgr:
        grey = self.luma(box)
        return imaging.bgr_of(grey) if grey.size else _no_colour(grey)


class JpegPicture(LazyPicture):
    """JPEG bytes, decoded once each to luma and to colour, when first asked for.

    Reading raises PictureDamaged where the bytes are.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(*jpeg.size(data))
        self._data = data
        self._luma: Luma | None = None
        self._bgr: Bgr | None = None

    def luma(self, box: Box | None = None) -> Luma:
        if self._luma is None:
            self._luma = jpeg.decode_luma(self._data)
        left, top, right, bottom = self._span(box)
        return self._luma[top:bottom, left:right]

    def bgr(self, box: Box | None = None) -> Bgr:
        if self._bgr is None:
            self._bgr = jpeg.decode_bgr(self._data)
        left, top, right, bottom = self._span(box)
        return self._bgr[top:bottom, left:right]


class I420Picture(LazyPicture):
    """Three planes in one buffer, (height * 3 / 2, stride): luma, then U and V at half size.

    ``buffer`` maps the memory for as long as one reading lasts; what is read is copied out, because
    camera memory is slow to read twice and goes back to the camera.
    """

    def __init__(
        self,
        buffer: Callable[[], AbstractContextManager[Plane]],
        width: int,
        height: int,
    ) -> None:
        super().__init__(width, height)
        self._buffer = buffer

    def luma(self, box: Box | None = None) -> Luma:
        left, top, right, bottom = self._span(box)
        with self._buffer() as memory:
            return memory[top:bottom, left:right].copy()

    def bgr(self, box: Box | None = None) -> Bgr:
        span = self._span(box)
        even = _even(span)
        left, top, right, bottom = even
        with self._buffer() as memory:
            y = memory[top:bottom, left:right].copy()
            u, v = (
                plane[top // 2 : bottom // 2, left // 2 : right // 2].copy()
                for plane in _chroma(memory, self.width, self.height)
            )
        return _inside(even, span, _colour(y, u, v))


class YuyvPicture(LazyPicture):
    """Packed 4:2:2 as webcams send it: (height, width, 2) of Y and, in turn, U and V."""

    def __init__(self, packed: Plane, *, full_range: bool) -> None:
        super().__init__(packed.shape[1], packed.shape[0])
        self._packed = packed
        self._full_range = full_range

    def luma(self, box: Box | None = None) -> Luma:
        left, top, right, bottom = self._span(box)
        raw = np.ascontiguousarray(self._packed[top:bottom, left:right, 0])
        return raw if self._full_range or not raw.size else stretched(raw)

    def bgr(self, box: Box | None = None) -> Bgr:
        span = self._span(box)
        left, top, right, bottom = even = (span[0] & ~1, span[1], span[2] + (span[2] & 1), span[3])
        part = self._packed[top:bottom, left:right]
        if not part.size:
            return _no_colour(part[..., 0])
        if not self._full_range:
            return _inside(even, span, np.asarray(cv2.cvtColor(part, cv2.COLOR_YUV2BGR_YUYV)))
        y, u, v = part[..., 0], part[:, 0::2, 1], part[:, 1::2, 1]
        return _inside(even, span, _colour(np.ascontiguousarray(y), u.copy(), v.copy()))


def _even(span: Span) -> Span:
    left, top, right, bottom = span
    return left & ~1, top & ~1, right + (right & 1), bottom + (bottom & 1)


def _inside(outer: Span, span: Span, pixels: Bgr) -> Bgr:
    left, top = span[0] - outer[0], span[1] - outer[1]
    return pixels[top : top + span[3] - span[1], left : left + span[2] - span[0]]


def _chroma(memory: Plane, width: int, height: int) -> tuple[Plane, Plane]:
    """The U and V planes: half the stride and half the rows each, one after the other."""
    stride = memory.shape[1]
    flat = memory.reshape(-1)
    size = (height // 2) * (stride // 2)
    first = height * stride
    u, v = (flat[start : start + size] for start in (first, first + size))
    shape = height // 2, stride // 2
    return u.reshape(shape)[:, : width // 2], v.reshape(shape)[:, : width // 2]


def _colour(y: Plane, u: Plane, v: Plane) -> Bgr:
    """Full-range planes as BGR; OpenCV's own I420 conversion would take them for video range."""
    if not y.size:
        return _no_colour(y)
    whole = (y.shape[1], y.shape[0])
    cr, cb = (cv2.resize(plane, whole, interpolation=cv2.INTER_NEAREST) for plane in (v, u))
    return np.asarray(cv2.cvtColor(cv2.merge([y, cr, cb]), cv2.COLOR_YCrCb2BGR), np.uint8)


def _grey(bgr: Bgr) -> Luma:
    return imaging.luma_of(bgr) if bgr.size else np.zeros(bgr.shape[:2], np.uint8)


def _no_colour(grey: Luma) -> Bgr:
    return np.zeros((*grey.shape, 3), np.uint8)
