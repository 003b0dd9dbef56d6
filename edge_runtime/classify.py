"""Crops to Results: any small classifier, its sizes, labels and activation told by its manifest.

What the network's last step is decides how its numbers become probabilities:

- ``softmax``: they already are, one for each label;
- ``logits``: softmax(x)_i = exp(x_i - max x) / sum_j exp(x_j - max x);
- ``sigmoid``: they already are, each label for itself.

A network with one output and two labels says how likely the second label is: as it stands after
``softmax`` or ``sigmoid``, through 1 / (1 + exp(-x)) from ``logits``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from edge_runtime.engine.engine import Engine
from edge_runtime.engine.tensor import Tensor, byte_writer, dequantize
from edge_runtime.errors import ModelRejected
from edge_runtime.types import Clock, Crop, CropSpec, Result

Activation = Literal["softmax", "logits", "sigmoid"]
Reals = npt.NDArray[np.float32]

MOST_OVER_ONE: Final = 0.1
"""How far a number that should be a probability may lie beyond 0 and 1."""


class InputDescription(Protocol):
    """What a manifest says of the input: real = byte * scale + offset."""

    @property
    def scale(self) -> float: ...
    @property
    def offset(self) -> float: ...


class ClassifierDescription(Protocol):
    """The part of a model's manifest that a Classifier needs."""

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def activation(self) -> Activation: ...
    @property
    def input(self) -> InputDescription: ...
    @property
    def crop_spec(self) -> CropSpec: ...


class Classifier:
    """One model that says something about each crop it is given.

    Raises ModelRejected when the model's tensors do not fit the manifest.
    """

    def __init__(
        self,
        engine: Engine,
        manifest: ClassifierDescription,
        *,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.name = manifest.name
        self.crop_spec = manifest.crop_spec
        """What its crops must look like."""
        self.labels = manifest.labels
        self.invoke_s = 0.0
        """Seconds the last ``classify`` spent inside the interpreter."""
        self.classify_s = 0.0
        """Seconds the last ``classify`` took in all."""
        self._engine = engine
        self._clock = clock
        self._shape = _crop_shape(self.crop_spec)
        self._output = _check_tensors(engine, manifest)
        self._activation = manifest.activation
        # A float output has no range that could be checked beforehand.
        self._may_be_logits = self._activation != "logits" and not self._output.quantized
        self._write = byte_writer(
            engine.inputs[0], scale=manifest.input.scale, offset=manifest.input.offset
        )

    def classify(self, crops: Sequence[Crop]) -> tuple[Result, ...]:
        """One Result for each crop, in their order.

        Raises ValueError for a crop whose pixels are not of ``crop_spec``'s size.
        """
        began = self._clock()
        self.invoke_s = 0.0
        if not crops:
            return ()
        stored = np.empty((len(crops), *self._output.shape[1:]), self._output.dtype)
        for row, crop in zip(stored, crops, strict=True):
            self._run(crop, row)
        scores = self._probabilities(stored).tolist()
        results = tuple(
            Result(crop.track, self.name, dict(zip(self.labels, row, strict=True)))
            for crop, row in zip(crops, scores, strict=True)
        )
        self.classify_s = self._clock() - began
        return results

    def _run(self, crop: Crop, row: npt.NDArray[Any]) -> None:
        if crop.pixels.shape != self._shape:
            raise ValueError(
                f"{self.name} takes crops of {self._shape} pixels, got {crop.pixels.shape}"
            )
        self._write(crop.pixels, self._engine.input())
        self._engine.invoke()
        self.invoke_s += self._engine.invoke_s
        row[...] = self._engine.output()[0]

    def _probabilities(self, stored: npt.NDArray[Any]) -> Reals:
        """(crops, labels) probabilities of (crops, outputs) stored numbers."""
        values = dequantize(stored, self._output).reshape(len(stored), -1)
        if self._may_be_logits and not _are_probabilities(values):
            raise ModelRejected(
                f"model {self.name} does not fit its manifest: activation {self._activation!r} "
                f"means probabilities, but it said {values.tolist()}: set activation to 'logits'"
            )
        if values.shape[1] < len(self.labels):
            second = sigmoid(values) if self._activation == "logits" else values
            return np.concatenate([1 - second, second], axis=1)
        return softmax(values) if self._activation == "logits" else values


def softmax(values: Reals) -> Reals:
    """Along the last axis of (crops, labels)."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def sigmoid(values: Reals) -> Reals:
    """1 / (1 + exp(-x)), by way of tanh, which does not overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(values / 2), np.float32)


def _are_probabilities(values: Reals) -> bool:
    return bool(values.min() > -MOST_OVER_ONE and values.max() < 1 + MOST_OVER_ONE)


def _crop_shape(spec: CropSpec) -> tuple[int, ...]:
    return (spec.height, spec.width, *((spec.channels,) if spec.channels > 1 else ()))


def _check_tensors(engine: Engine, manifest: ClassifierDescription) -> Tensor:
    """The output tensor, after input and output were found to fit the manifest."""
    spec = manifest.crop_spec
    _expect(
        manifest.name,
        "input",
        engine.inputs,
        {(1, spec.height, spec.width, spec.channels)},
        f"a crop of {spec.width}x{spec.height} pixels with {spec.channels} channel(s)",
    )
    count = len(manifest.labels)
    sizes = {count, 1} if count == 2 else {count}
    output = _expect(
        manifest.name,
        "output",
        engine.outputs,
        {(1, *ones, size) for size in sizes for ones in ((), (1, 1))},
        f"{count} labels ({', '.join(manifest.labels)})",
    )
    if manifest.activation != "logits":
        _refuse_logits(output, manifest)
    return output


def _expect(
    model: str,
    role: str,
    tensors: Sequence[Tensor],
    shapes: set[tuple[int, ...]],
    reason: str,
) -> Tensor:
    if len(tensors) == 1 and tensors[0].shape in shapes:
        return tensors[0]
    got = ", ".join(str(tensor) for tensor in tensors)
    expected = " or ".join("x".join(map(str, shape)) for shape in sorted(shapes))
    raise ModelRejected(
        f"model {model} does not fit its manifest: its {role} is {got}; expected one of shape "
        f"{expected}, for {reason}"
    )


def _refuse_logits(output: Tensor, manifest: ClassifierDescription) -> None:
    """A quantized output tells its range: one that reaches far beyond 1 holds no probabilities."""
    if output.limits is None:
        return
    low, high = output.limits
    if high > 1 + MOST_OVER_ONE:
        raise ModelRejected(
            f"model {manifest.name} does not fit its manifest: activation {manifest.activation!r} "
            f"means probabilities, but the output holds {low:.3g} to {high:.3g}: "
            "set activation to 'logits'"
        )
