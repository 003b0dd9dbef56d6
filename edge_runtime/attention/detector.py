"""Find faces with a tiny model: raw luma in, boxes out.

The net ("glance head") says for each cell of a few grids how sure it is of a face (a logit) and
where that face is. With stride s, column c and row r, in pixels of the input:

    centre x = (c + 1/2 + dx) s      width  = s exp(log w)
    centre y = (r + 1/2 + dy) s      height = s exp(log h)

the box coding of YuNet (Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector", 2023).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime import imaging
from edge_runtime.attention.overlap import Boxes, Scores, suppress
from edge_runtime.engine.engine import Engine, Tensor
from edge_runtime.engine.tensor import dequantize, quantize_value, write_bytes
from edge_runtime.errors import ModelRejected
from edge_runtime.types import Box, Detection, Luma

Reals = npt.NDArray[np.float32]

MOST_CANDIDATES: Final = 400
"""Cells kept before suppression: bounds the work when a threshold near 0 is asked for."""

SMALLEST_THRESHOLD: Final = 1e-4
"""The logit of 0 is minus infinity; no int8 logit reaches lower than this."""


class _Scale(NamedTuple):
    """One stride's pair of outputs."""

    cells: Reals
    """(cells, 3): column + 1/2, row + 1/2, stride."""
    logits_at: int
    boxes_at: int
    logits: Tensor
    boxes: Tensor
    least: float
    """The threshold as the logits tensor stores it."""


class FaceDetector:
    """Runs the glance head on a luma picture of the model's own input size."""

    def __init__(
        self,
        engine: Engine,
        *,
        strides: Sequence[int],
        threshold: float,
        iou_threshold: float,
    ) -> None:
        self._engine = engine
        self._iou_threshold = iou_threshold
        self._input = _luma_input(engine)
        self.height, self.width = self._input.shape[1:3]
        self._scales = tuple(_scale(engine, s, self.width, self.height, threshold) for s in strides)

    @property
    def invoke_s(self) -> float:
        """Seconds the last run spent inside the interpreter."""
        return self._engine.invoke_s

    def detect(self, glance: Luma, fit: imaging.Fit) -> tuple[Detection, ...]:
        """Faces in ``glance`` (this detector's height and width), in picture pixels by ``fit``.

        Best score first, overlapping ones suppressed.
        """
        write_bytes(glance, self._engine.input(), self._input)
        self._engine.invoke()
        boxes, scores = self._candidates()
        if not scores.size:
            return ()
        kept = suppress(boxes, scores, self._iou_threshold)
        return tuple(
            Detection(fit.to_picture(Box(*box)), score)
            for box, score in zip(boxes[kept].tolist(), scores[kept].tolist(), strict=True)
        )

    def _candidates(self) -> tuple[Boxes, Scores]:
        """All cells at or over the threshold, of all strides: boxes (n, 4) and scores (n,)."""
        found = [each for each in map(self._raised, self._scales) if each is not None]
        if not found:
            return np.empty((0, 4), np.float32), np.empty(0, np.float32)
        # One pass over the cells of all strides: numpy costs by the call, not by the cell.
        logits, shift, cells = (
            found[0] if len(found) == 1 else map(np.concatenate, zip(*found, strict=True))
        )
        if logits.size > MOST_CANDIDATES:
            best = np.argpartition(-logits, MOST_CANDIDATES)[:MOST_CANDIDATES]
            logits, shift, cells = logits[best], shift[best], cells[best]
        boxes = np.empty((logits.size, 4), np.float32)
        stride = cells[:, 2:]
        sizes = np.multiply(np.exp(shift[:, 2:]), stride, out=boxes[:, 2:])
        np.subtract((cells[:, :2] + shift[:, :2]) * stride, sizes / 2, out=boxes[:, :2])
        return boxes, np.asarray(1 / (1 + np.exp(-logits)), np.float32)

    def _raised(self, scale: _Scale) -> tuple[Reals, Reals, Reals] | None:
        """Logits (n,), shifts (n, 4) and cells (n, 3) of one stride at or over the threshold."""
        # Most cells are background: compare in the tensor's own numbers, decode only what passes.
        logits = self._engine.output(scale.logits_at).reshape(-1)
        raised = (logits >= scale.least).nonzero()[0]
        if not raised.size:
            return None
        shift = self._engine.output(scale.boxes_at).reshape(-1, 4)[raised]
        return (
            dequantize(logits[raised], scale.logits),
            dequantize(shift, scale.boxes),
            scale.cells[raised],
        )


def _luma_input(engine: Engine) -> Tensor:
    tensor = engine.inputs[0]
    if len(tensor.shape) != 4 or tensor.shape[0] != 1 or tensor.shape[3] != 1:
        raise ModelRejected(
            f"the face detector's input is {tensor.shape}, expected (1, height, width, 1): "
            "a model that takes one luma picture"
        )
    return tensor


def _scale(engine: Engine, stride: int, width: int, height: int, threshold: float) -> _Scale:
    rows, columns = math.ceil(height / stride), math.ceil(width / stride)
    logits_at = _output_of_shape(engine, (1, rows, columns, 1), stride)
    boxes_at = _output_of_shape(engine, (1, rows, columns, 4), stride)
    least = max(threshold, SMALLEST_THRESHOLD)
    logits = engine.outputs[logits_at]
    down, across = np.divmod(np.arange(rows * columns), columns)
    cells = np.stack([across + 0.5, down + 0.5, np.full(down.shape, stride)], axis=1)
    return _Scale(
        cells.astype(np.float32),
        logits_at,
        boxes_at,
        logits,
        engine.outputs[boxes_at],
        quantize_value(math.log(least / (1 - min(least, 1 - 1e-6))), logits),
    )


def _output_of_shape(engine: Engine, shape: tuple[int, ...], stride: int) -> int:
    for index, tensor in enumerate(engine.outputs):
        if tensor.shape == shape:
            return index
    shapes = ", ".join(str(tensor.shape) for tensor in engine.outputs)
    raise ModelRejected(
        f"the face detector has no output of shape {shape} for stride {stride}, only {shapes}: "
        "check head.strides in the model's manifest.json"
    )
