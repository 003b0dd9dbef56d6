"""The Head contract: a detector's stored outputs in, boxes with scores out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from edge_runtime.attention.overlap import Boxes, Scores
from edge_runtime.engine.tensor import Array, Tensor, quantize_value
from edge_runtime.errors import ModelRejected

Reals = npt.NDArray[np.float32]

Size = tuple[int, int]
"""Width and height of a detector's input, pixels."""

Read = Callable[[int], Array]
"""Gives the stored numbers of the output with that index; good until the next run."""

SMALLEST_THRESHOLD: Final = 1e-4
"""The logit of 0 is minus infinity; no int8 logit reaches lower than this."""

MOST_OVER_ONE: Final = 0.1
"""How far a number that should be a probability may lie beyond 1."""


class Candidates(NamedTuple):
    """What reached the threshold, before overlapping ones are suppressed."""

    boxes: Boxes
    """In pixels of the input."""
    scores: Scores


NOTHING: Final = Candidates(np.empty((0, 4), np.float32), np.empty(0, np.float32))


class Head(Protocol):
    """Knows how one family of detectors codes its boxes.

    Made from the outputs' descriptions, which it checks: ModelRejected says what does not fit.
    """

    def decode(self, read: Read) -> Candidates:
        """All boxes at or over the threshold the head was made for."""


def logit(probability: float) -> float:
    """ln(p / (1 - p)), kept finite at both ends."""
    inside = min(max(probability, SMALLEST_THRESHOLD), 1 - 1e-6)
    return math.log(inside / (1 - inside))


def stored_least(real: float, tensor: Tensor) -> float:
    """What a stored number must reach for its real value to reach ``real``.

    Whole for whole numbers: comparing int8 with a float would first make floats of them all.
    """
    least = quantize_value(real, tensor)
    return math.ceil(least) if tensor.dtype.kind in "iu" else least


def sigmoid(logits: Reals) -> Scores:
    """1 / (1 + exp(-x)), by way of tanh, which does not overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(logits / 2), np.float32)


def from_centres(centres: Reals, sizes: Reals) -> Boxes:
    """Boxes around ``centres`` (n, 2), of ``sizes`` (n, 2)."""
    return np.concatenate([centres - sizes / 2, sizes], axis=1)


def output_of_shape(
    outputs: Sequence[Tensor], *shapes: tuple[int, ...], taken: Sequence[int] = ()
) -> int:
    """The index of the first output of one of ``shapes`` that is not ``taken`` yet."""
    for index, tensor in enumerate(outputs):
        if tensor.shape in shapes and index not in taken:
            return index
    expected = " or ".join(str(shape) for shape in shapes)
    raise ModelRejected(
        f"the detector has no {'other ' if taken else ''}output of shape {expected}, only "
        f"{listed(outputs)}: check head and input in the model's manifest.json"
    )


def listed(outputs: Sequence[Tensor]) -> str:
    """The outputs' shapes, for a sentence."""
    return ", ".join(str(tensor.shape) for tensor in outputs)


def require_probabilities(scores: Reals | float, what: str) -> None:
    """Raise ModelRejected when the largest of ``scores`` is no probability."""
    most = float(np.max(scores, initial=0.0))
    if most > 1 + MOST_OVER_ONE:
        raise ModelRejected(
            f"{what} of the detector reach {most:.3g}, expected probabilities from 0 to 1: check "
            "head in the model's manifest.json, or convert the model with its last sigmoid"
        )


def require_probability_range(tensor: Tensor, what: str) -> None:
    """Refuse a quantized output that was made for numbers beyond 1, before it runs."""
    if tensor.limits is not None:
        require_probabilities(tensor.limits[1], what)
