"""A float net comes back from the file that was written of it, ready to learn on."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")
pytest.importorskip("flatbuffers")

from torch import Tensor, nn  # noqa: E402

from edge_runtime.compress.crop_net import CropNet  # noqa: E402
from edge_runtime.compress.glance_net import GlanceNet  # noqa: E402
from edge_runtime.compress.lean_writer import lean_tflite  # noqa: E402
from edge_runtime.compress.quantize import QuantizedNet  # noqa: E402
from edge_runtime.compress.resume_weights import resume_weights  # noqa: E402
from edge_runtime.errors import LayerUnsuited  # noqa: E402

SIZES = {GlanceNet: (120, 160), CropNet: (48, 48)}


def pictures(net: type[nn.Module], seed: int = 5) -> Tensor:
    torch.manual_seed(seed)
    return torch.randint(0, 256, (6, 1, *SIZES[net])) / 255


def lively(net: nn.Module) -> nn.Module:
    """The net with batch norms that are not the identity, some ReLU6 of it saturated."""
    torch.manual_seed(4)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, std=1.0)
            nn.init.uniform_(module.weight, 0.5, 3.0)
            nn.init.uniform_(module.running_var, 0.2, 1.5)
    return net.eval()


def written(net: nn.Module, x: Tensor) -> bytes:
    made = QuantizedNet(net)
    made.calibrate([x])
    return lean_tflite(made, x[:1])


def answers(net: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        given = net(x)
    flat = [each for pair in given for each in pair] if isinstance(given, list) else [given]
    return torch.cat([each.flatten(1) for each in flat], 1)


@pytest.mark.parametrize("kind", SIZES)
def test_the_float_net_comes_back(kind: type[nn.Module]) -> None:
    net, x = lively(kind()), pictures(kind)
    wanted = answers(net, x)
    again = kind()
    resume_weights(again, written(net, x), [x])
    error = (answers(again.eval(), x) - wanted).abs().mean() / wanted.std()
    assert float(error) < 0.08  # what rounding the weights to 8 bits costs, and no more


@pytest.mark.parametrize("kind", SIZES)
def test_it_computes_the_same_in_training(kind: type[nn.Module]) -> None:
    x = pictures(kind)
    net = kind()
    resume_weights(net, written(lively(kind()), x), [x])
    in_use = answers(net.eval(), x)
    for each in net.train().modules():
        each.train(not isinstance(each, nn.Dropout))
    in_training = answers(net, x)
    assert float((in_training - in_use).abs().mean() / in_use.std()) < 1e-3


def test_another_nets_file_is_refused() -> None:
    x = pictures(GlanceNet)
    model = written(lively(GlanceNet()), x)
    with pytest.raises(LayerUnsuited, match=r"the file has \d+ weighted layers, the net \d+"):
        resume_weights(CropNet(), model, [])
    with pytest.raises(LayerUnsuited, match=r"stem\.conv has weights \(8, 1, 3, 3\)"):
        resume_weights(GlanceNet(stem=8), model, [])
