"""Our own head, ``centre-log-size``: for each stride a grid of logits and a grid of boxes.

Outputs for stride s: logits (1, rows, columns, 1), boxes (1, rows, columns, 4). The boxes are coded
as in ``grid.boxes_of``, with the centres of the cells at c + 1/2 and r + 1/2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime.attention.heads.grid import Raised, boxes_of, cells_of, grid_of
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
from edge_runtime.engine.tensor import Array, Tensor


class GlanceHead:
    """Decodes the outputs of the models trained by ``edge-runtime compress``."""

    def __init__(
        self, outputs: Sequence[Tensor], size: Size, *, threshold: float, strides: Sequence[int]
    ) -> None:
        grids = [(1, *grid_of(size, stride)) for stride in strides]
        self._cells = np.concatenate([cells_of(size, stride, offset=0.5) for stride in strides])
        self._logits = _Joined.of(outputs, [(*grid, 1) for grid in grids])
        self._boxes = _Joined.of(outputs, [(*grid, 4) for grid in grids])
        # Most cells are background: compare in the tensors' own numbers, decode only what passes.
        self._least = np.concatenate(
            [
                np.full(part.size, stored_least(logit(threshold), outputs[index]))
                for index, part in self._logits.parts
            ]
        )

    def decode(self, read: Read) -> Candidates:
        logits = self._logits.read(read)
        at = (logits[:, 0] >= self._least).nonzero()[0]
        if not at.size:
            return NOTHING
        self._boxes.read(read)
        values = self._logits.reals(at)[:, 0]
        raised = Raised(values, self._boxes.reals(at), self._cells.take(at, axis=0))
        return Candidates(boxes_of(raised), sigmoid(values))


class _Joined(NamedTuple):
    """The same output of every stride behind one another: numpy costs by the call, not by the cell,
    and most cells are not looked at twice.
    """

    stored: Array
    """(cells, channels), as the tensors store them."""
    parts: tuple[tuple[int, npt.NDArray[Any]], ...]
    """By stride the output's index, and where in ``stored`` it goes, in the output's shape."""
    coding: Reals
    """(cells, 2): zero point and scale."""

    @classmethod
    def of(cls, outputs: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]) -> _Joined:
        indices = [output_of_shape(outputs, shape) for shape in shapes]
        tensors = [outputs[index] for index in indices]
        counts = [shape[1] * shape[2] for shape in shapes]
        stored = np.empty(
            (sum(counts), shapes[0][3]), np.result_type(*[tensor.dtype for tensor in tensors])
        )
        ends = np.cumsum(counts).tolist()
        coding = [(tensor.zero_point or 0, tensor.scale or 1) for tensor in tensors]
        return cls(
            stored,
            tuple(
                (index, stored[end - count : end].reshape(shape))
                for index, end, count, shape in zip(indices, ends, counts, shapes, strict=True)
            ),
            np.repeat(np.array(coding, np.float32), counts, axis=0),
        )

    def read(self, read: Read) -> Array:
        """Fetch all strides; returns ``stored``."""
        for index, part in self.parts:
            np.copyto(part, read(index))
        return self.stored

    def reals(self, at: npt.NDArray[np.intp]) -> Reals:
        """What some cells mean: real = (stored - zero point) * scale."""
        coding = self.coding.take(at, axis=0)
        return np.asarray((self.stored.take(at, axis=0) - coding[:, :1]) * coding[:, 1:])
