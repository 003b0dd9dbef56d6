"""A world that is easy to see in: faces are white squares, and the models know it.

The engines are fakes of the shapes and number formats of the shipped models; everything around them
is real.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_runtime.attention.attention import Attention
from edge_runtime.attention.detector import Detector
from edge_runtime.attention.tracker import Tracker
from edge_runtime.classify import Classifier
from edge_runtime.engine.fake import FakeEngine
from edge_runtime.engine.tensor import Array, Tensor, quantize
from edge_runtime.imaging import bgr_of, whole_pixels
from edge_runtime.store.head import HeadSpec
from edge_runtime.store.manifest import InputSpec
from edge_runtime.types import Box, CropSpec, Frame

INT8 = np.dtype(np.int8)
GREY, WHITE = 90, 255


def picture_bytes(name: str, height: int, width: int) -> Tensor:
    """An input that takes raw luma bytes, as the shipped models do."""
    return Tensor(name, (1, height, width, 1), INT8, scale=1.0, zero_point=-128)


LOGITS = Tensor("logits", (1, 15, 20, 1), INT8, scale=0.1, zero_point=0)
BOXES = Tensor("boxes", (1, 15, 20, 4), INT8, scale=0.05, zero_point=0)


def find_white(inputs: Sequence[Array]) -> list[Array]:
    """The head's answer for the one white square of the glance, if there is one."""
    glance = inputs[0].view(np.uint8)[0, :, :, 0] ^ 0x80
    logits, boxes = np.full((15, 20), -8.0), np.zeros((15, 20, 4))
    rows, columns = (glance > 245).nonzero()
    if rows.size:
        top, left, bottom, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
        x, y = (left + right) / 16, (top + bottom) / 16
        row, column = min(int(y), 14), min(int(x), 19)
        logits[row, column] = 4.0
        size = np.log([(right - left) / 8, (bottom - top) / 8])
        boxes[row, column] = [x - column - 0.5, y - row - 0.5, *size]
    return [quantize(logits.reshape(LOGITS.shape), LOGITS), quantize(boxes[None], BOXES)]


def detector_engine() -> FakeEngine:
    return FakeEngine([picture_bytes("luma", 120, 160)], [LOGITS, BOXES], answer=find_white)


GLANCE_INPUT = InputSpec(160, 120, "luma")
GLANCE_HEAD = HeadSpec("centre-log-size", strides=(8,))


@dataclass(frozen=True)
class GlanceManifest:
    """A detector of our own kind, on a glance of 160x120."""

    name: str = "white-glance"
    input: InputSpec = GLANCE_INPUT
    head: HeadSpec = GLANCE_HEAD
    labels: tuple[str, ...] = ()
    iou_threshold: float = 0.45


def face_detector(threshold: float = 0.5) -> Detector:
    return Detector(detector_engine(), GlanceManifest(), threshold=threshold)


def attention(**settings: Any) -> Attention:
    return attention_with(Tracker(), **settings)


def attention_with(tracker: Tracker, **settings: Any) -> Attention:
    return Attention(face_detector(), tracker, **settings)


@dataclass(frozen=True)
class Bytes:
    """How the fake classifier's input means its bytes."""

    scale: float = 1.0
    offset: float = 0.0


WHOLE_FACE = CropSpec(48, 48, 1, 0.0, True)


@dataclass(frozen=True)
class WhitenessManifest:
    """A classifier that tells white crops from others, by their mean."""

    name: str = "whiteness"
    labels: tuple[str, ...] = ("dark", "white")
    activation: str = "softmax"
    input: Bytes = Bytes()
    crop_spec: CropSpec = WHOLE_FACE


SHARES = Tensor("shares", (1, 2), INT8, scale=1 / 256, zero_point=-128)


def how_white(inputs: Sequence[Array]) -> list[Array]:
    share = float(((inputs[0].view(np.uint8) ^ 0x80) > 200).mean())
    return [quantize([[1 - share, share]], SHARES)]


def classifier(name: str = "whiteness") -> Classifier:
    engine = FakeEngine([picture_bytes("crop", 48, 48)], [SHARES], answer=how_white)
    return Classifier(engine, WhitenessManifest(name))  # type: ignore[arg-type]


class ArrayPicture:
    """A grey picture in memory."""

    def __init__(self, pixels: Array) -> None:
        self._pixels = pixels
        self.height, self.width = pixels.shape

    def luma(self, box: Box | None = None) -> Array:
        whole = box or Box(0, 0, self.width, self.height)
        left, top, right, bottom = whole_pixels(whole, self.width, self.height)
        return self._pixels[top:bottom, left:right]

    def bgr(self, box: Box | None = None) -> Array:
        return bgr_of(np.ascontiguousarray(self.luma(box)))


def frame_with(face: Box | None, *, index: int = 0, taken_at: float = 0.0) -> Frame:
    """A 640x480 frame, grey but for one white face."""
    pixels = np.full((480, 640), GREY, np.uint8)
    if face is not None:
        left, top, right, bottom = whole_pixels(face, 640, 480)
        pixels[top:bottom, left:right] = WHITE
    return Frame(index, taken_at, pixels, ArrayPicture(pixels))
