"""Reads a float net back from the .tflite that the lean writer made of it.

The file has no names and its units were chosen freely; what it computes pins the rest down. A
tensor's real value is the file's times a unit: 1/255 for the bytes that go in, 1 for what comes
out, and behind a ReLU6 whatever makes the largest int8 mean 6, for there the file saturates.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from edge_runtime.compress.layers import ConvUnit
from edge_runtime.compress.origin import named_object
from edge_runtime.compress.quantize import ACTIVATIONS, WEIGHTED, QuantizedNet
from edge_runtime.compress.samples import Samples
from edge_runtime.errors import LayerUnsuited

Codes = schema.BuiltinOperator
_WEIGHTED_CODES = (Codes.CONV_2D, Codes.DEPTHWISE_CONV_2D, Codes.FULLY_CONNECTED)
_TYPES = {schema.TensorType.INT8: np.int8, schema.TensorType.INT32: np.int32}
BATCH, SETTLING_BATCHES = 64, 16
_LARGEST, _LEVELS = 6.0, 255


class StoredLayer(NamedTuple):
    """One weighted operator of a file, in the file's units."""

    weight: NDArray[np.float64]
    """As torch lays it out."""
    bias: NDArray[np.float64]
    scale_out: float


def stored_layers(model: bytes) -> list[StoredLayer]:
    """The weighted operators of a lean .tflite, in the order they run."""
    made = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model))
    graph = made.subgraphs[0]
    codes = [each.builtinCode for each in made.operatorCodes]
    return [
        _stored(made, operator, codes[operator.opcodeIndex] == Codes.DEPTHWISE_CONV_2D)
        for operator in graph.operators
        if codes[operator.opcodeIndex] in _WEIGHTED_CODES
    ]


def resume_weights(net: nn.Module, model: bytes, batches: Iterable[Tensor]) -> None:
    """Give ``net`` the weights of a lean file of its own shape, so that training can go on.

    The file's batch norms were folded away: they get the statistics of ``batches``, so that the
    net computes the same in training as in use.

    Raises LayerUnsuited if the file was made of another net.
    """
    trace = QuantizedNet(net)
    nodes = [n for n in trace.traced.graph.nodes if isinstance(trace.module_of(n), WEIGHTED)]
    layers = stored_layers(model)
    if len(nodes) != len(layers):
        raise LayerUnsuited(f"the file has {len(layers)} weighted layers, the net {len(nodes)}")
    units = _units(trace, dict(zip(nodes, layers, strict=True)))
    with torch.no_grad():
        for node, layer in zip(nodes, layers, strict=True):
            out, into = (units[trace.homes[each]] for each in (node, node.all_input_nodes[0]))
            _give(net, str(node.target), layer.weight * out / into, layer.bias * out)
        _settle_norms(net, batches)


def resumed(
    net: nn.Module,
    *,
    data: Path,
    work: Path,
    seed: int,
    on_progress: Callable[[float], None],
    start: str,
    source: str,
) -> nn.Module:
    """A stage ``call`` that begins with the weights of a lean file, ``start``.

    ``source`` (module:factory) reads the samples that settle the norms.
    """
    del work
    samples: Samples = named_object(source)(data)
    batches = itertools.islice(samples.batches(BATCH, seed), SETTLING_BATCHES)
    resume_weights(net, Path(start).read_bytes(), (inputs for inputs, _ in batches))
    on_progress(1.0)
    return net.eval()


def _stored(model: Any, operator: Any, depthwise: bool) -> StoredLayer:
    tensors = model.subgraphs[0].tensors
    weight, bias = (_values(model, tensors[place]) for place in operator.inputs[1:3])
    order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)
    weight = weight if weight.ndim == 2 else weight.transpose(order)
    return StoredLayer(weight, bias, float(tensors[operator.outputs[0]].quantization.scale[0]))


def _values(model: Any, tensor: Any) -> NDArray[np.float64]:
    """What a constant of a file means, in the file's units."""
    raw = np.asarray(model.buffers[tensor.buffer].data, np.uint8).view(_TYPES[tensor.type])
    shape, kept = [1] * len(tensor.shape), tensor.quantization
    if len(kept.scale) > 1:
        shape[kept.quantizedDimension] = -1
    scale = np.asarray(kept.scale, np.float64).reshape(shape)
    found: NDArray[np.float64] = raw.reshape(tensor.shape) * scale
    return found


def _units(trace: QuantizedNet, layers: dict[fx.Node, StoredLayer]) -> dict[fx.Node, float]:
    """By home, what one unit of the file is in the net's own; tensors that are added agree."""
    rectified = {
        trace.homes[node]: _LARGEST / (_LEVELS * layer.scale_out)
        for node, layer in layers.items()
        if isinstance(trace.module_of(trace.homes[node]), ACTIVATIONS)
    }
    agreed = {trace.groups[home]: unit for home, unit in rectified.items() if home in trace.groups}
    units = {}
    for home in trace.keys:
        own = 1 / _LEVELS if home.op == "placeholder" else rectified.get(home, 1.0)
        units[home] = agreed.get(trace.groups.get(home, -1), own)
    return units


def _give(
    net: nn.Module, name: str, weight: NDArray[np.float64], bias: NDArray[np.float64]
) -> None:
    """Put a folded layer's values into the net; a batch norm behind it only adds the bias."""
    layer: Any = net.get_submodule(name)
    if tuple(layer.weight.shape) != weight.shape:
        raise LayerUnsuited(
            f"{name} has weights {tuple(layer.weight.shape)}, the file's are {weight.shape}"
        )
    layer.weight.copy_(torch.from_numpy(weight))
    unit = net.get_submodule(name.rpartition(".")[0])
    if isinstance(unit, ConvUnit):
        _become(unit.norm, torch.zeros(len(bias)), torch.ones(len(bias)), torch.from_numpy(bias))
    else:
        layer.bias.copy_(torch.from_numpy(bias))


def _become(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, bias: Tensor) -> None:
    """Make a norm that has these statistics and adds ``bias``, whatever they are."""
    mine: Any = norm
    mine.running_mean.copy_(mean)
    mine.running_var.copy_(variance)
    mine.weight.copy_(torch.sqrt(mine.running_var + norm.eps))
    mine.bias.copy_(bias + mine.running_mean)


def _settle_norms(net: nn.Module, batches: Iterable[Tensor]) -> None:
    """Give every batch norm the statistics of what goes into it, all calls of it together."""
    units = [each for each in net.modules() if isinstance(each, ConvUnit)]
    seen: list[list[Tensor]] = [[] for _ in units]
    hooks = [
        unit.conv.register_forward_hook(lambda _, __, out, into=into: into.append(_sums(out)))
        for unit, into in zip(units, seen, strict=True)
    ]
    net.eval()
    for batch in batches:
        net(batch)
    for unit, sums, hook in zip(units, seen, hooks, strict=True):
        hook.remove()
        count, total, squares = torch.stack(sums).sum(0).unbind()
        mean = total / count
        bias: Any = unit.norm.bias
        _become(unit.norm, mean, (squares / count - mean**2).clamp(min=0), bias.double())


def _sums(out: Tensor) -> Tensor:
    """[3, channels] of maps [n, channels, h, w]: how many values, their sum, that of squares."""
    values = out.double().transpose(0, 1).flatten(1)
    count = torch.full((len(values),), float(values.shape[1]), dtype=torch.float64)
    return torch.stack([count, values.sum(1), (values**2).sum(1)])
