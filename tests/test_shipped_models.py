"""The models in the box: cards and manifests tell the truth, budgets are kept, packages equal."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.compress.pack import pack
from edge_runtime.store.model import Model, load_model

MODELS = Path(__file__).resolve().parent.parent / "models"
FOLDERS = sorted(path for path in MODELS.iterdir() if path.is_dir())
BUDGETS = {
    "face-glance": 44_000,
    "smile": 40_000,
    "mask": 40_000,
    "face-points": 24_000,
    "face-id": 150_000,
}
"""Bytes of the .tflite."""


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    shipped: Path = request.param
    return shipped


def answers_of(model: Model) -> list[np.ndarray]:
    """Every output for a few pictures of noise."""
    answers = []
    with model.open_engine() as engine:
        noise = np.random.default_rng(3)
        for _ in range(5):
            for index, tensor in enumerate(engine.inputs):
                values = noise.integers(-128, 128, tensor.shape)
                engine.input(index)[...] = values.astype(tensor.dtype)
            engine.invoke()
            answers += [engine.output(index).copy() for index in range(len(engine.outputs))]
    return answers


def test_the_detector_and_the_classifiers_are_there() -> None:
    assert {"face-glance", "smile"} <= {folder.name for folder in FOLDERS}


def test_manifest_describes_the_file(folder: Path) -> None:
    model = load_model(folder)
    content = (folder / model.manifest.model).read_bytes()
    assert model.manifest.name == folder.name
    assert model.manifest.sha256 == hashlib.sha256(content).hexdigest()


def test_card_names_the_file_by_its_bytes_and_hash(folder: Path) -> None:
    model = load_model(folder)
    card = (folder / "README.md").read_text("utf-8")
    assert f"{model.bytes:,} bytes" in card
    assert model.sha256 in card


def test_model_fits_its_budget(folder: Path) -> None:
    assert load_model(folder).bytes <= BUDGETS[folder.name]


def test_packed_and_plain_answer_alike(folder: Path, tmp_path: Path) -> None:
    packed = shutil.copytree(folder, tmp_path / folder.name)
    manifest = json.loads((packed / "manifest.json").read_text("utf-8"))
    plain = packed / manifest["model"]
    package = packed / "model.tflite.edge"
    package.write_bytes(pack(plain.read_bytes()))
    plain.unlink()
    (packed / "manifest.json").write_text(json.dumps(manifest | {"model": package.name}))
    arrived = load_model(packed)
    assert arrived.file.package_bytes == package.stat().st_size < arrived.bytes
    for one, other in zip(answers_of(arrived), answers_of(load_model(folder)), strict=True):
        np.testing.assert_array_equal(one, other)
