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
from torch.nn.utils import parametrize

from edge_runtime.compress.quantize import (
    ACTIVATIONS,
    POOLS,
    WEIGHTED,
    QuantizedNet,
    flattened,
    resized,
    weight_scale,
)
from edge_runtime.compress.slim import pack
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


def export(net: QuantizedNet, example: torch.Tensor) -> bytes:
    """The calibrated net as a .tflite for inputs shaped like `example` [1, c, h, w].

    The file takes raw bytes: int8 with scale 1 and zero point -128, NHWC. Inside, the unit of
    every tensor is chosen so that its scale is 1 as well (the next weights take up the
    difference): then a bias has the scale of its filter, and both are stored once.
    """
    return pack(_Writer(net, example).model())


class _Writer:
    """Collects tensors, buffers and operators while walking the trace."""

    def __init__(self, net: QuantizedNet, example: torch.Tensor) -> None:
        self._net = net.eval()
        self._shapes = _shapes(net, example)
        self._buffers: list[bytes] = [b""]
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: list[int] = []
        self._place: dict[fx.Node, int] = {}
        self._units = _units(net)
        self._outputs: list[int] = []

    def model(self) -> schema.ModelT:
        """Walk the trace and return the finished model."""
        for node in self._net.traced.graph.nodes:
            self._visit(node)
        model = schema.ModelT()
        model.version = 3
        model.operatorCodes = [_operator_code(code) for code in self._codes]
        model.subgraphs = [self._subgraph()]
        model.buffers = [_buffer(data) for data in self._buffers]
        return model

    def _subgraph(self) -> Any:
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = np.array([0], np.int32), np.array(self._outputs, np.int32)
        return graph

    def _visit(self, node: fx.Node) -> None:
        module = self._net.module_of(node)
        if node.op == "placeholder":
            self._result(node)
        elif node.op == "output":
            self._outputs = [self._place[each] for each in node.all_input_nodes]
        elif isinstance(module, ACTIVATIONS):
            self._alias(node)
        elif isinstance(module, WEIGHTED):
            self._weighted(node, module)
        elif isinstance(module, POOLS):
            self._mean(node)
        elif node.target is operator.add:
            self._add(node)
        elif resized(node):
            self._resize(node)
        elif flattened(node):
            self._alias(node)  # FULLY_CONNECTED flattens by itself
        elif not _only_shapes(node):
            raise LayerUnsuited(f"no TFLite operator for {node.op} {node.target}")

    def _alias(self, node: fx.Node) -> None:
        """Nothing to compute: the activation was fused into its source."""
        self._place[node] = self._place[node.all_input_nodes[0]]

    def _result(self, node: fx.Node) -> int:
        """A tensor for what the node computes, after its activation."""
        scale = np.array([self._scale(node)])
        kept = _quantization(scale, self._net.range_of(node).zero_point)
        self._place[node] = self._tensor(
            _channels_last(self._shapes[node]), schema.TensorType.INT8, 0, kept
        )
        return self._place[node]

    def _scale(self, node: fx.Node) -> float:
        """The scale the file declares for a node's tensor."""
        return self._net.range_of(node).scale / self._units[self._net.homes[node]]

    def _weighted(self, node: fx.Node, module: nn.Conv2d | nn.Linear) -> None:
        source = node.all_input_nodes[0]
        weight, bias = module.weight.detach(), module.bias
        depthwise = isinstance(module, nn.Conv2d) and module.groups > 1
        step = weight_scale(_raw_weight(module)).double().numpy()
        whole = np.round(
            weight.double().numpy() / step.reshape(-1, *[1] * (weight.dim() - 1))
        ).clip(-127, 127)
        real = step * self._net.range_of(source).scale
        offset = np.round(
            np.zeros(len(step)) if bias is None else bias.detach().double().numpy() / real
        )
        declared = step * self._units[self._net.homes[source]] / self._units[self._net.homes[node]]
        filters = self._constant(
            _filter_layout(whole, depthwise).astype(np.int8), declared, 3 if depthwise else 0
        )
        biases = self._constant(offset.astype(np.int32), declared * self._scale(source), 0)
        code, options = _weighted_options(module, depthwise, self._fused(node))
        self._operator(code, options, [self._place[source], filters, biases], self._result(node))

    def _add(self, node: fx.Node) -> None:
        options = schema.AddOptionsT()
        options.fusedActivationFunction = self._fused(node)
        places = [self._place[each] for each in node.all_input_nodes]
        self._operator(Codes.ADD, options, places, self._result(node))

    def _resize(self, node: fx.Node) -> None:
        source = node.all_input_nodes[0]
        size = self._plain(np.array(self._shapes[node][2:], np.int32))
        options = schema.ResizeBilinearOptionsT()
        options.halfPixelCenters = True
        self._operator(
            Codes.RESIZE_BILINEAR, options, [self._place[source], size], self._result(node)
        )

    def _mean(self, node: fx.Node) -> None:
        options = schema.ReducerOptionsT()
        options.keepDims = True
        places = [self._place[node.all_input_nodes[0]], self._plain(np.array([1, 2], np.int32))]
        self._operator(Codes.MEAN, options, places, self._result(node))

    def _fused(self, node: fx.Node) -> int:
        after = self._net.activation_after(node)
        module = self._net.module_of(after) if after is not None else None
        kinds = schema.ActivationFunctionType
        # No int8 lies above the range, and the range ends at or below 6: saturation is the 6 of
        # ReLU6 in any unit.
        return int(kinds.RELU if isinstance(module, ACTIVATIONS) else kinds.NONE)

    def _constant(self, values: NDArray[Any], step: NDArray[Any], axis: int) -> int:
        kind = schema.TensorType.INT8 if values.dtype == np.int8 else schema.TensorType.INT32
        return self._tensor(values.shape, kind, self._buffer(values), _quantization(step, 0, axis))

    def _plain(self, values: NDArray[np.int32]) -> int:
        return self._tensor(values.shape, schema.TensorType.INT32, self._buffer(values), None)

    def _buffer(self, values: NDArray[Any]) -> int:
        data = values.tobytes()
        if data not in self._buffers:
            self._buffers.append(data)
        return self._buffers.index(data)

    def _tensor(self, shape: tuple[int, ...], kind: int, buffer: int, quantization: Any) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = np.array(shape, np.int32), kind, buffer
        tensor.quantization = quantization
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _operator(self, code: int, options: Any, inputs: list[int], output: int) -> None:
        if code not in self._codes:
            self._codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = self._codes.index(code)
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        made.builtinOptions = options
        self._operators.append(made)


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


def _raw_weight(module: nn.Module) -> torch.Tensor:
    """The weight before rounding, from which the scale was taken."""
    return (
        module.parametrizations.weight.original
        if parametrize.is_parametrized(module)
        else module.weight
    )


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


def _channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0], *shape[2:], shape[1]) if len(shape) == 4 else shape


def _quantization(scale: NDArray[Any], zero_point: int, axis: int = 0) -> Any:
    made = schema.QuantizationParametersT()
    made.scale = scale.astype(np.float32)
    made.zeroPoint = np.full(len(scale), zero_point, np.int64)
    made.quantizedDimension = axis
    return made


def _operator_code(code: int) -> Any:
    made = schema.OperatorCodeT()
    made.builtinCode, made.deprecatedBuiltinCode, made.version = (
        code,
        min(code, 127),
        VERSIONS[code],
    )
    return made


def _buffer(data: bytes) -> Any:
    made = schema.BufferT()
    made.data = np.frombuffer(data, np.uint8) if data else None
    return made


def _only_shapes(node: fx.Node) -> bool:
    """Nodes that compute sizes, which are constants in the file."""
    return node.target is getattr or node.target is operator.getitem or node.op == "get_attr"


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
