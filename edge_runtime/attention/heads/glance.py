"""Our own head, ``centre-log-size``: for each stride a grid of logits and a grid of boxes.

Outputs for stride s: logits (1, rows, columns, 1), boxes (1, rows, columns, 4). The boxes are coded
as in ``grid.boxes_of``, with the centres of the cells at c + 1/2 and r + 1/2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge_runtime.attention.heads.grid import Raised, boxes_of, cells_of, grid_of, together
from edge_runtime.attention.heads.head import (
    NOTHING,
    Candidates,
    Read,
    Reals,
    Size,
    logit,
    output_of_shape,
    sigmoid,
    stored_least,
)
from edge_runtime.engine.tensor import Tensor, dequantize


class _Scale(NamedTuple):
    """One stride's pair of outputs."""

    cells: Reals
    logits_at: int
    boxes_at: int
    logits: Tensor
    boxes: Tensor
    least: float
    """The threshold as the logits tensor stores it."""


class GlanceHead:
    """Decodes the outputs of the models trained by ``edge-runtime compress``."""

    def __init__(
        self, outputs: Sequence[Tensor], size: Size, *, threshold: float, strides: Sequence[int]
    ) -> None:
        self._scales = tuple(_scale(outputs, size, stride, logit(threshold)) for stride in strides)

    def decode(self, read: Read) -> Candidates:
        raised = together(_raised(scale, read) for scale in self._scales)
        if raised is None:
            return NOTHING
        return Candidates(boxes_of(raised), sigmoid(raised.values))


def _scale(outputs: Sequence[Tensor], size: Size, stride: int, least: float) -> _Scale:
    rows, columns = grid_of(size, stride)
    logits_at = output_of_shape(outputs, (1, rows, columns, 1))
    boxes_at = output_of_shape(outputs, (1, rows, columns, 4))
    return _Scale(
        cells_of(size, stride, offset=0.5),
        logits_at,
        boxes_at,
        outputs[logits_at],
        outputs[boxes_at],
        stored_least(least, outputs[logits_at]),
    )


def _raised(scale: _Scale, read: Read) -> Raised | None:
    # Most cells are background: compare in the tensor's own numbers, decode only what passes.
    logits = read(scale.logits_at).reshape(-1)
    at = (logits >= scale.least).nonzero()[0]
    if not at.size:
        return None
    shift = read(scale.boxes_at).reshape(-1, 4)[at]
    return Raised(
        dequantize(logits[at], scale.logits), dequantize(shift, scale.boxes), scale.cells[at]
    )
