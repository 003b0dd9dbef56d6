"""SSD whose last step is TFLite_Detection_PostProcess: boxes come decoded and suppressed.

Outputs, in the operator's own order: boxes (1, n, 4) as ymin, xmin, ymax, xmax in shares of the
input; classes (1, n), numbered from 0 without the background; scores (1, n); count (1,), how many
of the n hold. TensorFlow 2's converter writes them in another order (scores, boxes, count,
classes), and nothing in the tensors tells classes from scores, so ``order`` says which is which.

Source: tensorflow/lite/kernels/detection_postprocess.cc.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from edge_runtime.attention.heads.head import (
    NOTHING,
    Candidates,
    Read,
    Reals,
    Size,
    listed,
    require_probabilities,
)
from edge_runtime.engine.tensor import Tensor, dequantize
from edge_runtime.errors import ModelRejected

RANKS: Final = {"boxes": 3, "classes": 2, "scores": 2, "count": 1}
"""Dimensions of each output, in the operator's own order."""


class SsdHead:
    """Reads what the post-processing operator found; ``counted`` are the classes that count."""

    def __init__(
        self,
        outputs: Sequence[Tensor],
        size: Size,
        *,
        threshold: float,
        order: Sequence[str] = (),
        counted: Collection[int] | None = None,
    ) -> None:
        order = tuple(order) or tuple(RANKS)
        ranks = [len(tensor.shape) for tensor in outputs]
        if ranks != [RANKS[each] for each in order] or outputs[order.index("boxes")].shape[2] != 4:
            raise ModelRejected(
                f"the detector's outputs are {listed(outputs)}, which is not {', '.join(order)} of "
                "TFLite_Detection_PostProcess: check head.outputs in the model's manifest.json"
            )
        self._outputs = tuple(outputs)
        self._at = {each: index for index, each in enumerate(order)}
        self._corners = np.array([size[1], size[0]] * 2, np.float32)
        self._threshold = threshold
        self._counted = None if counted is None else np.array(sorted(counted))

    def decode(self, read: Read) -> Candidates:
        scores = self._real("scores", read)[0]
        held = np.arange(scores.size) < self._real("count", read)[0]
        at = (held & (scores >= self._threshold)).nonzero()[0]
        require_probabilities(scores[at], "scores")
        if self._counted is not None:
            classes = np.rint(self._real("classes", read)[0, at])
            at = at[np.isin(classes, self._counted)]
        if not at.size:
            return NOTHING
        top, left, bottom, right = (self._real("boxes", read)[0, at] * self._corners).T
        boxes = np.stack([left, top, right - left, bottom - top], axis=1)
        return Candidates(boxes, scores[at])

    def _real(self, output: str, read: Read) -> Reals:
        index = self._at[output]
        return dequantize(read(index), self._outputs[index])
