"""Every precision runs under the interpreter, near its float net; QAT's file is QAT's net."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("litert_torch")
pytest.importorskip("ai_edge_quantizer")

import numpy as np  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from edge_runtime.compress.converter import float_tflite  # noqa: E402
from edge_runtime.compress.examination import file_answers  # noqa: E402
from edge_runtime.compress.folding import fold_norms  # noqa: E402
from edge_runtime.compress.layers import ConvUnit, Residual, SameConv2d  # noqa: E402
from edge_runtime.compress.lean_refusal import lean_refusal  # noqa: E402
from edge_runtime.compress.lean_writer import lean_tflite  # noqa: E402
from edge_runtime.compress.low_bits import binarize  # noqa: E402
from edge_runtime.compress.qat import quantization_aware, settle_rounding  # noqa: E402
from edge_runtime.compress.quantize import QuantizedNet  # noqa: E402
from edge_runtime.compress.slim import slim  # noqa: E402
from edge_runtime.compress.tflite_quantize import Precision, quantize_tflite  # noqa: E402
from edge_runtime.errors import CompressionError, DataMissing, LayerUnsuited  # noqa: E402


class Plain(nn.Module):
    """Of the usual make: batch norms as neighbours, a skip, a pool, unpadded convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8)
        self.second, self.act = nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()
        self.pool, self.last = nn.MaxPool2d(2), nn.Linear(8 * 5 * 5, 64)
        self.answer = nn.Linear(64, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm(self.first(x)))
        x = self.pool(self.act(x + self.second(x)))
        return self.answer(self.act(self.last(torch.flatten(x, 1))))


@pytest.fixture(scope="module")
def inputs() -> Tensor:
    torch.manual_seed(3)
    return torch.rand(48, 1, 12, 12)


@pytest.fixture(scope="module")
def net(inputs: Tensor) -> nn.Module:
    torch.manual_seed(4)
    made = Plain()
    for _ in range(20):  # so that the norms' statistics are no identity
        made.train()(inputs)
    return made.eval()


@pytest.fixture(scope="module")
def floats(net: nn.Module, inputs: Tensor) -> bytes:
    return float_tflite(net, inputs[:1])


def samples(inputs: Tensor) -> list[np.ndarray]:
    return [x.permute(0, 2, 3, 1).numpy() for x in inputs.split(1)]


def distance(answers: Tensor, wanted: Tensor) -> float:
    """Mean error in standard deviations of the answers."""
    real = wanted.detach()
    return float((answers.detach() - real).abs().mean() / real.std())


def test_the_float_file_computes_what_torch_does(
    floats: bytes, net: nn.Module, inputs: Tensor
) -> None:
    assert distance(file_answers(floats, inputs)[0], net(inputs)) < 1e-4


@pytest.mark.parametrize(
    ("to", "size", "error"),
    [
        ("float16", 0.62, 0.001),
        ("dynamic-int8", 0.4, 0.02),
        ("int8", 0.4, 0.02),
        ("int4", 0.3, 0.12),
    ],
)
def test_each_precision_is_smaller_and_near(
    floats: bytes, net: nn.Module, inputs: Tensor, to: Precision, size: float, error: float
) -> None:
    made = quantize_tflite(floats, to, samples(inputs))
    assert len(made) < size * len(slim(floats))
    assert distance(file_answers(made, inputs)[0], net(inputs)) < error


def test_int8_without_samples_is_refused(floats: bytes) -> None:
    with pytest.raises(DataMissing, match="calibrate"):
        quantize_tflite(floats, "int8")


def test_a_file_without_signature_cannot_be_calibrated(floats: bytes, inputs: Tensor) -> None:
    with pytest.raises(CompressionError, match="no signature"):
        quantize_tflite(slim(floats), "int8", samples(inputs))


def test_norms_of_any_net_are_folded(net: nn.Module, inputs: Tensor) -> None:
    folded = fold_norms(net)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert torch.allclose(folded(inputs), net(inputs), atol=1e-5)


def test_a_folded_net_can_be_kept(net: nn.Module, inputs: Tensor, tmp_path: Path) -> None:
    torch.save(fold_norms(net), tmp_path / "net.pt")
    again = torch.load(tmp_path / "net.pt", weights_only=False)
    assert torch.equal(again(inputs), fold_norms(net)(inputs))


def test_the_file_of_a_net_trained_with_rounding_keeps_its_weights(
    net: nn.Module, inputs: Tensor
) -> None:
    made = quantization_aware(net, inputs.split(16))
    assert lean_refusal(made)  # it pools and is unpadded
    with torch.no_grad():
        wanted = made(inputs)
    assert distance(wanted, net(inputs)) < 0.02
    plain = settle_rounding(made)
    file = quantize_tflite(float_tflite(plain, inputs[:1]), "int8", samples(inputs))
    assert distance(file_answers(file, inputs)[0], wanted) < 0.02


def lean_net() -> nn.Module:
    torch.manual_seed(5)
    pooled = nn.Sequential(ConvUnit(1, 8, 3, 2), Residual(8), nn.AdaptiveAvgPool2d(1))
    return nn.Sequential(pooled, nn.Flatten(), nn.Linear(8, 4)).eval()


def test_nets_of_our_layers_take_the_lean_writer(inputs: Tensor, tmp_path: Path) -> None:
    made = quantization_aware(lean_net(), inputs.split(16))
    assert lean_refusal(made) is None
    with torch.no_grad():
        wanted = made(inputs)
    model = lean_tflite(made, torch.zeros(1, 1, 12, 12))
    assert distance(file_answers(model, inputs, takes_bytes=True)[0], wanted) < 0.05


class Pooled(nn.Module):
    """Flattens what a largest-of pool made, as LeNet does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act, self.pool = nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2)
        self.answer = nn.Linear(6 * 5 * 5, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(torch.flatten(self.pool(self.act(self.conv(x))), 1))


def test_largest_of_pools_keep_their_inputs_scale(inputs: Tensor) -> None:
    torch.manual_seed(7)
    net = Pooled().eval()
    made = QuantizedNet(net)
    made.calibrate(inputs.split(16))
    nodes = {node.name: node for node in made.traced.graph.nodes}
    assert made.homes[nodes["pool"]] is made.homes[nodes["flatten"]] is nodes["act"]
    assert distance(made(inputs), net(inputs)) < 0.03
    assert lean_refusal(made) == "conv: convolutions must be padded as SameConv2d"
    with pytest.raises(LayerUnsuited, match="conv: convolutions must be padded"):
        lean_tflite(made, inputs[:1])


class Branched(nn.Module):
    """A layer that is read with and without its activation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act = SameConv2d(1, 4, 3), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x + self.act(x)


class Stretched(nn.Module):
    """Repeats pixels instead of blending them."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (nn.Sequential(nn.Sigmoid()), "no way is written for Sigmoid"),
        (nn.Sequential(nn.Sigmoid(), nn.Flatten()), "no way is written for Sigmoid"),
        (nn.Sequential(SameConv2d(1, 4, 3), nn.MaxPool2d(2)), "no way is written for MaxPool2d"),
        (nn.Sequential(SameConv2d(1, 4, 3), nn.Flatten()), "no way is written for Flatten"),
        (nn.Sequential(nn.AdaptiveAvgPool2d(2)), "averages must be of the whole map"),
        (Branched(), "an activation must be the only reader"),
        (Stretched(), "stretched bilinearly"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, nn.Module) else "",
)
def test_what_the_lean_writer_would_write_wrong_is_refused(
    net: nn.Module, reason: str, inputs: Tensor
) -> None:
    made = quantization_aware(net.eval(), [inputs])
    assert reason in str(lean_refusal(made))
    with pytest.raises(LayerUnsuited, match=reason):
        lean_tflite(made, inputs[:1])


def test_inputs_that_are_no_bytes_need_the_general_writer(inputs: Tensor) -> None:
    made = quantization_aware(lean_net(), [inputs * 4 - 2])
    assert lean_refusal(made)
    node = next(n for n in made.traced.graph.nodes if n.op == "placeholder")
    assert float(made.range_of(node).low) < -1.9


def test_one_bit_weights_expand_to_int8_in_the_file(inputs: Tensor) -> None:
    torch.manual_seed(6)
    net = binarize(nn.Sequential(nn.Flatten(), nn.Linear(144, 32), nn.ReLU(), nn.Linear(32, 4)),
                   layers=("1",)).eval()  # fmt: skip
    made = quantize_tflite(float_tflite(net, inputs[:1]), "int8", samples(inputs))
    stored = np.frombuffer(made, np.int8)
    at = made.find(net.get_submodule("1").weight.sign().mul(127).to(torch.int8).numpy().tobytes())
    assert at >= 0, "every weight is stored as -127 or 127"
    assert len(stored) < 144 * 32 + 4 * 32 + 4000
