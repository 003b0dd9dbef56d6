"""BlazeFace, short and full range: boxes relative to anchors of fixed size, scores as logits.

Outputs for n anchors, in either order: (1, n, 16), of which the first four are dx, dy, w, h in
pixels of the input and the rest six landmarks; (1, n, 1), the logit. For an anchor centred on
(ax, ay):

    centre x = ax + dx      width  = w      score = 1 / (1 + exp(-logit))
    centre y = ay + dy      height = h

MediaPipe clips logits to ±100 first, which moves no score by what a float32 can hold.

Source: Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019;
MediaPipe's face_detection_short_range_common.pbtxt and face_detection_full_range_common.pbtxt, and
for the order of the anchors ssd_anchors_calculator.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np

from edge_runtime.attention.heads.grid import cells_of
from edge_runtime.attention.heads.head import (
    NOTHING,
    Candidates,
    Read,
    Reals,
    Size,
    from_centres,
    logit,
    output_of_shape,
    sigmoid,
    stored_least,
)
from edge_runtime.engine.tensor import Tensor, dequantize
from edge_runtime.errors import ModelRejected

NUMBERS: Final = 16
"""Of one anchor: a box and six landmarks."""


class Range(NamedTuple):
    """One published model's anchors."""

    strides: tuple[int, ...]
    """Of each layer; neighbouring layers of one stride share their cells."""
    per_layer: int
    """Anchors a cell has from each layer."""


RANGES: Final[dict[Size, Range]] = {
    (128, 128): Range((8, 16, 16, 16), 2),
    (192, 192): Range((4,), 1),
    (256, 256): Range((16, 32, 32, 32), 2),
}
"""By input: the short range, the full range, and the older model for back cameras."""


class BlazeFaceHead:
    """Decodes the two outputs of a BlazeFace model; the input's size tells which one it is."""

    def __init__(self, outputs: Sequence[Tensor], size: Size, *, threshold: float) -> None:
        if size not in RANGES:
            known = ", ".join(f"{width}x{height}" for width, height in RANGES)
            raise ModelRejected(
                f"the input is {size[0]}x{size[1]}, but the anchors of BlazeFace are known for "
                f"{known}: check input and head.type in the model's manifest.json"
            )
        self._anchors = anchor_centres(size, RANGES[size])
        count = len(self._anchors)
        self._logits_at = output_of_shape(outputs, (1, count, 1), (1, count))
        self._boxes_at = output_of_shape(outputs, (1, count, NUMBERS))
        self._logits, self._boxes = outputs[self._logits_at], outputs[self._boxes_at]
        self._least = stored_least(logit(threshold), self._logits)

    def decode(self, read: Read) -> Candidates:
        logits = read(self._logits_at).reshape(-1)
        at = (logits >= self._least).nonzero()[0]
        if not at.size:
            return NOTHING
        coded = dequantize(read(self._boxes_at)[0, at, :4], self._boxes)
        boxes = from_centres(self._anchors[at] + coded[:, :2], coded[:, 2:])
        return Candidates(boxes, sigmoid(dequantize(logits[at], self._logits)))


def anchor_centres(size: Size, layers: Range) -> Reals:
    """(n, 2): x and y of every anchor in pixels, row after row, a cell's anchors side by side."""
    merged = [(stride, len(list(same))) for stride, same in groupby(layers.strides)]
    return np.concatenate(
        [
            np.repeat(_centres(size, stride), count * layers.per_layer, axis=0)
            for stride, count in merged
        ]
    )


def _centres(size: Size, stride: int) -> Reals:
    return cells_of(size, stride, offset=0.5)[:, :2] * np.float32(stride)
