"""ONNX files as teachers (onnxruntime) and as what a recipe starts from (onnx2torch)."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")

from torch import Tensor  # noqa: E402

from edge_runtime.compress.compression import Compression, units_of  # noqa: E402
from edge_runtime.compress.examination import file_answers  # noqa: E402
from edge_runtime.compress.onnx_net import onnx_net  # noqa: E402
from edge_runtime.compress.onnx_teacher import OnnxTeacher  # noqa: E402
from edge_runtime.compress.progress import Progress  # noqa: E402
from edge_runtime.compress.prune import prune  # noqa: E402
from edge_runtime.compress.recipe import read_recipe  # noqa: E402
from edge_runtime.errors import DataMissing, LayerUnsuited, LibraryMissing  # noqa: E402
from edge_runtime.store.package import expand  # noqa: E402
from tests.compress.tiny_onnx import Node, onnx_bytes  # noqa: E402

CLASSES = 2


def constants() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(1)
    shapes = {"w": (6, 1, 3, 3), "b": (6,), "v": (CLASSES, 6 * 4 * 4), "c": (CLASSES,)}
    drawn = {name: rng.normal(0, 0.3, shape) for name, shape in shapes.items()}
    made: dict[str, np.ndarray[Any, Any]] = {k: v.astype(np.float32) for k, v in drawn.items()}
    return {**made, "shape": np.array([-1, 6 * 4 * 4], np.int64)}


def write_net(file: Path, batch: int | str = "n") -> None:
    """A convolution, ReLU, a pool and a linear layer, as today's exporters write them."""
    window = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        Node("Conv", ["x", "w", "b"], "conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
        Node("Relu", ["conv"], "relu"),
        Node("MaxPool", ["relu"], "pool", window),
        Node("Reshape", ["pool", "shape"], "flat", {"allowzero": 1}),
        Node("Gemm", ["flat", "v", "c"], "y", {"transB": 1}),
    ]
    shapes = {"takes": [batch, 1, 8, 8], "gives": [batch, CLASSES]}
    file.write_bytes(onnx_bytes(nodes, constants(), **shapes, opset=20))


def answers(x: Tensor) -> Tensor:
    """What the net of ``write_net`` computes, written down in torch."""
    held = {name: torch.from_numpy(value) for name, value in constants().items()}
    conv = torch.nn.functional.conv2d(x, held["w"], held["b"], padding=1)
    pooled = torch.nn.functional.max_pool2d(conv.relu(), 2)
    return pooled.flatten(1) @ held["v"].T + held["c"]


class TestTeacher:
    def test_it_answers_as_the_net_in_the_file(self, tmp_path: Path) -> None:
        pytest.importorskip("onnxruntime")
        write_net(tmp_path / "teacher.onnx")
        x = torch.rand(5, 1, 8, 8)
        found = OnnxTeacher(tmp_path / "teacher.onnx")(x)
        assert torch.allclose(found, answers(x), atol=1e-5)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataMissing, match=r"there is no teacher .*none\.onnx"):
            OnnxTeacher(tmp_path / "none.onnx")

    def test_a_damaged_file_is_told(self, tmp_path: Path) -> None:
        pytest.importorskip("onnxruntime")
        (tmp_path / "bad.onnx").write_bytes(b"no model at all")
        with pytest.raises(DataMissing, match=r"bad\.onnx cannot be read as ONNX"):
            OnnxTeacher(tmp_path / "bad.onnx")

    def test_a_file_for_single_inputs_is_refused(self, tmp_path: Path) -> None:
        pytest.importorskip("onnxruntime")
        write_net(tmp_path / "one.onnx", batch=1)
        with pytest.raises(LayerUnsuited, match="takes batches of 1 only: export it with a free"):
            OnnxTeacher(tmp_path / "one.onnx")

    def test_without_onnxruntime_it_says_how_to_get_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_net(tmp_path / "teacher.onnx")
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(LibraryMissing, match="pip install onnxruntime"):
            OnnxTeacher(tmp_path / "teacher.onnx")


RECIPE = """
[model]
source = "net.onnx"
input = [1, 8, 8]
[data]
file = "data.npz"
divisor = 1
[report]
every_stage = false
runs = 10
[[stage]]
do = "prune"
sparsity = 0.5
scope = "lamp"
[[stage]]
do = "quantize"
epochs = 1
rate = 1e-6
batch = 50
[[stage]]
do = "pack"
"""


class TestOrigin:
    @pytest.fixture(autouse=True)
    def _needs_the_converter(self) -> None:
        if find_spec("onnx2torch") is None:
            pytest.skip("onnx2torch is absent")

    def test_the_net_computes_what_the_file_says(self, tmp_path: Path) -> None:
        write_net(tmp_path / "net.onnx")
        x = torch.rand(5, 1, 8, 8)
        assert torch.allclose(onnx_net(tmp_path / "net.onnx")(x), answers(x), atol=1e-5)

    def test_no_torchvision_is_needed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in [each for each in sys.modules if each.startswith("onnx2torch")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "torchvision", None)
        write_net(tmp_path / "net.onnx")
        x = torch.rand(5, 1, 8, 8)
        assert torch.allclose(onnx_net(tmp_path / "net.onnx")(x), answers(x), atol=1e-5)
        assert sys.modules["torchvision"] is None

    def test_it_goes_through_a_recipe(self, tmp_path: Path) -> None:
        write_net(tmp_path / "net.onnx")
        torch.manual_seed(2)
        x = torch.rand(300, 1, 8, 8)
        labels = answers(x).argmax(1).numpy()
        parts = {"x_train": x[:200], "y_train": labels[:200], "x_test": x[200:]}
        np.savez(tmp_path / "data.npz", **parts, y_test=labels[200:])
        (tmp_path / "net.toml").write_text(RECIPE)
        recipe = read_recipe(tmp_path / "net.toml")
        report = Compression(
            recipe=recipe,
            data=tmp_path,
            work=tmp_path / "work",
            out=tmp_path / "out",
            progress=Progress(units_of(recipe), write=lambda _: None, redraw=False),
        ).run()
        assert [each["sparsity"] > 0 for each in report["stages"][0]["layers"]] == [True, True]
        model = (tmp_path / "out" / "model.tflite").read_bytes()
        assert expand((tmp_path / "out" / "model.tflite.edge").read_bytes()) == model
        wanted = prune(onnx_net(tmp_path / "net.onnx"), 0.5, scope="lamp")(x).detach()
        (found,) = file_answers(model, x)
        assert float((found - wanted).abs().mean() / wanted.std()) < 0.1

    def test_no_onnx_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "bad.onnx").write_bytes(b"no model at all")
        with pytest.raises(DataMissing, match=r"bad\.onnx cannot be read as ONNX"):
            onnx_net(tmp_path / "bad.onnx")

    def test_an_operator_without_counterpart_is_named(self, tmp_path: Path) -> None:
        shapes: dict[str, list[int | str]] = {"takes": ["n", 4], "gives": ["n", 4]}
        node = Node("Bernoulli", ["x"], "y")
        (tmp_path / "odd.onnx").write_bytes(onnx_bytes([node], {}, **shapes, opset=17))
        with pytest.raises(LayerUnsuited, match=r"onnx2torch does not know: .*Bernoulli"):
            onnx_net(tmp_path / "odd.onnx")

    def test_a_batch_size_written_into_the_file_is_refused(self, tmp_path: Path) -> None:
        nodes = [Node("Reshape", ["x", "shape"], "y")]
        fixed = {"shape": np.array([1, 4], np.int64)}
        shapes: dict[str, list[int | str]] = {"takes": [1, 2, 2], "gives": [1, 4]}
        (tmp_path / "one.onnx").write_bytes(onnx_bytes(nodes, fixed, **shapes, opset=20))
        with pytest.raises(LayerUnsuited, match="takes no batches of 3"):
            onnx_net(tmp_path / "one.onnx")
