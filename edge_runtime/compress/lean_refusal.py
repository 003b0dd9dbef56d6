"""Why the lean writer (lean_writer.py) cannot write a net, told before it tries."""

from __future__ import annotations

import operator
from typing import Any

from torch import fx, nn

from edge_runtime.compress.layers import SameConv2d
from edge_runtime.compress.quantize import (
    ACTIVATIONS,
    POOLS,
    WEIGHTED,
    QuantizedNet,
    flattened,
    resized,
)

BYTES = (0.0, 1.0)
"""The range of inputs that are bytes over 255."""
_ONE_PIXEL = (1, (1, 1))


def lean_refusal(net: QuantizedNet) -> str | None:
    """What stands in the way, naming the first such layer; None for a net that can be written."""
    nodes = list(net.traced.graph.nodes)
    found = (f"{node.name}: {why}" for node in nodes if (why := _problem(net, node)))
    return next(found, None)


def _problem(net: QuantizedNet, node: fx.Node) -> str | None:
    module = net.module_of(node)
    if node.op == "placeholder":
        held = net.range_of(node)
        is_byte = (float(held.low), float(held.high)) == BYTES
        return None if is_byte else "inputs must be bytes over 255"
    if isinstance(module, nn.Conv2d):
        return _conv_problem(module)
    if isinstance(module, POOLS):
        return None if module.output_size in _ONE_PIXEL else "averages must be of the whole map"
    if isinstance(module, ACTIVATIONS):
        fused = net.activation_after(node.all_input_nodes[0]) is node and _computes(net, node)
        return None if fused else "an activation must be the only reader of a layer or an addition"
    if flattened(node):
        # Torch flattens channels first, the file channels last: alike only for a single pixel.
        after_average = isinstance(net.module_of(node.all_input_nodes[0]), POOLS)
        return None if after_average else "only averages can be flattened"
    if module is not None and not isinstance(module, nn.Linear):
        return f"no way is written for {type(module).__name__}"
    return _function_problem(net, node)


def _conv_problem(conv: nn.Conv2d) -> str | None:
    if not isinstance(conv, SameConv2d):
        return "convolutions must be padded as SameConv2d"
    depthwise = conv.groups == conv.in_channels == conv.out_channels
    return None if conv.groups == 1 or depthwise else "groups must be 1, or one for each channel"


def _function_problem(net: QuantizedNet, node: fx.Node) -> str | None:
    if node.target is operator.add:
        tensors = [each for each in node.all_input_nodes if each in net.homes]
        return None if len(tensors) == 2 else "additions must be of two computed tensors"
    if resized(node):
        bilinear = node.kwargs.get("mode") == "bilinear" and not node.kwargs.get("align_corners")
        return None if bilinear else "maps must be stretched bilinearly, corners not aligned"
    # What computes sizes is a constant in the file.
    known: tuple[Any, ...] = (operator.getitem, getattr)
    idle = node.op in ("output", "get_attr", "call_module") or node.target in known
    return None if idle else f"no way is written for {node.target}"


def _computes(net: QuantizedNet, activation: fx.Node) -> bool:
    """True when what is activated is an operator that takes activations in."""
    source = activation.all_input_nodes[0]
    is_layer = isinstance(net.module_of(source), (*WEIGHTED, *POOLS))
    return is_layer or source.target is operator.add
