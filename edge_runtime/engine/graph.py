"""What a .tflite file contains: tensors, operators, inputs and outputs. Frozen nouns."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_runtime.engine.tensor import Tensor
from edge_runtime.errors import ModelRejected

BITS: Final = {
    "FLOAT32": 32,
    "FLOAT16": 16,
    "INT32": 32,
    "UINT8": 8,
    "INT64": 64,
    "STRING": None,
    "BOOL": 8,
    "INT16": 16,
    "COMPLEX64": 64,
    "INT8": 8,
    "FLOAT64": 64,
    "COMPLEX128": 128,
    "UINT64": 64,
    "RESOURCE": None,
    "VARIANT": None,
    "UINT32": 32,
    "UINT16": 16,
    "INT4": 4,
    "BFLOAT16": 16,
    "INT2": 2,
    "UINT4": 4,
    "FLOAT8_E4M3FN": 8,
    "FLOAT8_E5M2": 8,
}
"""Element types in the order of the schema's TensorType, and bits per element; None: no fixed."""

TYPES: Final = tuple(BITS)


@dataclass(frozen=True, slots=True)
class GraphTensor:
    """A tensor of the file: computed, or a constant with stored bytes."""

    name: str
    shape: tuple[int, ...]
    """As it runs unless resized: 1 for an open batch; -1 where nothing is known before it runs."""
    type: str
    """A key of BITS."""
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    """The dimension the scales run along, when there are several."""
    buffer: int
    """Tensors with the same number share their bytes."""
    stored_bytes: int
    """Bytes of the constant; 0 for what is computed."""

    @property
    def constant(self) -> bool:
        return self.stored_bytes > 0

    @property
    def elements(self) -> int | None:
        """None when a length is unknown before the model runs."""
        return None if min(self.shape, default=1) < 0 else math.prod(self.shape)

    @property
    def needed_bytes(self) -> int | None:
        """Bytes its elements take, packed; None when that is not fixed."""
        bits, elements = BITS[self.type], self.elements
        return None if bits is None or elements is None else -(-bits * elements // 8)

    def described(self) -> Tensor:
        """As an Engine describes an input or output; ModelRejected where numpy has no such type."""
        try:
            dtype = np.dtype(self.type.lower())
        except TypeError:
            raise ModelRejected(
                f"tensor {self.name!r} is of type {self.type}, which cannot be an input or output"
            ) from None
        per_channel = len(self.scales) > 1
        return Tensor(
            name=self.name,
            shape=self.shape,
            dtype=dtype,
            scale=None if per_channel or not self.scales else self.scales[0],
            zero_point=None if per_channel or not self.scales else self.zero_points[0],
            scales=self.scales if per_channel else (),
            zero_points=self.zero_points if per_channel else (),
            axis=self.axis if per_channel else 0,
        )


@dataclass(frozen=True, slots=True)
class Operator:
    """One step: which tensors it reads and writes."""

    name: str
    """The schema's name; ``CUSTOM:…`` for operators from elsewhere."""
    inputs: tuple[int, ...]
    """Indices of tensors; -1 where an optional one is left out."""
    outputs: tuple[int, ...]
    transposed: tuple[bool, bool] = (False, False)
    """BATCH_MATMUL: whether its left and right matrices are read transposed."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The main subgraph of a file, its references checked."""

    tensors: tuple[GraphTensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    file_bytes: int

    def interface(self) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Descriptions of the inputs and of the outputs."""
        return (
            tuple(self.tensors[index].described() for index in self.inputs),
            tuple(self.tensors[index].described() for index in self.outputs),
        )

    def operator_counts(self) -> dict[str, int]:
        """Operator name to how often it occurs, most often first."""
        return dict(Counter(operator.name for operator in self.operators).most_common())
