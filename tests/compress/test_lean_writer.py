"""A quantized net and the file written from it compute the same; the file is lean."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")
flatbuffers = pytest.importorskip("flatbuffers")

from ai_edge_litert import schema_py_generated as schema  # noqa: E402
from torch import nn  # noqa: E402

from edge_runtime.compress.crop_net import CropNet  # noqa: E402
from edge_runtime.compress.glance_net import GlanceNet  # noqa: E402
from edge_runtime.compress.layers import ConvUnit, same_padding  # noqa: E402
from edge_runtime.compress.lean_writer import lean_tflite  # noqa: E402
from edge_runtime.compress.quantize import QuantizedNet, fold_batch_norm  # noqa: E402
from edge_runtime.compress.slim import slim  # noqa: E402
from edge_runtime.engine.engine import open_engine  # noqa: E402
from edge_runtime.errors import LayerUnsuited  # noqa: E402


def lively(net: nn.Module) -> nn.Module:
    """The net with batch norms that are not the identity."""
    torch.manual_seed(4)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, std=0.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return net.eval()


def picture(height: int, width: int) -> Any:
    torch.manual_seed(5)
    return torch.randint(0, 256, (1, 1, height, width)) / 255


def run(model: bytes, file: Path, x: Any) -> list[np.ndarray]:
    file.write_bytes(model)
    with open_engine(file) as engine:
        engine.input()[...] = (x * 255).round().numpy().transpose(0, 2, 3, 1) - 128
        engine.invoke()
        return [
            (engine.output(i).astype(float) - t.zero_point) * t.scale
            for i, t in enumerate(engine.outputs)
        ]


def test_padding_is_tflites_same() -> None:
    assert same_padding(160, 3, 2) == (0, 1)
    assert same_padding(15, 3, 2) == (1, 1)
    assert same_padding(30, 5, 2) == (1, 2)


def test_folding_changes_nothing() -> None:
    net, x = lively(GlanceNet()), picture(120, 160)
    for before, after in zip(net(x), fold_batch_norm(net)(x), strict=True):
        assert torch.allclose(before[0], after[0], atol=1e-4)
        assert torch.allclose(before[1], after[1], atol=1e-4)


@pytest.mark.parametrize(("net", "size"), [(GlanceNet, (120, 160)), (CropNet, (48, 48))])
def test_the_file_computes_what_torch_does(
    net: type[nn.Module], size: tuple[int, int], tmp_path: Path
) -> None:
    x = picture(*size)
    made = QuantizedNet(lively(net()))
    made.calibrate([x])
    with torch.no_grad():
        wanted = made(x)
    flat = [t for pair in wanted for t in pair] if isinstance(wanted, list) else [wanted]
    for got, want in zip(run(lean_tflite(made, x), tmp_path / "m.tflite", x), flat, strict=True):
        real = want.numpy().transpose(0, 2, 3, 1) if want.dim() == 4 else want.numpy()
        spread = max(real.std(), 1e-3)
        assert np.abs(got - real).mean() < 0.12 * spread


def test_the_detector_has_no_stray_operators() -> None:
    x = picture(120, 160)
    made = QuantizedNet(lively(GlanceNet()))
    made.calibrate([x])
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(lean_tflite(made, x), 0))
    codes = [code.builtinCode for code in model.operatorCodes]
    kinds = Counter(codes[each.opcodeIndex] for each in model.subgraphs[0].operators)
    code = schema.BuiltinOperator
    assert set(kinds) == {
        code.CONV_2D,
        code.DEPTHWISE_CONV_2D,
        code.ADD,
        code.RESIZE_BILINEAR,
    }
    assert sum(kinds.values()) <= 43


def test_an_unknown_layer_is_refused() -> None:
    net = nn.Sequential(ConvUnit(1, 4, 3), nn.Sigmoid()).eval()
    made = QuantizedNet(net)
    with pytest.raises(LayerUnsuited, match="no way is written for Sigmoid"):
        lean_tflite(made, picture(8, 8))


def test_slimming_changes_bytes_not_results(tmp_path: Path) -> None:
    x = picture(48, 48)
    made = QuantizedNet(lively(CropNet()))
    made.calibrate([x])
    lean = lean_tflite(made, x)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(lean, 0))
    for number, tensor in enumerate(model.subgraphs[0].tensors):
        tensor.name = f"a/long/name/of/tensor/{number}"
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    fat = bytes(builder.Output())
    thin = slim(fat)
    assert len(thin) < 0.8 * len(fat)
    results = [run(each, tmp_path / "m.tflite", x)[0] for each in (fat, thin, lean)]
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def with_buffers_outside(model: bytes) -> bytes:
    """The same model as large ones are stored: constants behind the flatbuffer, by their place."""
    read = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    filled = [each for each in read.buffers if each.data is not None]
    constants = [bytes(each.data) for each in filled]
    start = 1 << 16
    for buffer, constant in zip(filled, constants, strict=True):
        buffer.data, buffer.offset, buffer.size = None, start, len(constant)
        start += -(-len(constant) // 16) * 16  # the interpreter wants them aligned
    builder = flatbuffers.Builder(1024)
    builder.Finish(read.Pack(builder), b"TFL3")
    behind = b"".join(each.ljust(-(-len(each) // 16) * 16, b"\0") for each in constants)
    return bytes(builder.Output()).ljust(1 << 16, b"\0") + behind


def test_slimming_brings_in_the_buffers_behind_the_flatbuffer(tmp_path: Path) -> None:
    x = picture(48, 48)
    made = QuantizedNet(lively(CropNet()))
    made.calibrate([x])
    whole = lean_tflite(made, x)
    split = with_buffers_outside(whole)
    assert len(split) > 1 << 16
    assert slim(split) == slim(whole)
    results = [run(each, tmp_path / "m.tflite", x)[0] for each in (split, slim(split))]
    assert np.array_equal(results[0], results[1])
