"""One scale for a weight where measured answers allow it: fewer bytes, an error as allowed."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")

from torch import Tensor, nn  # noqa: E402

from edge_runtime.compress.examination import file_answers, net_answers  # noqa: E402
from edge_runtime.compress.layers import ConvUnit, Residual  # noqa: E402
from edge_runtime.compress.lean_writer import lean_tflite  # noqa: E402
from edge_runtime.compress.qat import quantization_aware  # noqa: E402
from edge_runtime.compress.quantize import QuantizedNet  # noqa: E402
from edge_runtime.compress.weight_scales import ScaleChooser, answer_error  # noqa: E402

WIDTH = 32


@pytest.fixture
def inputs() -> Tensor:
    torch.manual_seed(3)
    return torch.rand(24, 1, 12, 12)


@pytest.fixture
def net() -> nn.Module:
    """Its last pointwise layer has channels of very different sizes; the others have not."""
    torch.manual_seed(5)
    made = nn.Sequential(
        ConvUnit(1, WIDTH, 3, 2), Residual(WIDTH), ConvUnit(WIDTH, WIDTH), nn.AdaptiveAvgPool2d(1)
    )
    with torch.no_grad():
        made.get_submodule("2.conv").weight.mul_(torch.logspace(-3, 0, WIDTH)[:, None, None, None])
    return nn.Sequential(made, nn.Flatten(), nn.Linear(WIDTH, 4)).eval()


def quantized(net: nn.Module, inputs: Tensor) -> QuantizedNet:
    return quantization_aware(net, inputs.split(8)).eval()


def error(net: QuantizedNet, float_net: nn.Module, inputs: Tensor) -> float:
    return answer_error(net_answers(net, inputs), net_answers(float_net, inputs))


@pytest.mark.parametrize("tolerance", [0.0, 0.1, 10.0])
def test_the_error_grows_no_more_than_allowed(
    net: nn.Module, inputs: Tensor, tolerance: float
) -> None:
    made = quantized(net, inputs)
    before, size = error(made, net, inputs), len(lean_tflite(made, inputs[:1]))
    choices = ScaleChooser(made, inputs, net_answers(net, inputs)).choose(tolerance)
    assert {each.layer for each in choices} == set(made.roundings())
    assert error(made, net, inputs) <= (1 + tolerance) * before
    saved = sum(each.bytes_saved for each in choices)
    assert len(lean_tflite(made, inputs[:1])) == size - saved
    assert all(each.bytes_saved == 0 for each in choices if not each.one_scale)


def test_a_layer_of_uneven_channels_keeps_a_scale_for_each(net: nn.Module, inputs: Tensor) -> None:
    made = quantized(net, inputs)
    choices = ScaleChooser(made, inputs, net_answers(net, inputs)).choose(0.2)
    uneven = next(each for each in choices if each.layer == "0.2.0")
    assert not uneven.one_scale
    assert uneven.alone == max(each.alone for each in choices)
    assert any(each.one_scale and each.bytes_saved >= 4 * (WIDTH - 1) for each in choices)


def test_the_file_of_one_scale_a_weight_computes_what_torch_does(
    net: nn.Module, inputs: Tensor
) -> None:
    made = quantized(net, inputs)
    per_channel = len(lean_tflite(made, inputs[:1]))
    made.use_one_scale()
    model = lean_tflite(made, inputs[:1])
    assert len(model) < per_channel
    (wanted,) = net_answers(made, inputs)
    (found,) = file_answers(model, inputs, takes_bytes=True)
    assert answer_error([found], [wanted]) < 0.05
