"""Writes a plain float32 chain of layers as a .tflite with nothing in it but the layers.

For nets that are stored small by pruning and shared values: their weights must reach the file
unchanged, number by number, which a general converter (converter.py) does not promise.
"""

from __future__ import annotations

from typing import Any

import torch
from ai_edge_litert import schema_py_generated as schema
from torch import nn

from edge_runtime.compress.tflite_graph import TfliteGraph, channels_last
from edge_runtime.errors import LayerUnsuited

Codes = schema.BuiltinOperator
Activations = schema.ActivationFunctionType


def chain_tflite(net: nn.Sequential, example: torch.Tensor) -> bytes:
    """A chain of convolutions, linear layers, ReLUs, largest-of pools and one Flatten as a .tflite.

    ``example`` [1, c, h, w] gives the input's shape; the file takes [1, h, w, c]. Weights are the
    net's own, turned to TFLite's order. Raises LayerUnsuited naming a layer it cannot write.
    """
    chain = _Chain(example)
    with torch.no_grad():
        for layer in net.eval():
            example = chain.add(layer, example)
    return chain.as_bytes()


class _Chain:
    """Writes layers from the first to the last."""

    def __init__(self, example: torch.Tensor) -> None:
        self._graph = TfliteGraph()
        self._at = self._first = self._result(example)
        self._options: Any = None
        self._flattened: tuple[int, ...] | None = None

    def as_bytes(self) -> bytes:
        return self._graph.as_bytes([self._first], [self._at])

    def add(self, layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
        """Write one layer; returns what it makes of ``x``."""
        result: torch.Tensor = layer(x)
        if isinstance(layer, nn.Flatten):
            self._flattened = tuple(x.shape[1:])
        elif isinstance(layer, nn.ReLU) and self._options is not None:
            self._options.fusedActivationFunction = Activations.RELU
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
        return self._constants(weight, layer.bias)

    def _conv(self, layer: nn.Conv2d) -> list[int]:
        if layer.groups != 1 or tuple(layer.padding) != (0, 0) or tuple(layer.dilation) != (1, 1):
            raise LayerUnsuited(f"no way is written for the convolution {layer}")
        return self._constants(layer.weight.permute(0, 2, 3, 1), layer.bias)

    def _write(self, code: int, options: Any, constants: list[int], result: torch.Tensor) -> None:
        source, self._at, self._options = self._at, self._result(result), options
        self._graph.operator(code, options, [source, *constants], self._at)

    def _constants(self, weight: torch.Tensor, bias: torch.Tensor | None) -> list[int]:
        """The operators demand a bias."""
        parts = (weight, torch.zeros(len(weight)) if bias is None else bias)
        return [self._graph.constant(p.detach().contiguous().numpy().astype("<f4")) for p in parts]

    def _result(self, x: torch.Tensor) -> int:
        return self._graph.tensor(channels_last(tuple(x.shape)), "float32")


def _conv_options(layer: nn.Conv2d) -> Any:
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH, options.strideW = layer.stride
    return options


def _pool_options(layer: nn.MaxPool2d) -> Any:
    even = isinstance(layer.kernel_size, int) and isinstance(layer.stride, int)
    if not even or layer.padding != 0 or layer.dilation != 1 or layer.ceil_mode:
        raise LayerUnsuited(f"no way is written for the pool {layer}")
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.VALID
    options.filterHeight = options.filterWidth = layer.kernel_size
    options.strideH = options.strideW = layer.stride
    return options
