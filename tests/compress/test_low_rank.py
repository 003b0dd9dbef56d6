"""Low rank: exact at full rank, smaller below, the rank found is the rank there is."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tensorly")

from torch import Tensor, nn  # noqa: E402

from edge_runtime.compress.crop_net import CropNet  # noqa: E402
from edge_runtime.compress.layers import SameConv2d  # noqa: E402
from edge_runtime.compress.lenet import lenet_5  # noqa: E402
from edge_runtime.compress.low_rank import (  # noqa: E402
    by_energy,
    by_vbmf,
    factorized,
    low_rank,
    low_rank_to_bytes,
    net_bytes,
)
from edge_runtime.compress.rank import rank_by_energy, rank_by_vbmf  # noqa: E402
from edge_runtime.errors import LayerUnsuited, TargetUnreachable  # noqa: E402


def whole(matrix: Tensor) -> int:
    return min(matrix.shape)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(30, 20), (2, 30)),
        (nn.Conv2d(12, 16, 1, stride=2), (2, 12, 9, 9)),
        (nn.Conv2d(6, 8, 3, padding=1, dilation=2), (2, 6, 9, 9)),
        (nn.Conv2d(6, 8, 5, stride=2, bias=False), (2, 6, 11, 11)),
        (SameConv2d(6, 8, 3, stride=2), (2, 6, 10, 11)),
        (SameConv2d(6, 8, 1, stride=2), (2, 6, 10, 11)),
    ],
    ids=str,
)
def test_full_rank_computes_the_same(layer: nn.Module, shape: tuple[int, ...]) -> None:
    torch.manual_seed(2)
    x = torch.randn(shape)
    assert torch.allclose(factorized(layer, whole)(x), layer(x), atol=2e-5)


def test_a_layer_of_low_rank_is_found_out_and_loses_nothing() -> None:
    torch.manual_seed(3)
    layer = nn.Linear(60, 40)
    layer.weight = nn.Parameter(torch.randn(40, 4) @ torch.randn(4, 60))
    thin = factorized(layer, by_energy(0.999999))
    assert [tuple(part.weight.shape) for part in thin] == [(4, 60), (40, 4)]
    x = torch.randn(5, 60)
    assert torch.allclose(thin(x), layer(x), atol=1e-4)


def test_fewer_bytes_are_paid_with_exactness() -> None:
    torch.manual_seed(4)
    net, x = lenet_5().eval(), torch.rand(8, 1, 28, 28)
    exact = net(x)
    sizes, errors = [], []
    for energy in (0.95, 0.7, 0.4):
        thin = low_rank(net, by_energy(energy))
        sizes.append(net_bytes(thin))
        errors.append(float((thin(x) - exact).abs().mean().detach()))
    assert net_bytes(net) > sizes[0] > sizes[1] > sizes[2]
    assert errors == sorted(errors)


def test_a_target_in_bytes_is_met_closely() -> None:
    torch.manual_seed(5)
    thin = low_rank_to_bytes(lenet_5(), 400_000)
    assert 0.97 * 400_000 < net_bytes(thin) <= 400_000


def test_a_target_below_rank_one_says_what_is_possible() -> None:
    with pytest.raises(TargetUnreachable, match=r"1000 bytes cannot be met .* needs \d+"):
        low_rank_to_bytes(lenet_5(), 1000)


def test_units_with_batch_norms_are_folded_and_computed_the_same() -> None:
    torch.manual_seed(6)
    net = CropNet().eval()
    x = torch.rand(2, 1, 48, 48)
    thin = low_rank(net, by_energy(1.0))
    assert torch.allclose(thin(x), net(x), atol=1e-4)


def test_depthwise_layers_are_passed_over_by_patterns_and_refused_by_name() -> None:
    net = nn.Sequential(nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 64, 1), nn.Conv2d(64, 64, 1))
    assert isinstance(low_rank(net, by_energy(0.3)).get_submodule("0"), nn.Conv2d)
    with pytest.raises(LayerUnsuited, match="layer 0 cannot be factorized"):
        low_rank(net, by_energy(0.3), layers=("0",))


def test_energy_counts_squares() -> None:
    values = np.array([3.0, 2.0, 1.0])
    assert [rank_by_energy(values, e) for e in (0.5, 9 / 14, 0.65, 13 / 14, 1.0)] == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("rank", [1, 5, 12])
@pytest.mark.parametrize("turned", [False, True])
def test_the_variational_rule_finds_the_rank_under_noise(rank: int, turned: bool) -> None:
    torch.manual_seed(rank)
    matrix = torch.randn(80, rank) @ torch.randn(rank, 200) + 0.5 * torch.randn(80, 200)
    assert rank_by_vbmf(matrix.T if turned else matrix) == rank


def test_noise_alone_has_no_rank_worth_keeping() -> None:
    torch.manual_seed(7)
    assert rank_by_vbmf(torch.randn(80, 200)) == 1


def test_vbmf_is_a_rule_like_the_others() -> None:
    torch.manual_seed(8)
    layer = nn.Linear(200, 80)
    layer.weight = nn.Parameter(
        torch.randn(80, 6) @ torch.randn(6, 200) + 0.3 * torch.randn(80, 200)
    )
    assert factorized(layer, by_vbmf)[0].weight.shape == (6, 200)
