"""Pruning: the share that was asked for is zero, patterns hold, channels really go."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edge_runtime.compress.layers import ConvUnit, Residual, Separable  # noqa: E402
from edge_runtime.compress.lenet import lenet_5  # noqa: E402
from edge_runtime.compress.prune import (  # noqa: E402
    GradualPruner,
    KeptZeros,
    Scope,
    gradual_sparsity,
    lamp_scores,
    pattern_mask,
    prune,
    prune_pattern,
    sparsity_of,
)
from edge_runtime.compress.weighted_layers import layer_costs, weighted_layers  # noqa: E402
from edge_runtime.errors import LayerUnsuited, TargetUnreachable  # noqa: E402


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(1)
    return lenet_5().eval()


CONVOLUTIONS, LINEAR = ("0", "2"), ("5", "7")


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.92])
@pytest.mark.parametrize("scope", ["global", "layer", "lamp"])
@pytest.mark.parametrize("layers", [("*",), CONVOLUTIONS, LINEAR], ids=str)
def test_the_share_of_zeros_is_what_was_asked(
    net: nn.Module, sparsity: float, scope: Scope, layers: tuple[str, ...]
) -> None:
    pruned = prune(net, sparsity, scope=scope, layers=layers)
    assert sparsity_of(pruned, layers) == pytest.approx(sparsity, abs=1e-3)
    for name in weighted_layers(pruned, layers) if scope == "layer" else ():
        assert sparsity_of(pruned, (name,)) == pytest.approx(sparsity, abs=1e-3)


def test_lamp_scores_are_the_papers() -> None:
    scores = lamp_scores(torch.tensor([1.0, -3.0, 2.0]))
    assert scores.tolist() == pytest.approx([1 / 14, 1.0, 4 / 13])


def test_lamp_lets_no_layer_die(net: nn.Module) -> None:
    with torch.no_grad():
        net.get_submodule("2").weight.mul_(1e-4)  # so small that by size alone all of it goes
    assert sparsity_of(prune(net, 0.95), ("2",)) == 1
    pruned = prune(net, 0.95, scope="lamp")
    assert sparsity_of(pruned) == pytest.approx(0.95, abs=1e-5)
    assert all(layer.weight.any() for layer in weighted_layers(pruned).values())


@pytest.mark.parametrize("scope", ["global", "layer", "lamp"])
def test_no_zero_is_a_minus_zero(net: nn.Module, scope: Scope) -> None:
    for layer in weighted_layers(prune(net, 0.5, scope=scope)).values():
        assert not torch.signbit(layer.weight[layer.weight == 0]).any()


def test_the_largest_weights_stay(net: nn.Module) -> None:
    pruned = prune(net, 0.9)
    before = torch.cat([m.weight.abs().flatten() for m in weighted_layers(net).values()])
    after = torch.cat([m.weight.abs().flatten() for m in weighted_layers(pruned).values()])
    assert before[after == 0].max() <= after[after > 0].min()


def test_equal_weights_are_told_apart() -> None:
    layer = nn.Linear(10, 10)
    nn.init.constant_(layer.weight, 0.5)
    assert sparsity_of(prune(layer, 0.37)) == pytest.approx(0.37)


def test_the_given_net_is_not_touched(net: nn.Module) -> None:
    prune(net, 0.9)
    assert sparsity_of(net) == 0


def test_only_named_layers_are_pruned(net: nn.Module) -> None:
    pruned = prune(net, 0.8, layers=("5",))
    assert sparsity_of(pruned, ("0", "2", "7")) == 0
    assert sparsity_of(pruned, ("5",)) == pytest.approx(0.8)


def test_an_unknown_layer_is_named_with_those_that_exist(net: nn.Module) -> None:
    with pytest.raises(LayerUnsuited, match=r"'fc\*'; there are: 0, 2, 5, 7"):
        prune(net, 0.5, layers=("fc*",))


def test_everything_cannot_be_pruned(net: nn.Module) -> None:
    with pytest.raises(TargetUnreachable, match="leaves no weight"):
        prune(net, 1.0)


def test_the_cubic_schedule_starts_at_nothing_and_ends_at_the_target() -> None:
    shares = [gradual_sparsity(step / 10, 0.8) for step in range(11)]
    assert shares[0] == 0
    assert shares[5] == pytest.approx(0.8 - 0.8 * 0.5**3)
    assert shares[10] == 0.8
    assert shares == sorted(shares)


def test_gradual_pruning_reaches_its_share_at_the_ramps_end(net: nn.Module) -> None:
    pruner = GradualPruner(net, 0.9, ramp=0.5)
    pruner.step(0.25)
    assert sparsity_of(net) == pytest.approx(gradual_sparsity(0.5, 0.9), abs=1e-5)
    pruner.step(0.5)
    assert sparsity_of(net) == pytest.approx(0.9, abs=1e-5)


def test_zeros_survive_further_training(net: nn.Module) -> None:
    pruned = prune(net, 0.9)
    kept = KeptZeros(pruned)
    optimizer = torch.optim.SGD(pruned.parameters(), 0.1)
    pruned(torch.rand(4, 1, 28, 28)).square().sum().backward()
    optimizer.step()
    assert sparsity_of(pruned) < 0.5
    kept.step(1.0)
    assert sparsity_of(pruned) == pytest.approx(0.9, abs=1e-4)


def test_two_of_four_stay_along_the_inputs(net: nn.Module) -> None:
    pruned = prune_pattern(net)
    kept = pruned.get_submodule("5").weight.view(500, 200, 4) != 0
    assert bool((kept.sum(2) == 2).all())
    conv = pruned.get_submodule("2").weight.movedim(1, -1).reshape(-1, 4) != 0
    assert bool((conv.sum(1) == 2).all())
    assert sparsity_of(pruned, ("0",)) == 0  # one input channel does not divide by four


def test_the_pattern_keeps_the_larger_ones() -> None:
    mask = pattern_mask(torch.tensor([[0.1, -0.9, 0.5, 0.2]]), 2, 4)
    assert mask.tolist() == [[False, True, True, False]]


def test_a_pattern_that_fits_no_layer_is_refused() -> None:
    with pytest.raises(LayerUnsuited, match="divide by 4"):
        prune_pattern(nn.Linear(7, 3))


class TestChannels:
    @pytest.fixture(autouse=True)
    def _needs_the_library(self) -> None:
        pytest.importorskip("torch_pruning")

    def test_every_tensor_shrinks_but_the_outputs(self, net: nn.Module) -> None:
        from edge_runtime.compress.prune_channels import prune_channels

        pruned = prune_channels(net, torch.rand(1, 1, 28, 28), 0.5)
        shapes = [tuple(layer.weight.shape) for layer in weighted_layers(pruned).values()]
        assert shapes == [(10, 1, 5, 5), (25, 10, 5, 5), (250, 400), (10, 250)]
        assert pruned(torch.rand(3, 1, 28, 28)).shape == (3, 10)

    def test_additions_and_depthwise_layers_shrink_together(self) -> None:
        from edge_runtime.compress.prune_channels import prune_channels

        net = nn.Sequential(
            ConvUnit(1, 16, 3, 2), Residual(16), Separable(16, 24), nn.AdaptiveAvgPool2d(1)
        )
        net = nn.Sequential(net, nn.Flatten(), nn.Linear(24, 2)).eval()
        x = torch.rand(1, 1, 16, 16)
        pruned = prune_channels(net, x, 0.5, multiple=4)
        assert pruned.get_submodule("0.1.spatial.conv").weight.shape == (8, 1, 3, 3)
        assert pruned.get_submodule("0.1.spatial.conv").groups == 8
        before = sum(each.macs for each in layer_costs(net, x))
        assert sum(each.macs for each in layer_costs(pruned, x)) < 0.45 * before

    def test_kept_layers_keep_their_width(self, net: nn.Module) -> None:
        from edge_runtime.compress.prune_channels import prune_channels

        pruned = prune_channels(net, torch.rand(1, 1, 28, 28), 0.5, keep=("0", "2"))
        assert pruned.get_submodule("2").weight.shape == (50, 20, 5, 5)

    def test_a_net_of_outputs_only_is_refused(self) -> None:
        from edge_runtime.compress.prune_channels import prune_channels

        with pytest.raises(LayerUnsuited, match="no channel could be removed"):
            prune_channels(nn.Sequential(nn.Linear(8, 2)), torch.rand(1, 8), 0.5)

    def test_outputs_behind_a_softmax_ask_for_names(self) -> None:
        from edge_runtime.compress.prune_channels import prune_channels

        net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4), nn.Softmax(1)).eval()
        x = torch.rand(1, 8)
        with pytest.raises(LayerUnsuited, match=r"from \[\(1, 4\)\] to \[\(1, 2\)\].* in keep"):
            prune_channels(net, x, 0.5)
        assert prune_channels(net, x, 0.5, keep=("2",))(x).shape == (1, 4)
