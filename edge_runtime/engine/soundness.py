"""Whether a graph holds together: indices exist, constants are whole, operators get what they need.

The interpreters check some of this, and crash on the rest: tflite-runtime 2.14 died on two thirds
of truncated files. ``python -m tests.engine.damage`` counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from edge_runtime.engine.flatbuffer import FlatbufferDamaged
from edge_runtime.engine.graph import Graph, GraphTensor, Operator

LONGEST_RANK: Final = 8
"""Kernels keep shapes in arrays of this length."""

LARGEST_TENSOR: Final = 256 * 2**20
"""Elements. Nothing that runs on these boards needs half as many; a flipped bit asks for more."""

RANKS: Final[dict[str, tuple[int, ...]]] = {
    "CONV_2D": (4, 4),
    "DEPTHWISE_CONV_2D": (4, 4),
    "TRANSPOSE_CONV": (1, 4, 4),
    "FULLY_CONNECTED": (1, 2),
    "BATCH_MATMUL": (2, 2),
}
"""The least number of dimensions of the first inputs, for operators that read them unasked."""


def within(what: str, index: int, count: int) -> int:
    """``index``, when it is one of ``count``."""
    if not 0 <= index < count:
        raise FlatbufferDamaged(f"{what} {index} is used, but there are {count}")
    return index


def check_graph(graph: Graph) -> None:
    """Raise FlatbufferDamaged unless every reference holds and every operator has its inputs."""
    if not graph.operators or not graph.outputs:
        raise FlatbufferDamaged("a graph has no operators or no outputs")
    for index in _used(graph):
        within("tensor", index, len(graph.tensors))
    for operator in graph.operators:
        _check_operator(operator, graph.tensors)


def check_tensor(tensor: GraphTensor, *, sparse: bool) -> None:
    """Raise FlatbufferDamaged unless shape, stored bytes and scales belong together."""
    _check_shape(tensor)
    needed = tensor.needed_bytes
    if tensor.constant and not sparse and needed is not None and needed != tensor.stored_bytes:
        raise FlatbufferDamaged(
            f"constant {tensor.name!r} needs {needed} bytes, {tensor.stored_bytes} are stored"
        )
    _check_scales(tensor)


def _used(graph: Graph) -> Iterator[int]:
    """Every tensor index that must exist; -1 means left out, and only an operator may do so."""
    yield from graph.inputs
    yield from graph.outputs
    for operator in graph.operators:
        yield from (index for index in operator.inputs if index != -1)
        yield from operator.outputs


def _check_operator(operator: Operator, tensors: Sequence[GraphTensor]) -> None:
    if any(tensors[index].constant for index in operator.outputs):
        raise FlatbufferDamaged(f"{operator.name} would write over a constant")
    ranks = RANKS.get(operator.name, ())
    read = [tensors[index].shape for index in operator.inputs[: len(ranks)] if index != -1]
    if ranks and (len(read) < len(ranks) or not operator.outputs):
        raise FlatbufferDamaged(f"{operator.name} lacks an input or output")
    for shape, rank in zip(read, ranks, strict=True):
        if len(shape) < rank:
            raise FlatbufferDamaged(f"{operator.name} reads {len(shape)} of {rank} dimensions")
    if operator.name == "CONV_2D":
        _check_groups(*read)


def _check_groups(picture: tuple[int, ...], weights: tuple[int, ...]) -> None:
    """Weights (out, height, width, in / groups): groups must divide both channel counts."""
    channels, out, share = picture[3], weights[0], weights[3]
    if channels < 0:
        return  # known at run time only; the interpreter checks it then
    if share < 1 or channels % share or out % max(1, channels // share):
        raise FlatbufferDamaged(f"CONV_2D weights {weights} do not fit {channels} channels")


def _check_shape(tensor: GraphTensor) -> None:
    if len(tensor.shape) > LONGEST_RANK or min(tensor.shape, default=0) < -1:
        raise FlatbufferDamaged(f"tensor {tensor.name!r} has the shape {tensor.shape}")
    if math.prod(map(abs, tensor.shape)) > LARGEST_TENSOR:
        raise FlatbufferDamaged(f"tensor {tensor.name!r} of shape {tensor.shape} is too large")


def _check_scales(tensor: GraphTensor) -> None:
    scales = np.array(tensor.scales)
    if not np.isfinite(scales).all() or (scales < 0).any():
        raise FlatbufferDamaged(f"a scale of tensor {tensor.name!r} is no positive number")
    if tensor.type in ("INT8", "UINT8", "INT16") and scales.size:
        limits = np.iinfo(tensor.type.lower())
        if not limits.min <= min(tensor.zero_points) <= max(tensor.zero_points) <= limits.max:
            raise FlatbufferDamaged(f"a zero point of {tensor.name!r} is no {tensor.type}")
    if scales.size < 2:
        return
    if not 0 <= tensor.axis < len(tensor.shape) or tensor.shape[tensor.axis] != scales.size:
        raise FlatbufferDamaged(f"tensor {tensor.name!r} has {scales.size} scales, not one a slice")
