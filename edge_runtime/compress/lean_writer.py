"""Writes a QuantizedNet as a .tflite: nothing in the file that the net did not ask for.

A general converter leaves PAD and TRANSPOSE operators, names and unshared zero points behind; here
one torch layer is one TFLite operator, activations are fused, and the bytes are as few as the
format allows.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray
from torch import fx, nn

from edge_runtime.compress.lean_refusal import lean_refusal
from edge_runtime.compress.prune import trained_weight
from edge_runtime.compress.quantize import (
    ACTIVATIONS,
    POOLS,
    WEIGHTED,
    QuantizedNet,
    flattened,
    resized,
    weight_scale,
)
from edge_runtime.compress.tflite_graph import TfliteGraph, channels_last, quantization
from edge_runtime.errors import LayerUnsuited

Codes = schema.BuiltinOperator
VERSIONS = {
    Codes.CONV_2D: 3,
    Codes.DEPTHWISE_CONV_2D: 3,
    Codes.ADD: 2,
    Codes.RESIZE_BILINEAR: 3,
    Codes.MEAN: 2,
    Codes.FULLY_CONNECTED: 4,
}
"""The first version of each operator that knows int8 (and half-pixel centres)."""


def lean_tflite(net: QuantizedNet, example: torch.Tensor) -> bytes:
    """The calibrated net as a .tflite for inputs shaped like `example` [1, c, h, w].

    The file takes raw bytes: int8 with scale 1 and zero point -128, NHWC. Inside, the unit of
    every tensor is chosen so that its scale is 1 as well (the next weights take up the
    difference): then a bias has the scale of its filter, and both are stored once.

    Raises LayerUnsuited with what ``lean_refusal`` says.
    """
    refusal = lean_refusal(net)
    if refusal:
        raise LayerUnsuited(f"the lean writer cannot write this net: {refusal}")
    return _Writer(net, example).as_bytes()


class _Writer:
    """Writes tensors and operators while walking the trace."""

    def __init__(self, net: QuantizedNet, example: torch.Tensor) -> None:
        self._net = net.eval()
        self._shapes = _shapes(net, example)
        self._graph = TfliteGraph(VERSIONS)
        self._place: dict[fx.Node, int] = {}
        self._units = _units(net)

    def as_bytes(self) -> bytes:
        """Walk the trace and return the finished file."""
        inputs: list[fx.Node] = []
        outputs: list[fx.Node] = []
        for node in self._net.traced.graph.nodes:
            inputs += [node] if node.op == "placeholder" else []
            outputs += node.all_input_nodes if node.op == "output" else []
            self._visit(node)
        places = [[self._place[node] for node in nodes] for nodes in (inputs, outputs)]
        return self._graph.as_bytes(*places)

    def _visit(self, node: fx.Node) -> None:
        module = self._net.module_of(node)
        if node.op == "placeholder":
            self._result(node)
        elif isinstance(module, WEIGHTED):
            self._weighted(node, module)
        elif isinstance(module, POOLS):
            self._mean(node)
        elif node.target is operator.add:
            self._add(node)
        elif resized(node):
            self._resize(node)
        elif isinstance(module, ACTIVATIONS) or flattened(node):
            # Activations were fused into their source, FULLY_CONNECTED flattens by itself.
            self._place[node] = self._place[node.all_input_nodes[0]]

    def _result(self, node: fx.Node) -> int:
        """A tensor for what the node computes, after its activation."""
        kept = quantization(np.array([self._scale(node)]), self._net.range_of(node).zero_point)
        self._place[node] = self._graph.tensor(channels_last(self._shapes[node]), "int8", kept)
        return self._place[node]

    def _scale(self, node: fx.Node) -> float:
        """The scale the file declares for a node's tensor."""
        return self._net.range_of(node).scale / self._units[self._net.homes[node]]

    def _weighted(self, node: fx.Node, module: nn.Conv2d | nn.Linear) -> None:
        source = node.all_input_nodes[0]
        step = _step(module)
        whole = _whole(module.weight, step)
        real = step * self._net.range_of(source).scale
        offset = np.zeros(len(whole)) if module.bias is None else _double(module.bias) / real
        declared = step * self._units[self._net.homes[source]] / self._units[self._net.homes[node]]
        depthwise = isinstance(module, nn.Conv2d) and module.groups > 1
        filters = self._graph.constant(
            _filter_layout(whole, depthwise), quantization(declared, axis=3 if depthwise else 0)
        )
        biases = self._graph.constant(
            np.round(offset).astype(np.int32), quantization(declared * self._scale(source))
        )
        code, options = _weighted_options(module, depthwise, self._fused(node))
        places = [self._place[source], filters, biases]
        self._graph.operator(code, options, places, self._result(node))

    def _add(self, node: fx.Node) -> None:
        options = schema.AddOptionsT()
        options.fusedActivationFunction = self._fused(node)
        places = [self._place[each] for each in node.all_input_nodes]
        self._graph.operator(Codes.ADD, options, places, self._result(node))

    def _resize(self, node: fx.Node) -> None:
        options = schema.ResizeBilinearOptionsT()
        options.halfPixelCenters = True
        size = self._graph.constant(np.array(self._shapes[node][2:], np.int32))
        places = [self._place[node.all_input_nodes[0]], size]
        self._graph.operator(Codes.RESIZE_BILINEAR, options, places, self._result(node))

    def _mean(self, node: fx.Node) -> None:
        options = schema.ReducerOptionsT()
        options.keepDims = True
        axes = self._graph.constant(np.array([1, 2], np.int32))
        places = [self._place[node.all_input_nodes[0]], axes]
        self._graph.operator(Codes.MEAN, options, places, self._result(node))

    def _fused(self, node: fx.Node) -> int:
        after = self._net.activation_after(node)
        module = self._net.module_of(after) if after is not None else None
        kinds = schema.ActivationFunctionType
        # No int8 lies above the range, and the range ends at or below 6: saturation is the 6 of
        # ReLU6 in any unit.
        return int(kinds.RELU if isinstance(module, ACTIVATIONS) else kinds.NONE)


def _units(net: QuantizedNet) -> dict[fx.Node, float]:
    """By home, what one declared unit is in the net's own units.

    Tensors that are added must agree, outputs keep the net's unit, and the input's unit is a byte.
    """
    results = {
        net.homes[each]
        for node in net.traced.graph.nodes
        if node.op == "output"
        for each in node.all_input_nodes
    }
    fixed = {net.groups[home] for home in results if home in net.groups}
    shared = {
        g: net.range_of(home).scale
        for home, g in net.groups.items()
        if net.keys[home] == f"group_{g}"
    }
    units: dict[fx.Node, float] = {}
    for home in net.keys:
        group = net.groups.get(home)
        own = net.range_of(home).scale if group is None else shared.get(group, 1.0)
        units[home] = 1.0 if home in results or group in fixed else own
    return units


def _step(module: Any) -> NDArray[np.float64]:
    """[channels] or [1]: the real value of one step of the layer's weight."""
    raw = trained_weight(module)
    if raw is module.weight:
        return _double(weight_scale(raw))
    return _double(module.parametrizations.weight[-1].scale(raw))


def _whole(weight: torch.Tensor, step: NDArray[np.float64]) -> NDArray[np.int8]:
    """A weight counted in steps, as torch lays it out."""
    counted = _double(weight) / step.reshape(-1, *[1] * (weight.dim() - 1))
    return np.round(counted).clip(-127, 127).astype(np.int8)


def _double(values: torch.Tensor) -> NDArray[np.float64]:
    found: NDArray[np.float64] = values.detach().double().numpy()
    return found


def _weighted_options(
    module: nn.Conv2d | nn.Linear, depthwise: bool, fused: int
) -> tuple[int, Any]:
    if isinstance(module, nn.Linear):
        code, options = Codes.FULLY_CONNECTED, schema.FullyConnectedOptionsT()
    elif depthwise:
        code, options = Codes.DEPTHWISE_CONV_2D, schema.DepthwiseConv2DOptionsT()
        options.depthMultiplier = 1
    else:
        code, options = Codes.CONV_2D, schema.Conv2DOptionsT()
    if isinstance(module, nn.Conv2d):
        options.padding = schema.Padding.SAME
        options.strideH, options.strideW = module.stride
    options.fusedActivationFunction = fused
    return int(code), options


def _filter_layout(weight: NDArray[Any], depthwise: bool) -> NDArray[Any]:
    """Torch's [out, in, h, w] as TFLite's [out, h, w, in], or [1, h, w, out] when depthwise."""
    if weight.ndim == 2:
        return weight
    return weight.transpose(1, 2, 3, 0) if depthwise else weight.transpose(0, 2, 3, 1)


class _ShapeKeeper(fx.Interpreter):
    shapes: dict[fx.Node, tuple[int, ...]]

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, torch.Tensor):
            self.shapes[n] = tuple(result.shape)
        return result


def _shapes(net: QuantizedNet, example: torch.Tensor) -> dict[fx.Node, tuple[int, ...]]:
    keeper = _ShapeKeeper(net.traced)
    keeper.shapes = {}
    with torch.no_grad():
        keeper.run(example)
    return keeper.shapes
