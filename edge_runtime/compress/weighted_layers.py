"""The layers that hold weights: by name, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from edge_runtime.errors import LayerUnsuited
from edge_runtime.types import JsonObject

KINDS = (nn.Conv2d, nn.Linear)
EVERY = ("*",)
_FEW = 3


@dataclass(frozen=True, slots=True)
class LayerCost:
    """One layer's size and work."""

    name: str
    kind: str
    shape: tuple[int, ...]
    zeros: int
    """Weights that are exactly zero."""
    values: int
    """Different weights in the layer, or in a filter where those are 3 at most (low_bits.py)."""
    macs: int
    """Multiply-accumulates for one input, zeros included."""

    @property
    def weights(self) -> int:
        return math.prod(self.shape)

    @property
    def sparsity(self) -> float:
        return self.zeros / self.weights

    @property
    def bits(self) -> int:
        """Bits an index of its different weights needs, 32 at most; 1 once binarized."""
        return min(32, max(1, math.ceil(math.log2(max(self.values, 2)))))

    def as_json(self) -> JsonObject:
        return {
            "name": self.name,
            "kind": self.kind,
            "shape": list(self.shape),
            "weights": self.weights,
            "sparsity": round(self.sparsity, 5),
            "different_values": self.values,
            "index_bits": self.bits,
            "macs": self.macs,
        }


def weighted_layers(net: nn.Module, patterns: Sequence[str] = EVERY) -> dict[str, Any]:
    """Convolutions and linear layers whose name matches a pattern (``*`` and ``?``), in order.

    Raises LayerUnsuited naming the pattern that matches none.
    """
    layers = all_weighted_layers(net)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in layers):
            known = ", ".join(layers) or "none"
            raise LayerUnsuited(f"no conv or linear layer matches {pattern!r}; there are: {known}")
    return {n: m for n, m in layers.items() if any(fnmatchcase(n, each) for each in patterns)}


def all_weighted_layers(net: nn.Module) -> dict[str, Any]:
    """Every convolution and linear layer, in order; none is no error."""
    return {name: m for name, m in net.named_modules() if isinstance(m, KINDS)}


@torch.no_grad()
def layer_costs(net: nn.Module, example: Tensor) -> tuple[LayerCost, ...]:
    """Every layer's cost for inputs shaped like ``example`` [1, ...]."""
    macs = _macs(net, example)
    return tuple(_cost(name, m, macs.get(name, 0)) for name, m in all_weighted_layers(net).items())


def _cost(name: str, layer: Any, macs: int) -> LayerCost:
    weight = layer.weight.detach()
    zeros = int((weight == 0).sum())
    in_a_filter = max(len(each.unique()) for each in weight)
    # Binary weights have two values in each filter, yet many in the layer; shared ones few in both.
    values = in_a_filter if in_a_filter <= _FEW else len(weight.unique())
    return LayerCost(name, type(layer).__name__, tuple(weight.shape), zeros, values, macs)


def _macs(net: nn.Module, example: Tensor) -> dict[str, int]:
    """By layer, summed over its calls: results times the weights behind each."""
    found: dict[str, int] = {}
    hooks = []
    for name, layer in all_weighted_layers(net).items():

        def count(module: Any, _: Any, result: Tensor, name: str = name) -> None:
            behind = module.weight[0].numel()
            found[name] = found.get(name, 0) + result[0].numel() * behind

        hooks.append(layer.register_forward_hook(count))
    trained = net.training
    net.eval()(example)
    net.train(trained)
    for hook in hooks:
        hook.remove()
    return found


def replace_layer(net: nn.Module, name: str, made: nn.Module) -> None:
    """Put ``made`` where the net has the layer ``name``."""
    parent, _, leaf = name.rpartition(".")
    setattr(net.get_submodule(parent), leaf, made)
