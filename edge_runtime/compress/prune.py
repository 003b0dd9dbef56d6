"""Keys ``prune`` and ``prune_pattern``: small weights become zero.

Magnitude (Han et al., "Learning both weights and connections", arXiv 1506.02626): the smallest
share of all weights together, or of each layer. LAMP (Lee et al., arXiv 2010.07611): together, by
a score that compares a weight with its own layer first. Gradually (Zhu and Gupta, arXiv 1710.01878,
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

Scope = Literal["global", "layer", "lamp"]
"""Which weights are compared: all by size, those of a layer by size, all by LAMP score."""


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
            layer.weight.masked_fill_(~pattern_mask(layer.weight, keep, of), 0.0)
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
        weights = [m.weight for m in weighted_layers(net, layers).values()]
        self._groups = [[each] for each in weights] if scope == "layer" else [weights]
        self._score = lamp_scores if scope == "lamp" else _sizes
        self._final, self._ramp = sparsity, ramp

    @torch.no_grad()
    def step(self, progress: float) -> None:
        """Cut down to the share that is due; call it after every step of the optimizer."""
        share = gradual_sparsity(progress / self._ramp, self._final)
        for group in self._groups:
            _cut(group, torch.cat([self._score(weight) for weight in group]), share)


class KeptZeros:
    """Weights that are zero now are put back to zero after every step of later training."""

    def __init__(self, net: nn.Module) -> None:
        found = [trained_weight(m) for m in all_weighted_layers(net).values()]
        self._zeros = [(w, w.detach() == 0) for w in found if bool((w == 0).any())]

    @torch.no_grad()
    def step(self, progress: float) -> None:
        """Undo what the optimizer did to them."""
        for weight, zeros in self._zeros:
            weight.masked_fill_(zeros, 0.0)


def lamp_scores(weight: Tensor) -> Tensor:
    """[numel]: each weight's square over the sum of all squares of its layer that are no smaller.

    Equation 3 of the paper. A layer's largest weight scores 1, so it is among the last to go.
    """
    squares = weight.detach().flatten().square().double()
    ordered, order = squares.sort(descending=True)
    scores = torch.empty_like(squares)
    scores[order] = ordered / ordered.cumsum(0).clamp_min(1e-300)
    return scores


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


def _sizes(weight: Tensor) -> Tensor:
    return weight.detach().abs().flatten()


def _cut(weights: list[Tensor], scores: Tensor, share: float) -> None:
    """Zero the ``share`` of the weights that scores lowest."""
    count = round(share * scores.numel())
    if not count:
        return
    falls = _lowest(scores, count)
    for weight, part in zip(weights, falls.split([w.numel() for w in weights]), strict=True):
        # Not multiplied: a negative weight would become minus zero, another value when packed.
        weight.masked_fill_(part.view_as(weight), 0.0)


def _lowest(scores: Tensor, count: int) -> Tensor:
    """True for the ``count`` lowest; of equal ones the first fall."""
    falls = scores <= scores.kthvalue(count).values
    if int(falls.sum()) == count:
        return falls
    # Several score like the last to fall: sorting tells them apart, and takes longer.
    falls = torch.zeros_like(falls)
    falls[scores.argsort(stable=True)[:count]] = True
    return falls
