"""Outputs as a model would store them, from the reals they mean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_runtime.attention.heads.head import Candidates, Head
from edge_runtime.engine.tensor import Array, Tensor, quantize
from edge_runtime.types import Box

FORMATS = ("float32", "int8", "uint8")


def tensor_for(real: npt.ArrayLike, dtype: str, name: str = "out") -> Tensor:
    """A tensor of ``dtype`` with the range of ``real``, as a converter calibrates it."""
    values = np.asarray(real, np.float64)
    if dtype == "float32":
        return Tensor(name, values.shape, np.dtype(dtype))
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    scale = (high - low or 1.0) / 255
    zero_point = np.iinfo(dtype).min + round(-low / scale)
    return Tensor(name, values.shape, np.dtype(dtype), scale=scale, zero_point=zero_point)


class Outputs:
    """Some outputs of one model: their descriptions, and what they store."""

    def __init__(self, reals: list[Array], dtype: str) -> None:
        self.tensors = tuple(tensor_for(real, dtype) for real in reals)
        self._stored = [quantize(r, t) for r, t in zip(reals, self.tensors, strict=True)]

    def decoded_by(self, head: Head) -> Candidates:
        return head.decode(self._stored.__getitem__)


def found(candidates: Candidates) -> list[tuple[Box, float]]:
    """Boxes with scores, the best first."""
    pairs = zip(candidates.boxes.tolist(), candidates.scores.tolist(), strict=True)
    return sorted(((Box(*box), score) for box, score in pairs), key=lambda pair: -pair[1])
