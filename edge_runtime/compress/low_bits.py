"""Keys ``binarize`` and ``ternarize``: weights of 1 bit and of less than 2.

Binary (Rastegari et al., "XNOR-Net", arXiv 1603.05279, equations 5 and 6): W = a sign(W) with
a = mean |W| of each filter. Ternary (Li, Zhang and Liu, "Ternary weight networks", arXiv
1605.04711, equations 4 and 6): weights below d = 0.7 mean |W| become zero, the others a sign(W)
with a their mean size. In training the rounding passes gradients straight through, and not beyond
-1 and 1 (Hubara et al., arXiv 1602.02830, equation 4).

No interpreter here computes with such weights: they are storage. ``packed_weights`` keeps them in
1 or 2 bits, a ``.tflite.edge`` in what their entropy takes; both expand to int8 or float.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from edge_runtime.compress.weighted_layers import EVERY, weighted_layers
from edge_runtime.errors import LayerUnsuited

TERNARY_CUT = 0.7


class BinaryWeight(nn.Module):
    """A filter's weights as plus or minus their mean size."""

    def forward(self, weight: Tensor) -> Tensor:
        """Same shape, two values a filter."""
        size = _per_filter(weight.abs().flatten(1).mean(1), weight)
        rounded: Tensor = _StraightThrough.apply(weight, torch.where(weight < 0, -size, size))
        return rounded


class TernaryWeight(nn.Module):
    """A filter's weights as minus a size, zero, or plus that size."""

    def forward(self, weight: Tensor) -> Tensor:
        """Same shape, three values a filter."""
        sizes = weight.abs()
        cut = TERNARY_CUT * _per_filter(sizes.flatten(1).mean(1), weight)
        kept = (sizes > cut).to(weight.dtype)
        count = kept.flatten(1).sum(1).clamp(min=1)
        size = _per_filter((sizes * kept).flatten(1).sum(1) / count, weight)
        rounded: Tensor = _StraightThrough.apply(weight, weight.sign() * kept * size)
        return rounded


def binarize(net: nn.Module, *, layers: Sequence[str] | None = None) -> nn.Module:
    """A copy with 1-bit weights; untrained, so expect to lose accuracy.

    Without ``layers`` the first and the last layer keep theirs, as in the paper.
    """
    return settle_low_bits(with_low_bits(net, BinaryWeight, layers=layers))


def ternarize(net: nn.Module, *, layers: Sequence[str] | None = None) -> nn.Module:
    """A copy with weights of three values; layers as in ``binarize``."""
    return settle_low_bits(with_low_bits(net, TernaryWeight, layers=layers))


def with_low_bits(
    net: nn.Module, kind: type[nn.Module], *, layers: Sequence[str] | None = None
) -> nn.Module:
    """A copy that computes with rounded weights and can be trained; then ``settle_low_bits``."""
    rounded = copy.deepcopy(net)
    for name in inner_layers(rounded) if layers is None else weighted_layers(rounded, layers):
        parametrize.register_parametrization(rounded.get_submodule(name), "weight", kind())
    return rounded


def settle_low_bits(net: nn.Module) -> nn.Module:
    """The same net, its weights the rounded ones for good.

    Not a copy: torch's copies share the class that computes the weight, so unwrapping one of them
    would break the other.
    """
    for module in [m for m in net.modules() if parametrize.is_parametrized(m, "weight")]:
        if isinstance(module.parametrizations.weight[-1], BinaryWeight | TernaryWeight):
            parametrize.remove_parametrizations(module, "weight")
    return net


def inner_layers(net: nn.Module) -> tuple[str, ...]:
    """All layers with weights but the first and the last. Raises LayerUnsuited if that is none."""
    names = tuple(weighted_layers(net, EVERY))[1:-1]
    if not names:
        raise LayerUnsuited("between first and last layer is none to round; name layers yourself")
    return names


def _per_filter(values: Tensor, weight: Tensor) -> Tensor:
    return values.view(-1, *[1] * (weight.dim() - 1))


class _StraightThrough(torch.autograd.Function):
    """The rounded value forwards, the weight's own gradient backwards where |weight| <= 1."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, rounded: Tensor) -> Tensor:
        ctx.save_for_backward(weight)
        return rounded

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (weight,) = ctx.saved_tensors
        return gradient * (weight.abs() <= 1), None
