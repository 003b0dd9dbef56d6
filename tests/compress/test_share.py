"""Layers draw on few values, tuning moves the values and not the zeros, and files keep both."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")
pytest.importorskip("flatbuffers")

from torch import nn  # noqa: E402

from edge_runtime.compress.chain_writer import chain_tflite  # noqa: E402
from edge_runtime.compress.layers import ConvUnit  # noqa: E402
from edge_runtime.compress.lesson import Lesson, labelled, taught, wrong  # noqa: E402
from edge_runtime.compress.pack import pack  # noqa: E402
from edge_runtime.compress.prune import GradualPruner, prune  # noqa: E402
from edge_runtime.compress.share import cluster, settle, share, share_layers  # noqa: E402
from edge_runtime.engine.engine import open_engine  # noqa: E402
from edge_runtime.errors import LayerUnsuited  # noqa: E402
from edge_runtime.store.package import expand  # noqa: E402


def net() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(6 * 5 * 5, 80),
        nn.ReLU(),
        nn.Linear(80, 3),
    )


def pruned(kept: float = 0.2) -> nn.Sequential:
    made = prune(net(), 1 - kept, scope="lamp")
    assert isinstance(made, nn.Sequential)
    return made


def pictures(count: int = 512) -> tuple[Any, Any]:
    """Three classes: a bright spot on the left, in the middle or on the right."""
    torch.manual_seed(4)
    labels = torch.randint(0, 3, (count,))
    x = torch.rand(count, 1, 12, 12) * 0.5
    for number, label in enumerate(labels.tolist()):
        x[number, 0, 4:8, 4 * label : 4 * label + 4] += 0.3
    return x, labels


def weights(made: nn.Module) -> list[Any]:
    return [m.weight.detach() for m in made.modules() if isinstance(m, nn.Conv2d | nn.Linear)]


def test_clusters_of_clear_groups_are_their_means() -> None:
    numbers = torch.tensor([0.0, 1.0, 1.2, -3.0, 0.0, -3.2, 1.1])
    centroids, labels = cluster(numbers, bits=1)
    assert centroids.tolist() == pytest.approx([-3.1, 1.1])
    assert labels.tolist() == [0, 2, 2, 1, 0, 1, 2]


def test_every_number_belongs_to_its_nearest_centroid() -> None:
    torch.manual_seed(0)
    numbers = torch.randn(4000)
    centroids, labels = cluster(numbers, bits=4)
    nearest = (numbers[:, None] - centroids).abs().argmin(1)
    assert len(centroids) <= 16
    assert torch.equal(labels - 1, nearest)


def test_few_different_numbers_are_kept_as_they_are() -> None:
    numbers = torch.tensor([0.5, -1.0, 0.5, 2.0])
    centroids, labels = cluster(numbers, bits=2)
    assert torch.equal(centroids[labels - 1], numbers)


@pytest.mark.parametrize("kind", ["all pruned", "empty"])
def test_layers_without_weights_have_no_centroids(kind: str) -> None:
    centroids, labels = cluster(torch.zeros(5 if kind == "all pruned" else 0), bits=3)
    assert len(centroids) == 0
    assert not labels.any()


def test_what_cannot_be_clustered_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN or infinity"):
        cluster(torch.tensor([1.0, float("nan")]), bits=2)
    with pytest.raises(ValueError, match="expected 1 to 8"):
        cluster(torch.ones(3), bits=9)


def test_a_centroids_gradient_is_the_sum_over_its_weights() -> None:
    plain = pruned()
    shared = share(plain, conv=3, linear=3)
    x, y = pictures(16)
    for each in (settled := settle(shared), shared):
        nn.functional.cross_entropy(each(x), y).backward()
    chain = shared[4].parametrizations.weight
    gradients = settled[4].weight.grad.flatten()
    sums = torch.zeros(len(chain.original) + 1).index_add_(0, chain[0].labels, gradients)
    assert torch.allclose(chain.original.grad, sums[1:], atol=1e-6)


def test_shares_have_the_bits_asked_for_and_keep_the_zeros() -> None:
    plain = pruned()
    shared = settle(share(plain, conv=4, linear=3, bias=5))
    for before, after, bits in zip(weights(plain), weights(shared), (4, 3, 3), strict=True):
        assert len(after[after != 0].unique()) <= 2**bits
        assert torch.equal(before == 0, after == 0)
    assert len(shared[4].bias.unique()) <= 32
    assert torch.equal(shared[6].bias, plain[6].bias)


def test_convolutions_of_our_own_kind_are_shared() -> None:
    unit = ConvUnit(3, 8)
    shared = settle(share(unit, conv=2))
    assert len(shared.conv.weight.unique()) <= 4
    assert type(shared.conv) is type(unit.conv)


def test_the_net_given_is_left_alone() -> None:
    plain = pruned()
    before = copy.deepcopy(plain.state_dict())
    shared = share(plain)
    one, two = settle(shared), settle(shared)
    assert plain.state_dict().keys() == before.keys() == one.state_dict().keys()
    assert all(torch.equal(before[key], value) for key, value in plain.state_dict().items())
    x = pictures(4)[0]
    assert torch.equal(one(x), two(x))
    assert torch.allclose(shared(x), one(x))


def test_tuning_moves_values_and_nothing_else() -> None:
    x, y = pictures()
    shared = share(pruned(), conv=4, linear=4)
    untuned = settle(shared)
    list(Lesson(shared, x, y, epochs=15, rate=5e-2).run(labelled))
    tuned = settle(shared)
    assert wrong(tuned, x, y) < 0.5 * wrong(untuned, x, y)
    for before, after in zip(weights(untuned), weights(tuned), strict=True):
        assert torch.equal(before == 0, after == 0)
        assert len(after.unique()) == len(before.unique())
        assert not torch.equal(before, after)


def test_layers_are_shared_by_name() -> None:
    shared = settle(share_layers(pruned(), {"6": 1}, bias=None))
    first, _, last = weights(shared)
    assert len(last[last != 0].unique()) == 2
    assert len(first.unique()) > 10


def test_layers_that_cannot_be_shared_are_named() -> None:
    with pytest.raises(ValueError, match="'9' is no layer"):
        share_layers(net(), {"9": 4})
    with pytest.raises(ValueError, match="'1' is ReLU"):
        share_layers(net(), {"1": 4})
    with pytest.raises(ValueError, match="wrapped already"):
        share_layers(share(net()), {"0": 4})
    broken = net()
    nn.init.constant_(broken[0].weight, float("inf"))
    with pytest.raises(ValueError, match="weight of layer '0'"):
        share(broken)


def test_masks_hold_while_training_and_teachers_are_followed() -> None:
    x, y = pictures()
    teacher = net()
    for _ in Lesson(teacher, x, y, epochs=6, rate=1e-2, shift=1).run(labelled):
        pass
    made = copy.deepcopy(teacher)
    pruner = GradualPruner(made, 0.85, scope="lamp", ramp=0.5)

    def tighten(lesson: Lesson) -> None:
        pruner.step(lesson.progress)

    for _ in Lesson(made, x, y, epochs=8, rate=1e-2).run(taught(teacher, 0.5), tighten):
        pass
    pruner.step(1.0)
    kept = sum(int((w != 0).sum()) for w in weights(made)) / sum(w.numel() for w in weights(made))
    assert kept == pytest.approx(0.15, abs=0.001)
    assert wrong(made, x, y) < 0.05 * len(y)


def test_diverged_training_is_refused() -> None:
    x, y = pictures(256)
    broken = net()
    nn.init.constant_(broken[6].weight, float("nan"))
    with pytest.raises(ValueError, match="loss became nan"):
        list(Lesson(broken, x, y, epochs=1, rate=1e-2).run(labelled))


def test_packed_model_answers_as_the_net(tmp_path: Path) -> None:
    shared = settle(share(pruned(), conv=4, linear=4))
    model = chain_tflite(shared, torch.zeros(1, 1, 12, 12))
    package = pack(model)
    file = tmp_path / "model.tflite"
    file.write_bytes(expand(package))
    x = pictures(1)[0]
    with open_engine(file) as engine:
        engine.input()[...] = x.numpy().transpose(0, 2, 3, 1)
        engine.invoke()
        found = engine.output().copy()
    assert expand(package) == model
    assert len(package) < len(model) / 8
    np.testing.assert_allclose(found, shared(x).detach().numpy(), atol=1e-5)


def test_layers_without_bias_are_written(tmp_path: Path) -> None:
    torch.manual_seed(1)
    chain = nn.Sequential(
        nn.Conv2d(1, 3, 3, bias=False), nn.Flatten(), nn.Linear(300, 4, bias=False)
    )
    file, x = tmp_path / "model.tflite", torch.rand(1, 1, 12, 12)
    file.write_bytes(chain_tflite(chain, x))
    with open_engine(file) as engine:
        engine.input()[...] = x.numpy().transpose(0, 2, 3, 1)
        engine.invoke()
        np.testing.assert_allclose(engine.output(), chain(x).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Sigmoid(),
        nn.ReLU(),
        nn.Conv2d(1, 1, 3, padding=1),
        nn.MaxPool2d(2, 2, 1),
        nn.MaxPool2d(2, (2, 1)),
        nn.MaxPool2d(2, dilation=2),
    ],
)
def test_layers_that_cannot_be_written_are_named(layer: nn.Module) -> None:
    with pytest.raises(LayerUnsuited, match=type(layer).__name__):
        chain_tflite(nn.Sequential(layer), torch.zeros(1, 1, 12, 12))


def test_few_values_stay_few_when_norms_are_folded_into_them() -> None:
    torch.manual_seed(5)
    normed = nn.Sequential(ConvUnit(1, 8, 3), ConvUnit(8, 16)).train()
    for _ in range(3):
        normed(torch.rand(4, 1, 8, 8))
    normed[0].norm.weight.data.uniform_(0.5, 2.0)
    pictures = torch.rand(2, 1, 8, 8)
    before = normed.eval()(pictures)
    few = settle(share(normed, conv=3)).eval()
    assert not [m for m in few.modules() if isinstance(m, nn.BatchNorm2d)]
    convs = [m for m in few.modules() if isinstance(m, nn.Conv2d)]
    assert [len(m.weight.unique()) for m in convs] == [8, 8]
    # 256 values are more than there are weights: nothing is rounded.
    own = settle(share(normed, conv=8)).eval()
    torch.testing.assert_close(own(pictures), before)
