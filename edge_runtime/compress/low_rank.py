"""Key ``low_rank``: a layer becomes two or three thin ones.

Linear and 1 x 1 layers by singular values (Denton et al., arXiv 1404.0736): W [k, c] = (U S)(V'),
first c -> r, then r -> k. Other convolutions by Tucker-2 (Kim et al., arXiv 1511.06530, equation
4): 1 x 1 from c to r, the kernel from r to s, 1 x 1 from s to k; the factors come from tensorly.
A layer is only replaced where that saves weights.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from edge_runtime.compress.folding import without_units
from edge_runtime.compress.layers import ConvUnit, SameConv2d
from edge_runtime.compress.rank import Spectrum, rank_by_energy, rank_by_vbmf, spectrum
from edge_runtime.compress.weighted_layers import EVERY, replace_layer, weighted_layers
from edge_runtime.errors import LayerUnsuited, TargetUnreachable

RankRule = Callable[[Tensor], int]
"""From a matrix to the number of its directions to keep."""

BYTES_PER_WEIGHT = 4
_HALVINGS = 40
_NOTHING = 1e-9


def by_energy(energy: float) -> RankRule:
    """Keep this share of the squared singular values, above 0, up to 1."""
    return lambda matrix: rank_by_energy(spectrum(matrix), energy)


by_vbmf: RankRule = rank_by_vbmf


def low_rank(net: nn.Module, rule: RankRule, *, layers: Sequence[str] = EVERY) -> nn.Module:
    """A copy whose layers are factorized to the ranks the rule finds.

    Depthwise and grouped convolutions have no rank to lose: named exactly they raise
    LayerUnsuited, matched by a pattern they are left alone. Batch norms are folded first where a
    ConvUnit holds both.
    """
    thin = _opened(net)
    for name, layer in weighted_layers(thin, _renamed(net, layers)).items():
        if _grouped(layer):
            _refuse_if_named(name, layers)
            continue
        made = factorized(layer, rule)
        if _weights(made) < _weights(layer):
            replace_layer(thin, name, made)
    return thin


def low_rank_to_bytes(net: nn.Module, target: int, *, layers: Sequence[str] = EVERY) -> nn.Module:
    """A copy of at most ``target`` bytes (4 per parameter), of all such the most exact.

    All layers keep the same share of energy. Raises TargetUnreachable saying how few bytes rank 1
    everywhere would need.
    """
    if net_bytes(net) <= target:
        return copy.deepcopy(net)
    plan = _Plan(_opened(net), _renamed(net, layers))
    if plan.bytes_at(_NOTHING) > target:
        least = plan.bytes_at(_NOTHING)
        raise TargetUnreachable(
            f"{target} bytes cannot be met by low rank: rank 1 everywhere needs {least}"
        )
    low, high = _NOTHING, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if plan.bytes_at(middle) <= target else (low, middle)
    return low_rank(net, by_energy(low), layers=layers)


class _Plan:
    """What factorizing would save, without doing it: singular values are computed once."""

    def __init__(self, net: nn.Module, layers: Sequence[str]) -> None:
        found = weighted_layers(net, layers).values()
        self._layers = [(m, _spectra(m)) for m in found if not _grouped(m)]
        self._bytes = net_bytes(net)

    def bytes_at(self, energy: float) -> int:
        """Of the whole net, every layer keeping this share of its energy."""
        saved = 0
        for layer, spectra in self._layers:
            ranks = [rank_by_energy(values, energy) for values in spectra]
            saved += max(0, layer.weight.numel() - _thin_weights(layer, ranks))
        return self._bytes - saved * BYTES_PER_WEIGHT


def _spectra(layer: Any) -> list[Spectrum]:
    """Singular values along the outputs and, for Tucker-2, along the inputs."""
    weight = layer.weight.detach()
    along = [spectrum(weight.flatten(1))]
    return along if _is_matrix(layer) else [*along, spectrum(weight.transpose(0, 1).flatten(1))]


def _thin_weights(layer: Any, ranks: Sequence[int]) -> int:
    """Weights of the thin layers, biases left out."""
    out, into = layer.weight.shape[:2]
    if len(ranks) == 1:
        return ranks[0] * (out + into)
    kernel = layer.weight[0, 0].numel()
    return into * ranks[1] + ranks[0] * ranks[1] * kernel + ranks[0] * out


def _is_matrix(layer: Any) -> bool:
    return isinstance(layer, nn.Linear) or layer.kernel_size == (1, 1)


def net_bytes(net: nn.Module) -> int:
    """Bytes of the parameters as float32."""
    return sum(p.numel() for p in net.parameters()) * BYTES_PER_WEIGHT


def factorized(layer: nn.Conv2d | nn.Linear, rule: RankRule) -> nn.Sequential:
    """The thin layers in place of one. Raises LayerUnsuited for grouped convolutions."""
    if isinstance(layer, nn.Linear):
        return _split_linear(layer, rule)
    if _grouped(layer):
        raise LayerUnsuited(f"a convolution of {layer.groups} groups cannot be factorized")
    if layer.kernel_size == (1, 1):
        return _split_pointwise(layer, rule)
    return _tucker(layer, rule)


def _split_linear(layer: Any, rule: RankRule) -> nn.Sequential:
    first, second = _halves(layer.weight.detach(), rule(layer.weight.detach()))
    thin = nn.Linear(first.shape[1], first.shape[0], bias=False)
    wide = nn.Linear(second.shape[1], second.shape[0], bias=layer.bias is not None)
    return _filled(layer, (thin, wide), (first, second))


def _split_pointwise(layer: Any, rule: RankRule) -> nn.Sequential:
    matrix = layer.weight.detach()[:, :, 0, 0]
    first, second = (part[:, :, None, None] for part in _halves(matrix, rule(matrix)))
    thin = type(layer)(*first.shape[1::-1], 1, stride=layer.stride, bias=False)
    wide = type(layer)(*second.shape[1::-1], 1, bias=layer.bias is not None)
    return _filled(layer, (thin, wide), (first, second))


def _tucker(layer: Any, rule: RankRule) -> nn.Sequential:
    import tensorly
    from tensorly.decomposition import partial_tucker

    weight = layer.weight.detach()
    ranks = (rule(weight.flatten(1)), rule(weight.transpose(0, 1).flatten(1)))
    with tensorly.backend_context("numpy"):
        (core, (rows, columns)), _ = partial_tucker(
            weight.double().numpy(), rank=list(ranks), modes=[0, 1], init="svd"
        )
    core, rows, columns = (torch.as_tensor(part).to(weight.dtype) for part in (core, rows, columns))
    return _filled(
        layer,
        _tucker_layers(layer, *ranks),
        (columns.T[:, :, None, None], core, rows[:, :, None, None]),
    )


def _tucker_layers(layer: Any, out: int, into: int) -> tuple[nn.Module, ...]:
    kind = SameConv2d if isinstance(layer, SameConv2d) else nn.Conv2d
    return (
        kind(layer.in_channels, into, 1, bias=False),
        kind(
            into,
            out,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            bias=False,
        ),
        kind(out, layer.out_channels, 1, bias=layer.bias is not None),
    )


def _halves(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """[r, c] and [k, r] whose product is nearest to the matrix [k, c]; both of like size."""
    left, values, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    root = values[:rank].sqrt()
    first, second = root[:, None] * right[:rank], left[:, :rank] * root
    return first.to(matrix.dtype), second.to(matrix.dtype)


def _filled(layer: Any, parts: tuple[nn.Module, ...], weights: tuple[Tensor, ...]) -> nn.Sequential:
    for part, weight in zip(parts, weights, strict=True):
        part.weight = nn.Parameter(weight.contiguous())
    if layer.bias is not None:
        parts[-1].bias = nn.Parameter(layer.bias.detach().clone())
    return nn.Sequential(*parts)


def _opened(net: nn.Module) -> nn.Module:
    """A copy in which every convolution can be replaced by several."""
    has_units = any(isinstance(m, ConvUnit) for m in net.modules())
    return without_units(net) if has_units else copy.deepcopy(net)


def _renamed(net: nn.Module, layers: Sequence[str]) -> tuple[str, ...]:
    """A unit's convolution is called 0 once the unit is a plain sequence."""
    units = {f"{n}.conv": f"{n}.0" for n, m in net.named_modules() if isinstance(m, ConvUnit)}
    return tuple(units.get(each, each) for each in layers)


def _grouped(layer: Any) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.groups > 1


def _refuse_if_named(name: str, layers: Sequence[str]) -> None:
    if name in layers or name.removesuffix(".0") + ".conv" in layers:
        raise LayerUnsuited(
            f"layer {name} cannot be factorized: it is a depthwise or grouped convolution"
        )


def _weights(part: nn.Module) -> int:
    return sum(p.numel() for p in part.parameters())
