"""1-bit and ternary weights: the papers' formulas, training through them, exact packing."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402
from torch import nn  # noqa: E402

from edge_runtime.compress.lenet import lenet_300_100  # noqa: E402
from edge_runtime.compress.low_bits import (  # noqa: E402
    BinaryWeight,
    TernaryWeight,
    binarize,
    settle_low_bits,
    ternarize,
    with_low_bits,
)
from edge_runtime.compress.weight_bits import (  # noqa: E402
    load_packed_weights,
    pack_weight,
    packed_weights,
)
from edge_runtime.compress.weighted_layers import layer_costs  # noqa: E402
from edge_runtime.errors import LayerUnsuited  # noqa: E402


def test_binary_weights_are_signs_of_the_mean_size() -> None:
    made = BinaryWeight()(torch.tensor([[0.1, -0.3, 0.2], [-1.0, 0.0, 2.0]]))
    assert torch.allclose(made, torch.tensor([[0.2, -0.2, 0.2], [-1.0, 1.0, 1.0]]))


def test_ternary_weights_drop_what_is_below_seven_tenths_of_the_mean() -> None:
    made = TernaryWeight()(torch.tensor([[0.1, -1.0, 0.8, 0.1]]))  # the cut is at 0.35
    assert torch.allclose(made, torch.tensor([[0.0, -0.9, 0.9, 0.0]]))


@pytest.mark.parametrize("kind", [BinaryWeight, TernaryWeight])
def test_gradients_pass_straight_through_up_to_one(kind: type[nn.Module]) -> None:
    weight = torch.tensor([[0.5, -0.2, 1.5]], requires_grad=True)
    kind()(weight).sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[1.0, 1.0, 0.0]]


def test_first_and_last_layer_keep_their_weights() -> None:
    net = lenet_300_100()
    bits = [each.bits for each in layer_costs(binarize(net), torch.rand(1, 1, 28, 28))]
    assert bits[1] == 1
    assert min(bits[0], bits[2]) > 8
    assert torch.equal(binarize(net).get_submodule("1").weight, net.get_submodule("1").weight)


def test_a_net_without_inner_layers_asks_for_names() -> None:
    with pytest.raises(LayerUnsuited, match="name layers yourself"):
        binarize(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)))
    assert binarize(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), layers=("0",))


def test_training_finds_weights_that_work_in_one_bit() -> None:
    torch.manual_seed(1)
    x = torch.rand(256, 12)
    y = (x[:, :6].sum(1) > x[:, 6:].sum(1)).long()
    net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 2))
    rounded = with_low_bits(net, BinaryWeight, layers=("*",))
    optimizer = torch.optim.Adam(rounded.parameters(), 0.01)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(rounded(x), y).backward()
        optimizer.step()
    before = rounded(x)
    settled = settle_low_bits(rounded)
    assert torch.equal(settled(x), before)
    assert float((settled(x).argmax(1) == y).float().mean()) > 0.9
    assert len(settled.get_submodule("0").weight[0].unique()) == 2


@pytest.mark.parametrize(("shrink", "bits"), [(binarize, 1), (ternarize, 2)])
def test_packed_equals_unpacked(shrink: object, bits: int) -> None:
    torch.manual_seed(2)
    net, x = lenet_300_100().eval(), torch.rand(4, 1, 28, 28)
    low = shrink(net, layers=("*",))  # type: ignore[operator]
    stored = packed_weights(low)
    assert len(stored) < (266_200 * bits / 8 + 410 * 8) + 4_000
    other = lenet_300_100().eval()
    load_packed_weights(other, stored)
    assert torch.equal(other(x), low(x))


@pytest.mark.parametrize("shrink", [binarize, ternarize])
def test_weights_expand_to_int8_exactly(shrink: object) -> None:
    layer = shrink(nn.Conv2d(3, 5, 3), layers=("*",))  # type: ignore[operator]
    packed = pack_weight(layer.weight)
    whole, step = packed.as_int8()
    assert set(np.unique(whole)) <= {-127, 0, 127}
    real = whole.astype(np.float64) * step.astype(np.float64)[:, None, None, None]
    assert np.allclose(real, layer.weight.detach().numpy(), rtol=1e-6)
    assert np.array_equal(packed.as_float(), layer.weight.detach().numpy())


def test_other_weights_cannot_be_packed() -> None:
    with pytest.raises(LayerUnsuited, match="binarize or ternarize"):
        pack_weight(torch.randn(4, 9))
