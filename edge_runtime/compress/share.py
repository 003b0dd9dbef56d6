"""Key ``share``: all weights of a layer are drawn from 2**bits shared values.

Deep Compression, arXiv 1510.00149, section 3: k-means in one dimension, its centroids spread
evenly over the range at first (large weights are rare and matter; other starts starve them), then
training of the centroids alone. A centroid's gradient is the sum over its weights (equation 3),
which is what autograd makes of a look-up. Weights that are exactly zero were pruned and stay zero.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from edge_runtime.compress.folding import fold_norms

MOST_BITS = 8
_ROUNDS = 300

Bits = Mapping[str, int]


class SharedValues(nn.Module):
    """Weights as numbers of a codebook; what is trained is the codebook.

    The wrapped parameter becomes the centroids [k]; labels are 0 for pruned, 1 to k for centroids.
    """

    labels: Tensor

    def __init__(self, weight: Tensor, bits: int) -> None:
        super().__init__()
        self.shape = weight.shape
        self._centroids, labels = cluster(weight.detach().flatten(), bits)
        self.register_buffer("labels", labels)

    def forward(self, centroids: Tensor) -> Tensor:
        """Centroids [k] -> the layer's weights."""
        values = torch.cat([centroids.new_zeros(1), centroids])
        return values.index_select(0, self.labels).view(self.shape)

    def right_inverse(self, weight: Tensor) -> Tensor:
        """The centroids a weight was clustered into; called once, when the layer is wrapped."""
        return self._centroids.to(weight.dtype)


def cluster(weights: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """K-means of the non-zero numbers in ``weights`` [n]: centroids [k <= 2**bits], labels [n].

    Label 0 means zero. Clusters nobody belongs to are left out. Raises ValueError for numbers that
    are not finite and for bits outside 1 to 8.
    """
    if not 1 <= bits <= MOST_BITS:
        raise ValueError(f"bits is {bits}, expected 1 to {MOST_BITS}")
    if not torch.isfinite(weights).all():
        raise ValueError("weights to be shared hold NaN or infinity: the training before diverged")
    alive = weights != 0
    kept = weights[alive].double()
    centroids, members = _k_means(kept, 2**bits)
    labels = torch.zeros(len(weights), dtype=torch.long, device=weights.device)
    labels[alive] = members + 1
    return centroids.to(weights.dtype), labels


def _k_means(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Lloyd's algorithm in one dimension: clusters are ranges of the sorted values [n].

    Sums of ranges come from one running sum, so a round costs count * log n.
    """
    if not len(values):
        return values.new_zeros(0), torch.zeros(0, dtype=torch.long, device=values.device)
    ordered = values.sort().values
    running = torch.cat([ordered.new_zeros(1), ordered.cumsum(0)])
    centroids = _spread(values, count)
    for _ in range(_ROUNDS):
        moved = _means(ordered, running, centroids)
        if torch.equal(moved, centroids):
            break
        centroids = moved
    used, members = torch.bucketize(values, _middles(centroids)).unique(return_inverse=True)
    return centroids[used], members


def _means(ordered: Tensor, running: Tensor, centroids: Tensor) -> Tensor:
    """Of the values next to each centroid; where there are none the centroid stays."""
    ends = torch.searchsorted(ordered, _middles(centroids), right=True)
    ends = nn.functional.pad(ends, (1, 1))
    ends[-1] = len(ordered)
    sizes, sums = ends.diff(), running[ends].diff()
    return torch.where(sizes > 0, sums / sizes.clamp_min(1), centroids)


def _middles(centroids: Tensor) -> Tensor:
    """Centroids stay sorted, since ranges do; midpoints tell neighbours apart."""
    return (centroids[1:] + centroids[:-1]) / 2


def _spread(values: Tensor, count: int) -> Tensor:
    """Evenly over the range; few enough different values are their own centroids."""
    different = values.unique()
    if len(different) <= count:
        return different
    low, high = float(values.min()), float(values.max())
    return torch.linspace(low, high, count, dtype=values.dtype, device=values.device)


def share(net: nn.Module, *, conv: int = 8, linear: int = 5, bias: int = 5) -> nn.Module:
    """A copy of the net whose convolutions, linear layers and longer biases share values.

    Give the bits per kind of layer; ``share_layers`` takes them by name. Batch norms are folded
    first: folded later, for the file, they would scale every filter's values differently. Train
    the copy to tune the centroids, then ``settle`` it.
    """
    has_norms = any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    plain = fold_norms(net).train(net.training) if has_norms else net
    bits = {
        name: conv if isinstance(layer, nn.Conv2d) else linear
        for name, layer in plain.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    }
    return share_layers(plain, bits, bias=bias)


def share_layers(net: nn.Module, bits: Bits, *, bias: int | None = 5) -> nn.Module:
    """As ``share``, bits by the name of the layer; layers not named keep their weights.

    A bias is shared where its codebook would be shorter than itself. Raises ValueError naming the
    layer that is missing, holds no weight or cannot be shared.
    """
    shared = copy.deepcopy(net)
    for name, width in bits.items():
        layer = _layer(shared, name)
        _wrap(name, layer, "weight", width)
        if bias is not None and layer.bias is not None and len(layer.bias) > 2 * 2**bias:
            _wrap(name, layer, "bias", bias)
    return shared


def settle(net: nn.Module) -> nn.Module:
    """A copy with plain weights again, each one of its layer's shared values."""
    plain = copy.deepcopy(net)
    for module in list(plain.modules()):
        if parametrize.is_parametrized(module):
            _unwrap(module)
    return plain


def _layer(net: nn.Module, name: str) -> nn.Conv2d | nn.Linear:
    layer = dict(net.named_modules()).get(name)
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        found = "no layer" if layer is None else type(layer).__name__
        raise ValueError(f"{name!r} is {found}, expected a Conv2d or Linear layer to share")
    if parametrize.is_parametrized(layer):
        raise ValueError(f"layer {name!r} is wrapped already: take its masks or values off first")
    return layer


def _wrap(name: str, layer: nn.Module, attribute: str, bits: int) -> None:
    try:
        values = SharedValues(getattr(layer, attribute), bits)
    except ValueError as error:
        raise ValueError(f"{attribute} of layer {name!r}: {error}") from error
    parametrize.register_parametrization(layer, attribute, values, unsafe=True)


def _unwrap(module: nn.Module) -> None:
    """By hand: torch takes the wrapping off the class, which copies of a module have in common."""
    values = {name: getattr(module, name).detach().clone() for name in module.parametrizations}
    module.__class__ = parametrize.type_before_parametrizations(module)
    del module.parametrizations
    for name, value in values.items():
        module.register_parameter(name, nn.Parameter(value))
