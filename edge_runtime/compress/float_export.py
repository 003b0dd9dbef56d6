"""Writes a plain float32 chain of layers as a .tflite with nothing in it but the layers.

For nets that are stored small by pruning and shared values: their weights must reach the file
unchanged, number by number, which a general converter does not promise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray
from torch import nn

from edge_runtime.compress.slim import pack
from edge_runtime.errors import LayerUnsuited

Codes = schema.BuiltinOperator
Activations = schema.ActivationFunctionType


def export_chain(net: nn.Sequential, example: torch.Tensor) -> bytes:
    """A chain of convolutions, linear layers, ReLUs, largest-of pools and one Flatten as a .tflite.

    ``example`` [1, c, h, w] gives the input's shape; the file takes [1, h, w, c]. Weights are the
    net's own, turned to TFLite's order. Raises LayerUnsuited naming a layer it cannot write.
    """
    return pack(_Chain(net, example).model())


class _Chain:
    """Collects tensors, buffers and operators from the first layer to the last."""

    def __init__(self, net: nn.Sequential, example: torch.Tensor) -> None:
        self._buffers: list[bytes] = [b""]
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: list[int] = []
        self._at = self._tensor(_channels_last(tuple(example.shape)), 0)
        self._flattened: tuple[int, ...] | None = None
        with torch.no_grad():
            for layer in net.eval():
                example = self._add(layer, example)

    def model(self) -> Any:
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = np.array([0], np.int32), np.array([self._at], np.int32)
        model = schema.ModelT()
        model.version, model.subgraphs = 3, [graph]
        model.operatorCodes = [_operator_code(code) for code in self._codes]
        model.buffers = [_buffer(data) for data in self._buffers]
        return model

    def _add(self, layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
        """Write one layer; returns what it makes of ``x``."""
        result: torch.Tensor = layer(x)
        if isinstance(layer, nn.Flatten):
            self._flattened = tuple(x.shape[1:])
        elif isinstance(layer, nn.ReLU):
            self._operators[-1].builtinOptions.fusedActivationFunction = Activations.RELU
        elif isinstance(layer, nn.Linear):
            options = schema.FullyConnectedOptionsT()
            self._write(Codes.FULLY_CONNECTED, options, self._linear(layer), result)
        elif isinstance(layer, nn.Conv2d):
            self._write(Codes.CONV_2D, _conv_options(layer), self._conv(layer), result)
        elif isinstance(layer, nn.MaxPool2d):
            self._write(Codes.MAX_POOL_2D, _pool_options(layer), [], result)
        else:
            raise LayerUnsuited(f"no TFLite operator for the layer {layer}")
        return result

    def _linear(self, layer: nn.Linear) -> list[int]:
        """Behind a Flatten the columns follow the file's order of height, width, channel."""
        weight = layer.weight
        if self._flattened is not None and len(self._flattened) == 3:
            shaped = weight.unflatten(1, self._flattened)
            weight = shaped.permute(0, 2, 3, 1).flatten(1)
        self._flattened = None
        return [self._constant(weight), self._constant(layer.bias)]

    def _conv(self, layer: nn.Conv2d) -> list[int]:
        if layer.groups != 1 or tuple(layer.padding) != (0, 0) or tuple(layer.dilation) != (1, 1):
            raise LayerUnsuited(f"no way is written for the convolution {layer}")
        return [self._constant(layer.weight.permute(0, 2, 3, 1)), self._constant(layer.bias)]

    def _write(self, code: int, options: Any, constants: list[int], result: torch.Tensor) -> None:
        if code not in self._codes:
            self._codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = self._codes.index(code)
        made.inputs = np.array([self._at, *constants], np.int32)
        self._at = self._tensor(_channels_last(tuple(result.shape)), 0)
        made.outputs = np.array([self._at], np.int32)
        made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        made.builtinOptions = options
        self._operators.append(made)

    def _constant(self, values: torch.Tensor) -> int:
        numbers: NDArray[Any] = values.detach().contiguous().numpy()
        self._buffers.append(numbers.astype("<f4").tobytes())
        return self._tensor(numbers.shape, len(self._buffers) - 1)

    def _tensor(self, shape: tuple[int, ...], buffer: int) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type = np.array(shape, np.int32), schema.TensorType.FLOAT32
        tensor.buffer = buffer
        self._tensors.append(tensor)
        return len(self._tensors) - 1


def _conv_options(layer: nn.Conv2d) -> Any:
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH, options.strideW = layer.stride
    return options


def _pool_options(layer: nn.MaxPool2d) -> Any:
    if layer.padding != 0 or not isinstance(layer.kernel_size, int) or layer.ceil_mode:
        raise LayerUnsuited(f"no way is written for the pool {layer}")
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.VALID
    options.filterHeight = options.filterWidth = layer.kernel_size
    options.strideH = options.strideW = layer.stride
    return options


def _operator_code(code: int) -> Any:
    made = schema.OperatorCodeT()
    made.builtinCode, made.deprecatedBuiltinCode, made.version = code, code, 1
    return made


def _buffer(data: bytes) -> Any:
    made = schema.BufferT()
    made.data = np.frombuffer(data, np.uint8) if data else None
    return made


def _channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0], *shape[2:], shape[1]) if len(shape) == 4 else shape
