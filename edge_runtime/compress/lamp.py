"""Key ``lamp``: magnitude pruning over all layers with one threshold, gradually.

Score of a weight: its square over the sum of the squares of all weights of its layer that are no
smaller (Lee et al., "Layer-adaptive sparsity for the magnitude-based pruning", arXiv 2010.07611,
equation 3). The largest weight of a layer scores 1, so no layer dies, and one share for the whole
net becomes sensible shares per layer. The share falls along a cubic (Zhu and Gupta, arXiv
1710.01878, equation 1): fast while there is plenty, slowly at the end.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


class Mask(nn.Module):
    """Multiplies a weight with zeros and ones."""

    mask: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", torch.ones_like(weight))

    def forward(self, weight: Tensor) -> Tensor:
        """Shape in, same shape out."""
        return weight * self.mask


class Pruner:
    """Masks on all convolutions and linear layers of a net, tightened step by step."""

    def __init__(self, net: nn.Module) -> None:
        self._layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        self._masks = [Mask(layer.weight) for layer in self._layers]
        for layer, mask in zip(self._layers, self._masks, strict=True):
            parametrize.register_parametrization(layer, "weight", mask)

    @torch.no_grad()
    def keep(self, share: float) -> None:
        """Let only the best ``share`` of all weights through; what was cut may come back."""
        scores = [lamp_scores(_original(layer)) for layer in self._layers]
        joined = torch.cat(scores)
        count = max(len(self._layers), round(share * joined.numel()))
        least = joined.topk(count).values[-1]
        for mask, score in zip(self._masks, scores, strict=True):
            mask.mask.copy_((score >= least).view_as(mask.mask))

    def finish(self) -> None:
        """Write the zeros into the weights and take the masks off."""
        for layer in self._layers:
            parametrize.remove_parametrizations(layer, "weight")
            # A negative weight times zero is minus zero, which is another value to a codebook.
            layer.weight.detach().add_(0.0)


def gradual_share(progress: float, final: float) -> float:
    """The share of weights kept when ``progress`` (0 to 1) of the pruning is done."""
    return final + (1 - final) * (1 - min(progress, 1.0)) ** 3


def lamp_scores(weight: Tensor) -> Tensor:
    """The score of every weight, flat, 0 to 1."""
    squares = weight.detach().flatten().square().double()
    ordered, order = squares.sort(descending=True)
    scores = torch.empty_like(squares)
    scores[order] = ordered / ordered.cumsum(0).clamp_min(1e-300)
    return scores


def _original(layer: nn.Module) -> Tensor:
    original: Tensor = layer.parametrizations.weight.original
    return original
