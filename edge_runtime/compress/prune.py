"""Keys ``prune`` and ``prune_pattern``: small weights become zero.

Magnitude (Han et al., "Learning both weights and connections", arXiv 1506.02626): the smallest
share of all weights together, or of each layer. Gradually (Zhu and Gupta, arXiv 1710.01878,
equation 1): the share rises as s_t = s_f + (s_i - s_f)(1 - t)^3 while the net trains on. Pattern
(Mishra et al., "Accelerating sparse deep neural networks", arXiv 2104.08378): in every row the 2
largest of 4 stay.

Zeros take no room in a ``.tflite.edge``; a ``.tflite`` itself stays as large and as fast.
``prune_channels`` removes whole filters instead.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from edge_runtime.compress.weighted_layers import EVERY, all_weighted_layers, weighted_layers
from edge_runtime.errors import LayerUnsuited, TargetUnreachable

Scope = Literal["global", "layer"]


def prune(
    net: nn.Module, sparsity: float, *, scope: Scope = "global", layers: Sequence[str] = EVERY
) -> nn.Module:
    """A copy whose smallest weights are zero; ``sparsity`` is their share, 0 to below 1."""
    pruned = copy.deepcopy(net)
    GradualPruner(pruned, sparsity, scope=scope, layers=layers).step(1.0)
    return pruned


def prune_pattern(
    net: nn.Module, *, keep: int = 2, of: int = 4, layers: Sequence[str] = EVERY
) -> nn.Module:
    """A copy in which of every ``of`` neighbours along the inputs the ``keep`` largest stay.

    Layers whose inputs do not divide (a first convolution, depthwise ones) are left alone; raises
    LayerUnsuited when that is all of them.
    """
    if not 0 < keep < of:
        raise TargetUnreachable(f"cannot keep {keep} of {of}: expected fewer than {of}, at least 1")
    pruned = copy.deepcopy(net)
    fitting = [m for m in weighted_layers(pruned, layers).values() if m.weight.shape[1] % of == 0]
    if not fitting:
        raise LayerUnsuited(
            f"no layer's inputs divide by {of}, which the {keep}:{of} pattern needs"
        )
    with torch.no_grad():
        for layer in fitting:
            layer.weight.mul_(pattern_mask(layer.weight, keep, of))
    return pruned


def pattern_mask(weight: Tensor, keep: int, of: int) -> Tensor:
    """True for the ``keep`` largest of every ``of`` neighbours along axis 1 (the inputs)."""
    rows = weight.detach().abs().movedim(1, -1)
    groups = rows.reshape(-1, of)
    mask = torch.zeros_like(groups, dtype=torch.bool)
    mask.scatter_(1, groups.topk(keep, 1).indices, True)
    return mask.view(rows.shape).movedim(-1, 1)


def gradual_sparsity(progress: float, final: float, first: float = 0.0) -> float:
    """The share of zeros when ``progress`` (0 to 1) of the pruning is done."""
    left = 1 - min(max(progress, 0.0), 1.0)
    return final + (first - final) * left**3


class GradualPruner:
    """Sets weights to zero while a net trains; what was cut may come back until the next step."""

    def __init__(
        self,
        net: nn.Module,
        sparsity: float,
        *,
        scope: Scope = "global",
        layers: Sequence[str] = EVERY,
        ramp: float = 0.7,
    ) -> None:
        if not 0 <= sparsity < 1:
            raise TargetUnreachable(f"sparsity {sparsity} leaves no weight; expected 0 to below 1")
        self._weights = [m.weight for m in weighted_layers(net, layers).values()]
        self._final, self._scope, self._ramp = sparsity, scope, ramp

    @torch.no_grad()
    def step(self, progress: float) -> None:
        """Cut down to the share that is due; call it after every step of the optimizer."""
        share = gradual_sparsity(progress / self._ramp, self._final)
        together = self._scope == "global"
        for group in [self._weights] if together else [[each] for each in self._weights]:
            _cut(group, share)


class KeptZeros:
    """Weights that are zero now are put back to zero after every step of later training."""

    def __init__(self, net: nn.Module) -> None:
        found = [trained_weight(m) for m in all_weighted_layers(net).values()]
        self._masks = [(w, w.detach() != 0) for w in found if bool((w == 0).any())]

    @torch.no_grad()
    def step(self, progress: float) -> None:
        """Undo what the optimizer did to them."""
        for weight, mask in self._masks:
            weight.mul_(mask)


def sparsity_of(net: nn.Module, layers: Sequence[str] = EVERY) -> float:
    """Share of zeros among the weights of the layers, biases left out."""
    weights = [m.weight for m in weighted_layers(net, layers).values()]
    return sum(int((w == 0).sum()) for w in weights) / sum(w.numel() for w in weights)


def trained_weight(layer: nn.Module) -> Tensor:
    """The parameter behind a layer's weight, also where that is computed from it."""
    weight: Tensor = (
        layer.parametrizations.weight.original
        if parametrize.is_parametrized(layer, "weight")
        else layer.weight
    )
    return weight


def _cut(weights: list[Tensor], share: float) -> None:
    """Zero the smallest ``share`` of the weights together."""
    sizes = torch.cat([w.detach().abs().flatten() for w in weights])
    count = round(share * sizes.numel())
    if not count:
        return
    mask = _largest(sizes, count)
    for weight, part in zip(weights, mask.split([w.numel() for w in weights]), strict=True):
        weight.mul_(part.view_as(weight))


def _largest(sizes: Tensor, count: int) -> Tensor:
    """False for the ``count`` smallest; of equal ones the first fall."""
    mask = sizes > sizes.kthvalue(count).values
    if int((~mask).sum()) == count:
        return mask
    # Several are as large as the last to fall: sorting tells them apart, and takes longer.
    mask = torch.ones_like(mask)
    mask[sizes.argsort(stable=True)[:count]] = False
    return mask
