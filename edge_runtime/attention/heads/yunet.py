"""YuNet, anchor-free: for each of the strides 8, 16 and 32 a class, an object and a box output.

With n cells a stride, row after row: class (1, n, 1), object (1, n, 1), box (1, n, 4); also as
grids (1, rows, columns, k), or without the last 1. Outputs may come in any order and under any
name: their sizes tell the stride, and class and object are alike in

    score = sqrt(class * object)

with both from 0 to 1 (their sigmoid is part of the network). Boxes are coded as in
``grid.boxes_of``, with c and r at the cells' corners. Landmarks (1, n, 10) are left alone.

Source: OpenCV's FaceDetectorYN (modules/objdetect/src/face_detect.cpp), for the models of
libfacedetection.train.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from edge_runtime.attention.heads.grid import Raised, boxes_of, cells_of, grid_of, together
from edge_runtime.attention.heads.head import (
    NOTHING,
    SMALLEST_THRESHOLD,
    Candidates,
    Read,
    Reals,
    Size,
    output_of_shape,
    require_probabilities,
    require_probability_range,
    stored_least,
)
from edge_runtime.engine.tensor import Tensor, dequantize

STRIDES: Final = (8, 16, 32)


class _Scale(NamedTuple):
    """One stride's three outputs."""

    cells: Reals
    confidences_at: tuple[int, int]
    """Class and object, in either order."""
    boxes_at: int
    least: float
    """What either confidence must reach, as the first one's tensor stores it."""


class YuNetHead:
    """Decodes class, object and box outputs of the strides 8, 16 and 32."""

    def __init__(self, outputs: Sequence[Tensor], size: Size, *, threshold: float) -> None:
        self._outputs = tuple(outputs)
        self._threshold = max(threshold, SMALLEST_THRESHOLD)
        self._scales = tuple(self._scale(size, stride) for stride in STRIDES)

    def decode(self, read: Read) -> Candidates:
        raised = together(self._raised(scale, read) for scale in self._scales)
        return NOTHING if raised is None else Candidates(boxes_of(raised), raised.values)

    def _scale(self, size: Size, stride: int) -> _Scale:
        rows, columns = grid_of(size, stride)
        cells = rows * columns
        single = (1, cells, 1), (1, rows, columns, 1), (1, cells)
        first = output_of_shape(self._outputs, *single)
        second = output_of_shape(self._outputs, *single, taken=[first])
        boxes = output_of_shape(self._outputs, (1, cells, 4), (1, rows, columns, 4))
        for index in (first, second):
            require_probability_range(self._outputs[index], f"the scores for stride {stride}")
        return _Scale(
            cells_of(size, stride, offset=0.0),
            (first, second),
            boxes,
            stored_least(self._threshold**2, self._outputs[first]),
        )

    def _raised(self, scale: _Scale, read: Read) -> Raised | None:
        # Neither is over 1, so their root reaches the threshold only where each reaches its square:
        # that is compared in the tensor's own numbers, and only what passes is decoded.
        stored = [read(index).reshape(-1) for index in scale.confidences_at]
        at = (stored[0] >= scale.least).nonzero()[0]
        if not at.size:
            return None
        one, other = (
            dequantize(numbers[at], self._outputs[index])
            for numbers, index in zip(stored, scale.confidences_at, strict=True)
        )
        require_probabilities(np.maximum(one, other), "scores")
        scores = np.sqrt(np.clip(one, 0, 1) * np.clip(other, 0, 1))
        kept = scores >= self._threshold
        shift = read(scale.boxes_at).reshape(-1, 4)[at[kept]]
        return Raised(
            scores[kept], dequantize(shift, self._outputs[scale.boxes_at]), scale.cells[at[kept]]
        )
