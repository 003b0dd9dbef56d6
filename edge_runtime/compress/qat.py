"""Key ``quantize`` with epochs: trained while weights and activations are rounded to int8.

Jacob et al., arXiv 1712.05877, section 3: rounding in the forward pass, straight-through
gradients. The rounding itself is ``quantize.py``; here nets of any make are brought to it and
back.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from torch import Tensor, fx, nn
from torch.nn.utils import parametrize

from edge_runtime.compress.folding import fold_norms
from edge_runtime.compress.layers import SameConv2d
from edge_runtime.compress.quantize import (
    ACTIVATIONS,
    POOLS,
    WEIGHTED,
    ActivationRange,
    QuantizedNet,
    WeightRounding,
    flattened,
    resized,
)


def quantization_aware(net: nn.Module, batches: Iterable[Tensor]) -> QuantizedNet:
    """The net computing as int8 would, its ranges watched on the batches; train it, if at all."""
    watched = list(batches)
    made = QuantizedNet(fold_norms(net))
    if min(float(b.min()) for b in watched) < 0 or max(float(b.max()) for b in watched) > 1:
        _watch_inputs(made)
    made.calibrate(watched)
    return made


def settle_rounding(made: QuantizedNet) -> nn.Module:
    """A plain net with the rounded weights: converted to int8 it keeps them."""
    plain = made.traced
    for module in [m for m in plain.modules() if parametrize.is_parametrized(m, "weight")]:
        if isinstance(module.parametrizations.weight[-1], WeightRounding):
            parametrize.remove_parametrizations(module, "weight")
    return plain.eval()


def fits_lean_writer(made: QuantizedNet) -> bool:
    """True when ``export.export`` can write the net: its padding, its operators, byte inputs."""
    own_range = any(_range(made, n) != (0.0, 1.0) for n in _inputs(made))
    return not own_range and all(_writable(made, node) for node in made.traced.graph.nodes)


def _writable(made: QuantizedNet, node: fx.Node) -> bool:
    module = made.module_of(node)
    if isinstance(module, nn.Conv2d):
        return isinstance(module, SameConv2d) and module.groups in (1, module.in_channels)
    if flattened(node):
        # Torch flattens channels first, the file channels last: alike only for a single pixel.
        return isinstance(made.module_of(node.all_input_nodes[0]), POOLS)
    if module is not None:
        return isinstance(module, (*ACTIVATIONS, *WEIGHTED, *POOLS))
    return node.op in ("placeholder", "output", "get_attr") or _known_function(node)


def _known_function(node: fx.Node) -> bool:
    known: tuple[Any, ...] = (operator.add, operator.getitem, getattr)
    return resized(node) or node.target in known


def _range(made: QuantizedNet, node: fx.Node) -> tuple[float, float]:
    found = made.range_of(node)
    return float(found.low), float(found.high)


def _inputs(made: QuantizedNet) -> list[fx.Node]:
    return [node for node in made.traced.graph.nodes if node.op == "placeholder"]


def _watch_inputs(made: QuantizedNet) -> None:
    """Inputs that are no bytes over 255 have a range of their own."""
    for node in _inputs(made):
        made.ranges[made.keys[node]] = ActivationRange()
