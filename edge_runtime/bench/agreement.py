"""How far a variant's answers lie from those of the model it stands in for, on golden pictures.

For want of labelled pictures. It is no loss of accuracy but bounds what a variant changes: a
variant that answers alike is as accurate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_runtime.classify import sigmoid, softmax
from edge_runtime.engine.engine import Engine
from edge_runtime.engine.tensor import byte_writer, dequantize
from edge_runtime.store.manifest import Manifest
from edge_runtime.store.trial.golden import golden_pictures

Answers = Sequence[npt.NDArray[np.float32]]
"""For each output (pictures, numbers): real values, and likelihoods where it is a classifier's."""


def golden_answers(engine: Engine, manifest: Manifest) -> Answers:
    """What a model says to every golden picture. Raises ModelRejected."""
    picture = manifest.input
    write = byte_writer(engine.inputs[0], scale=picture.scale, offset=picture.offset)
    rows = []
    for _, pixels in golden_pictures((1, picture.height, picture.width, picture.channels)):
        write(pixels, engine.input())
        engine.invoke()
        rows.append(_outputs(engine))
    stacked = [np.stack(each) for each in zip(*rows, strict=True)]
    return [_likelihoods(each, manifest) for each in stacked]


def disagreement(one: Answers, other: Answers, manifest: Manifest) -> float:
    """From 0 (alike) to 1: the mean distance of two models' numbers, of the worst output.

    Likelihoods count as they are, other numbers in shares of the range that ``one``'s lie in. Both
    must have the same shapes.
    """
    return max(
        _distance(mine, yours, manifest.kind == "crop-classifier")
        for mine, yours in zip(one, other, strict=True)
    )


def _outputs(engine: Engine) -> list[npt.NDArray[np.float32]]:
    return [
        dequantize(np.array(engine.output(index)), tensor).ravel()
        for index, tensor in enumerate(engine.outputs)
    ]


def _likelihoods(values: npt.NDArray[np.float32], manifest: Manifest) -> npt.NDArray[np.float32]:
    if manifest.kind != "crop-classifier" or manifest.activation != "logits":
        return values
    return softmax(values) if values.shape[1] > 1 else sigmoid(values)


def _distance(
    mine: npt.NDArray[np.float32], yours: npt.NDArray[np.float32], likelihoods: bool
) -> float:
    apart = float(np.abs(mine - yours).mean())
    span = 1.0 if likelihoods else float(np.ptp(mine))
    if apart == 0:
        return 0.0
    return min(apart / span, 1.0) if span > 0 else 1.0
