"""A net as the device will compute it: int8 activations and weights, simulated in torch, trainable.

Weights are symmetric, one scale per output channel; activations have one scale and zero point per
tensor (arXiv 1712.05877). Rounding passes gradients straight through, so a net can be fine-tuned
while quantized.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from edge_runtime.compress.layers import ConvUnit, SameConv2d

ACTIVATIONS = (nn.ReLU, nn.ReLU6)
WEIGHTED = (nn.Conv2d, nn.Linear)
POOLS = (nn.AdaptiveAvgPool2d,)
IDLE = (nn.Identity, nn.Dropout)
"""What does nothing once training is over."""


def fold_batch_norm(net: nn.Module) -> nn.Module:
    """A copy of the net whose convolutions have taken in their batch norms."""
    folded = copy.deepcopy(net).eval()
    for unit in [m for m in folded.modules() if isinstance(m, ConvUnit)]:
        _fold(unit)
    return folded


class WeightRounding(nn.Module):
    """Weights as 255 levels, per output channel or (``one_scale``) of the whole tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.one_scale = False

    def scale(self, weight: Tensor) -> Tensor:
        """[channels] or [1]: the real value of one step."""
        scales = weight_scale(weight)
        return scales.amax(0, keepdim=True) if self.one_scale else scales

    def forward(self, weight: Tensor) -> Tensor:
        """Same shape, rounded."""
        scale = self.scale(weight)
        zero = torch.zeros_like(scale, dtype=torch.int32)
        if self.one_scale:
            return torch.fake_quantize_per_tensor_affine(weight, scale, zero, -127, 127)
        return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -127, 127)


class ActivationRange(nn.Module):
    """What values a tensor takes; watches first, rounds afterwards."""

    low: Tensor
    high: Tensor

    def __init__(self, low: float = 0.0, high: float = 0.0, fixed: bool = False) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor(low))
        self.register_buffer("high", torch.tensor(high))
        self.watching, self._fixed = True, fixed

    @property
    def scale(self) -> float:
        """Real value of one step."""
        return max(float(self.high - self.low), 1e-6) / 255

    @property
    def zero_point(self) -> int:
        """The int8 that means 0.0; zero is always exact, padding depends on it."""
        return round(-128 - float(self.low) / self.scale)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape; rounded unless still watching."""
        if self.watching:
            self._watch(x.detach())
            return x
        return torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero_point, -128, 127)

    def _watch(self, x: Tensor) -> None:
        if not self._fixed:
            self.low = torch.minimum(self.low, x.min())
            self.high = torch.maximum(self.high, x.max())


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, SameConv2d) or super().is_leaf_module(m, module_qualified_name)


class QuantizedNet(nn.Module):
    """A folded, traced net with a range at every tensor the device will store.

    What a module computes has one range however often the module is called, and all rectified
    tensors that meet in additions share one: equal scales mean equal bytes, and the file stores
    equal bytes once.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.traced = _traced(fold_batch_norm(net))
        self.homes = self._find_homes()
        self.groups = self._find_groups()
        self.keys = {node: self._key(node) for node in set(self.homes.values())}
        inputs = {self.keys[node] for node in self.keys if node.op == "placeholder"}
        self.ranges = nn.ModuleDict(
            {key: _range_for(key in inputs) for key in sorted(set(self.keys.values()))}
        )

    def forward(self, x: Tensor) -> Any:
        """What the net returns, computed with the ranges in place."""
        return _RangedInterpreter(self).run(x)

    def calibrate(self, batches: Iterable[Tensor]) -> None:
        """Watch the batches go through, then round from now on, weights included."""
        with torch.no_grad():
            for batch in batches:
                self(batch)
        for each in self.ranges.values():
            each.watching = False
        for module in self.traced.modules():
            if isinstance(module, WEIGHTED):
                parametrize.register_parametrization(module, "weight", WeightRounding())

    def range_of(self, node: fx.Node) -> ActivationRange:
        """The range of what a node computes, after its activation."""
        found: ActivationRange = self.ranges[self.keys[self.homes[node]]]
        return found

    def module_of(self, node: fx.Node) -> nn.Module | None:
        """The module a node calls, if it calls one."""
        return self.traced.get_submodule(str(node.target)) if node.op == "call_module" else None

    def activation_after(self, node: fx.Node) -> fx.Node | None:
        """The activation that the device fuses into this node's operator."""
        users = list(node.users)
        if len(users) == 1 and isinstance(self.module_of(users[0]), ACTIVATIONS):
            return users[0]
        return None

    def passes_on(self, node: fx.Node) -> bool:
        """True for what only moves or picks numbers: its result has its input's scale."""
        largest_of = isinstance(self.module_of(node), nn.MaxPool2d)
        return resized(node) or flattened(node) or largest_of

    def roundings(self) -> dict[str, tuple[nn.Module, WeightRounding]]:
        """The layers of a calibrated net by name, each with the rounding of its weight."""
        found = {name: m for name, m in self.traced.named_modules() if isinstance(m, WEIGHTED)}
        return {name: (m, m.parametrizations.weight[-1]) for name, m in found.items()}

    def use_one_scale(self) -> None:
        """Round every weight of the calibrated net with one scale instead of one per channel."""
        for _, rounding in self.roundings().values():
            rounding.one_scale = True

    def _find_homes(self) -> dict[fx.Node, fx.Node]:
        """For every node the one whose result is the tensor in memory (activations are fused)."""
        homes: dict[fx.Node, fx.Node] = {}
        for node in self.traced.graph.nodes:
            module = self.module_of(node)
            if self.passes_on(node):
                if node.all_input_nodes[0] in homes:
                    homes[node] = homes[node.all_input_nodes[0]]
            elif isinstance(module, ACTIVATIONS):
                homes[node] = node
            elif (
                node.op == "placeholder"
                or isinstance(module, (*WEIGHTED, *POOLS))
                or node.target is operator.add
            ):
                homes[node] = self.activation_after(node) or node
        return homes

    def _find_groups(self) -> dict[fx.Node, int]:
        """Tensors that meet in additions or averages, directly or through others, by number.

        These operators compare the scales of what goes in and comes out, so their units agree.
        """
        groups: dict[fx.Node, int] = {}
        for number, node in enumerate(n for n in self.traced.graph.nodes if self._compares(n)):
            met = {self.homes[each] for each in (node, *node.all_input_nodes) if each in self.homes}
            known = {groups[each] for each in met if each in groups}
            met |= {each for each, group in groups.items() if group in known}
            groups.update(dict.fromkeys(met, number))
        return groups

    def _compares(self, node: fx.Node) -> bool:
        return node.target is operator.add or isinstance(self.module_of(node), POOLS)

    def _key(self, home: fx.Node) -> str:
        rectified = isinstance(self.module_of(home), ACTIVATIONS)
        if rectified and home in self.groups:
            return f"group_{self.groups[home]}"
        return str(home.target if home.op == "call_module" else home.name).replace(".", "_")


class _RangedInterpreter(fx.Interpreter):
    """Runs the trace and puts every stored result through its range."""

    def __init__(self, net: QuantizedNet) -> None:
        super().__init__(net.traced)
        self._net = net

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        return self._net.range_of(n)(result) if self._net.homes.get(n) is n else result


def _traced(net: nn.Module) -> fx.GraphModule:
    """The net as a graph, without the nodes that do nothing."""
    graph = _Tracer().trace(net)
    for node in list(graph.nodes):
        if node.op == "call_module" and isinstance(net.get_submodule(str(node.target)), IDLE):
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
    return fx.GraphModule(net, graph)


def weight_scale(weight: Tensor) -> Tensor:
    """[channels]: the real value of one step of each output channel.

    A channel that died keeps a thousandth of the largest, or its bias would not fit into 32 bits.
    """
    largest = weight.detach().flatten(1).abs().amax(1)
    return torch.maximum(largest, largest.max() * 1e-3).clamp(min=1e-8) / 127


def resized(node: fx.Node) -> bool:
    """True for the stretching of a map, which keeps its input's scale."""
    return node.target is functional.interpolate


def flattened(node: fx.Node) -> bool:
    """True for a flattening before a linear layer, which moves nothing."""
    return node.target is torch.flatten or node.target == "flatten"


def _range_for(is_input: bool) -> ActivationRange:
    """Inputs are bytes over 255: their range is known."""
    return ActivationRange(0.0, 1.0, fixed=True) if is_input else ActivationRange()


def _fold(unit: ConvUnit) -> None:
    norm = unit.norm
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    unit.conv.weight = nn.Parameter((unit.conv.weight * gain[:, None, None, None]).detach())
    unit.conv.bias = nn.Parameter((norm.bias - norm.running_mean * gain).detach())
    unit.norm = nn.Identity()
