"""YOLO models whose boxes come decoded in one tensor, before suppression.

``yolov5``: (1, n, 5 + classes); each row is centre x, centre y, width, height, objectness and one
likelihood a class, and score = objectness * the best likelihood. ``yolov8`` (also YOLO11):
(1, 4 + classes, n); no objectness, and score = the best likelihood. All likelihoods are past their
sigmoid.

Centres and sizes are ``normalized`` (shares of the input, as Ultralytics' own TFLite export writes
them) or ``pixels`` of the input (as ONNX exports and what is converted from them do). A float
tensor does not tell which, so the manifest does; numbers that belie it are refused.

Source: ultralytics/yolov5 models/yolo.py (Detect.forward, export); ultralytics/ultralytics
nn/modules/head.py (Detect) and issue 3271 for the normalized export.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from edge_runtime.attention.heads.head import (
    NOTHING,
    SMALLEST_THRESHOLD,
    Candidates,
    Read,
    Reals,
    Size,
    from_centres,
    listed,
    require_probabilities,
    stored_least,
)
from edge_runtime.attention.overlap import Boxes
from edge_runtime.engine.tensor import Array, Tensor, dequantize
from edge_runtime.errors import ModelRejected

Indices = npt.NDArray[np.intp]

LARGEST_SHARE: Final = 4.0
"""A box may reach over the edge, but a share beyond this is a number of pixels."""

SMALLEST_PIXELS: Final = 1.5
"""Nothing of this size in the first pixel is a thing; where all boxes are, they are shares."""


class YoloHead(ABC):
    """Decodes one tensor of boxes with the likelihoods of ``classes`` classes.

    ``counted`` are the classes that count; without it all do.
    """

    def __init__(
        self,
        outputs: Sequence[Tensor],
        size: Size,
        *,
        threshold: float,
        normalized: bool,
        classes: int = 1,
        counted: Collection[int] | None = None,
    ) -> None:
        self._tensor = _only_output(outputs, self._first_class + classes, self._numbers_axis)
        self._threshold = max(threshold, SMALLEST_THRESHOLD)
        self._least = stored_least(self._threshold, self._tensor)
        self._normalized = normalized
        self._scale = np.array([*size, *size], np.float32) if normalized else np.float32(1)
        rows = range(classes) if counted is None else sorted(counted)
        self._likelihoods = _rows([self._first_class + each for each in rows])

    _numbers_axis: int
    """Along which the numbers of one box lie."""
    _first_class: int
    """Where the likelihoods begin among them."""

    def decode(self, read: Read) -> Candidates:
        stored = read(0)[0]
        table = stored if self._numbers_axis == 1 else stored.T
        at, scores = self._scored(table)
        if not at.size:
            return NOTHING
        require_probabilities(scores, "scores")
        return Candidates(self._boxes(self._real(table[:4, at]).T), scores)

    @abstractmethod
    def _scored(self, table: Array) -> tuple[Indices, Reals]:
        """Columns of ``table`` (numbers, n) that reach the threshold, and their scores."""

    def _best(self, likelihoods: Array) -> Array:
        """The largest of each column, as stored: comparing needs no reals."""
        best: Array = likelihoods.max(axis=0)
        return best

    def _real(self, stored: Array) -> Reals:
        return dequantize(stored, self._tensor)

    def _boxes(self, coded: Reals) -> Boxes:
        most = float(np.abs(coded).max())
        if self._normalized and most > LARGEST_SHARE:
            _refuse_coordinates("normalized", most, "pixels")
        if not self._normalized and most < SMALLEST_PIXELS:
            _refuse_coordinates("pixels", most, "normalized")
        pixels = coded * self._scale
        return from_centres(pixels[:, :2], pixels[:, 2:])


class YoloV5Head(YoloHead):
    """(1, n, 5 + classes), with objectness."""

    _numbers_axis = 2
    _first_class = 5

    def _scored(self, table: Array) -> tuple[Indices, Reals]:
        # No likelihood is over 1, so what objectness does not reach the score does not either.
        at = (table[4] >= self._least).nonzero()[0]
        best = self._best(table[self._likelihoods][:, at])
        scores = self._real(table[4, at]) * self._real(best)
        kept = scores >= self._threshold
        return at[kept], scores[kept]


class YoloV8Head(YoloHead):
    """(1, 4 + classes, n), without objectness."""

    _numbers_axis = 1
    _first_class = 4

    def _scored(self, table: Array) -> tuple[Indices, Reals]:
        best = self._best(table[self._likelihoods])
        at = (best >= self._least).nonzero()[0]
        return at, self._real(best[at])


def _rows(numbers: Sequence[int]) -> slice | Sequence[int]:
    """Neighbouring rows as a slice, which copies nothing."""
    first, last = numbers[0], numbers[-1]
    return slice(first, last + 1) if last - first + 1 == len(numbers) else numbers


def _only_output(outputs: Sequence[Tensor], numbers: int, axis: int) -> Tensor:
    if len(outputs) == 1 and len(outputs[0].shape) == 3 and outputs[0].shape[axis] == numbers:
        return outputs[0]
    expected = f"(1, n, {numbers})" if axis == 2 else f"(1, {numbers}, n)"
    raise ModelRejected(
        f"the detector's outputs are {listed(outputs)}, expected one of shape {expected}: check "
        "head.type and labels in the model's manifest.json"
    )


def _refuse_coordinates(said: str, most: float, meant: str) -> None:
    raise ModelRejected(
        f"head.coordinates is {said!r}, but the largest number of the boxes found is {most:.4g}: "
        f"set head.coordinates to {meant!r} in the model's manifest.json"
    )
