"""A Keras file becomes a .tflite that answers like it, and goes through a recipe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")

from torch import Tensor  # noqa: E402

from edge_runtime.compress.compression import Compression, units_of  # noqa: E402
from edge_runtime.compress.examination import file_answers  # noqa: E402
from edge_runtime.compress.keras_file import keras_tflite  # noqa: E402
from edge_runtime.compress.progress import Progress  # noqa: E402
from edge_runtime.compress.recipe import read_recipe  # noqa: E402
from edge_runtime.errors import DataMissing, LayerUnsuited, LibraryMissing  # noqa: E402
from edge_runtime.store.package import expand  # noqa: E402

RECIPE = """
[model]
source = "net.keras"
input = [1, 12, 12]
[data]
file = "data.npz"
divisor = 1
[report]
runs = 10
"""


def test_without_keras_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(LibraryMissing, match=r"needs Keras 3: pip install .*\[formats\]"):
        keras_tflite(tmp_path / "net.keras")


def test_keras_on_another_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class OnJax:
        class backend:
            @staticmethod
            def backend() -> str:
                return "jax"

    monkeypatch.setitem(sys.modules, "keras", OnJax)
    with pytest.raises(LibraryMissing, match=r"runs on jax: set KERAS_BACKEND=torch"):
        keras_tflite(tmp_path / "net.keras")


class TestWithKeras:
    @pytest.fixture
    def keras(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("KERAS_BACKEND", "torch")
        pytest.importorskip("litert_torch")
        return pytest.importorskip("keras", reason="keras is absent: pip install keras")

    @pytest.fixture
    def net(self, keras: Any) -> Any:
        keras.utils.set_random_seed(1)
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input((12, 12, 1)),
                layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.DepthwiseConv2D(3, padding="same"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dropout(0.5),
                layers.Dense(3),
            ]
        )

    def answers(self, net: Any, x: Tensor) -> Tensor:
        return torch.from_numpy(net.predict(x.permute(0, 2, 3, 1).numpy(), verbose=0))

    def test_the_file_answers_like_the_model(self, net: Any, tmp_path: Path) -> None:
        net.save(tmp_path / "net.keras")
        x = torch.rand(6, 1, 12, 12)
        (found,) = file_answers(keras_tflite(tmp_path / "net.keras"), x)
        assert torch.allclose(found, self.answers(net, x), atol=1e-5)

    @pytest.mark.parametrize(
        ("writer", "error"), [('"export"', 1e-5), ('"quantize"\nto = "int8"', 0.1)]
    )
    def test_it_goes_through_a_recipe(
        self, net: Any, tmp_path: Path, writer: str, error: float
    ) -> None:
        net.save(tmp_path / "net.keras")
        x = torch.rand(120, 1, 12, 12)
        wanted = self.answers(net, x)
        labels = wanted.argmax(1).numpy()
        parts = {"x_train": x[:60], "y_train": labels[:60], "x_test": x[60:]}
        np.savez(tmp_path / "data.npz", **parts, y_test=labels[60:])
        stages = "".join(f"[[stage]]\ndo = {each}\n" for each in (writer, '"slim"', '"pack"'))
        (tmp_path / "net.toml").write_text(RECIPE + stages)
        recipe = read_recipe(tmp_path / "net.toml")
        Compression(
            recipe=recipe,
            data=tmp_path,
            work=tmp_path / "work",
            out=tmp_path / "out",
            progress=Progress(units_of(recipe), write=lambda _: None, redraw=False),
        ).run()
        model = (tmp_path / "out" / "model.tflite").read_bytes()
        assert expand((tmp_path / "out" / "model.tflite.edge").read_bytes()) == model
        (found,) = file_answers(model, x)
        assert float((found - wanted).abs().mean() / wanted.std()) < error

    def test_what_is_no_keras_file_is_told(self, keras: Any, tmp_path: Path) -> None:
        (tmp_path / "net.keras").write_bytes(b"no model at all")
        with pytest.raises(DataMissing, match=r"net\.keras cannot be loaded by Keras 3"):
            keras_tflite(tmp_path / "net.keras")

    def test_inputs_of_free_size_are_refused(self, keras: Any, tmp_path: Path) -> None:
        free = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(2, 3)])
        free.save(tmp_path / "free.keras")
        with pytest.raises(LayerUnsuited, match="expected one input of fixed size"):
            keras_tflite(tmp_path / "free.keras")
