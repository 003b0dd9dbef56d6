"""Key ``quantize`` with epochs: trained while weights and activations are rounded to int8.

Jacob et al., arXiv 1712.05877, section 3: rounding in the forward pass, straight-through
gradients. The rounding itself is ``quantize.py``; here nets of any make are brought to it and
back.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, fx, nn
from torch.nn.utils import parametrize

from edge_runtime.compress.folding import fold_norms
from edge_runtime.compress.quantize import ActivationRange, QuantizedNet, WeightRounding


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


def _inputs(made: QuantizedNet) -> list[fx.Node]:
    return [node for node in made.traced.graph.nodes if node.op == "placeholder"]


def _watch_inputs(made: QuantizedNet) -> None:
    """Inputs that are no bytes over 255 have a range of their own."""
    for node in _inputs(made):
        made.ranges[made.keys[node]] = ActivationRange()
