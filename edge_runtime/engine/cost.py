"""What one run of a graph costs: parameters held, multiply-accumulates (MACs) done.

MACs follow from shapes alone, as is usual in papers: additions of a bias, activations, pooling and
element-wise steps are not counted; a MAC is one multiplication and one addition.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from edge_runtime.engine.graph import Graph, GraphTensor, Operator
from edge_runtime.engine.operators import WITHOUT_MACS


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run with the shapes in the file."""

    parameters: int
    """Elements of weights and biases; bytes that tensors share count once."""
    macs: int | None
    """Of the operators that can be counted; None when a shape is only known at run time."""
    uncounted: tuple[str, ...]
    """Operators that multiply in ways not counted here: ``macs`` is then a lower bound."""


def cost_of(graph: Graph) -> Cost:
    """Work out the cost of ``graph``."""
    macs = [_macs(operator, graph.tensors) for operator in graph.operators]
    known = [count for count in macs if count is not None]
    names = {operator.name for operator in graph.operators}
    return Cost(
        parameters=_parameters(graph),
        macs=sum(known) if len(known) == len(macs) else None,
        uncounted=tuple(sorted(names - WITHOUT_MACS - COUNTED.keys())),
    )


def _parameters(graph: Graph) -> int:
    sizes = {t.buffer: t.elements or 0 for t in graph.tensors if t.constant and _is_weight(t)}
    return sum(sizes.values())


def _is_weight(tensor: GraphTensor) -> bool:
    # Shapes, axes and paddings are constants too: integers that carry no scale.
    return bool(tensor.scales) or tensor.type in ("FLOAT32", "FLOAT16", "BFLOAT16", "FLOAT64")


def _macs(operator: Operator, tensors: Sequence[GraphTensor]) -> int | None:
    rule = COUNTED.get(operator.name)
    if rule is None:
        return 0
    read = [tensors[index] for index in operator.inputs if index >= 0]
    written = tensors[operator.outputs[0]]
    if any(tensor.elements is None for tensor in (*read, written)):
        return None
    return rule(operator, [tensor.shape for tensor in read], written.shape)


Shape = tuple[int, ...]
Rule = Callable[[Operator, list[Shape], Shape], int]


def _convolution(_: Operator, read: list[Shape], written: Shape) -> int:
    # Weights (out, height, width, in / groups): each output element needs one slice of them.
    return math.prod(written) * math.prod(read[1][1:])


def _depthwise(_: Operator, read: list[Shape], written: Shape) -> int:
    # Weights (1, height, width, out): each output element looks at one channel.
    return math.prod(written) * math.prod(read[1][1:3])


def _transposed(_: Operator, read: list[Shape], written: Shape) -> int:
    # Inputs are (shape, weights (out, height, width, in), picture): each input element is spread.
    out, height, width, _channels = read[1]
    return math.prod(read[2]) * out * height * width


def _dense(_: Operator, read: list[Shape], written: Shape) -> int:
    # Weights (out, in).
    return math.prod(written) * read[1][-1]


def _matrices(operator: Operator, read: list[Shape], written: Shape) -> int:
    return math.prod(written) * read[0][-2 if operator.transposed[0] else -1]


COUNTED: Final[dict[str, Rule]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed,
    "FULLY_CONNECTED": _dense,
    "BATCH_MATMUL": _matrices,
}
