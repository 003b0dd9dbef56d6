"""Every way a recipe can fail is one sentence on stderr and its exit code; earlier stages stay."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")

import numpy as np  # noqa: E402

from edge_runtime.cli.main import main  # noqa: E402
from edge_runtime.compress import checkpoint  # noqa: E402

RECIPE = """
[model]
source = "tests.compress.small_net:small_net"
input = [1, 8, 8]
[data]
file = "sides.npz"
[report]
every_stage = false
[[stage]]
do = "prune"
sparsity = 0.5
[[stage]]
do = {stage}
[[stage]]
do = "quantize"
"""
NAN = '"train"\nepochs = 1\nloss = "tests.compress.small_net:nan_loss"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pixels, labels = np.zeros((40, 8, 8), np.uint8), np.zeros(40, np.uint8)
    arrays = {"x_train": pixels, "y_train": labels, "x_test": pixels, "y_test": labels}
    np.savez(tmp_path / "sides.npz", allow_pickle=False, **arrays)
    return tmp_path


def run(folder: Path, recipe: str, *options: str) -> int:
    (folder / "r.toml").write_text(recipe)
    places = ("--work", str(folder / "work"), "--out", str(folder / "out"))
    return main(["compress", str(folder / "r.toml"), *places, *options])


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The last line of stderr; behind the progress bar."""
    found = capsys.readouterr().err.splitlines()[-1]
    assert found.startswith("edge-runtime: ")
    return found


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (
            '"low_rank"\nenergy = 0.5\nlayers = ["0.1.spatial.conv"]',
            "layer 0.1.spatial.0 cannot be factorized: it is a depthwise or grouped convolution",
        ),
        ('"low_rank"\nbytes = 100', "100 bytes cannot be met by low rank: rank 1 everywhere needs"),
        (NAN, "the loss became nan in epoch 1 of 1: lower the rate"),
        ('"prune_channels"\nshare = 0.5\nkeep = ["no.such"]', "no conv or linear layer matches"),
    ],
    ids=["layer", "target", "nan", "name"],
)
def test_a_stage_that_cannot_be_done(
    folder: Path, stage: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, RECIPE.format(stage=stage), "--data", str(folder)) == 8
    assert said in sentence(capsys)
    assert [path.parent.name[:8] for path in folder.glob("work/*/done.json")] == ["01-prune"]


TRAIN = RECIPE.format(stage='"train"\nepochs = 1')


def test_data_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, TRAIN) == 8
    assert "name its folder with --data" in sentence(capsys)
    assert run(folder, TRAIN, "--data", str(folder / "elsewhere")) == 8
    assert "there is no file" in sentence(capsys)


def test_a_full_disk(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "LEAST_FREE_BYTES", 1 << 60)
    assert run(folder, TRAIN, "--data", str(folder)) == 7
    assert "make room and start again" in sentence(capsys)


def test_a_recipe_that_makes_no_sense(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, TRAIN.replace("epochs", "epoch")) == 2
    assert "'epoch' is no key here; did you mean 'epochs'?" in sentence(capsys)


def test_a_converter_that_is_not_there(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "net.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnx2torch", None)
    recipe = TRAIN.replace("tests.compress.small_net:small_net", "net.onnx")
    assert run(folder, recipe, "--data", str(folder)) == 6
    assert "edge-runtime[formats]" in sentence(capsys)
