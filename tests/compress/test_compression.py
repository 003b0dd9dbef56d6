"""A recipe from net to delivered folder: killed and resumed, errors that keep what was done."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")

import numpy as np  # noqa: E402
from ai_edge_litert import schema_py_generated as schema  # noqa: E402

from edge_runtime.compress import checkpoint  # noqa: E402
from edge_runtime.compress.compression import Compression, units_of  # noqa: E402
from edge_runtime.compress.examination import file_answers  # noqa: E402
from edge_runtime.compress.progress import Progress  # noqa: E402
from edge_runtime.compress.recipe import read_recipe  # noqa: E402
from edge_runtime.errors import (  # noqa: E402
    ConfigError,
    DataMissing,
    LayerUnsuited,
    LibraryMissing,
    OutputUnwritable,
    TrainingDiverged,
)
from edge_runtime.store.manifest import read_manifest  # noqa: E402
from tests.compress.small_net import small_net  # noqa: E402

RECIPE = """
name = "sides"
description = "Left or right."
[model]
source = "tests.compress.small_net:small_net"
input = [1, 8, 8]
[data]
file = "sides.npz"
[report]
every_stage = false
runs = 10
[manifest]
kind = "crop-classifier"
labels = ["left", "right"]
activation = "logits"
[[stage]]
do = "train"
epochs = 6
rate = 0.01
batch = 32
[[stage]]
do = "prune"
sparsity = 0.3
epochs = 2
batch = 32
[[stage]]
do = "quantize"
calibration = 64
epochs = 1
rate = 1e-4
[[stage]]
do = "pack"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recipe, and pictures that are bright on the left or on the right."""
    (tmp_path / "sides.toml").write_text(RECIPE)
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 400)
    pictures = rng.integers(0, 120, (400, 8, 8))
    for picture, label in zip(pictures, labels, strict=True):
        picture[:, 4 * label : 4 * label + 4] += 60
    arrays: dict[str, Any] = {
        "x_train": pictures[:300].astype(np.uint8),
        "y_train": labels[:300],
        "x_test": pictures[300:].astype(np.uint8),
        "y_test": labels[300:],
    }
    np.savez(tmp_path / "sides.npz", allow_pickle=False, **arrays)
    return tmp_path


def compression(folder: Path, recipe: str = "sides.toml", work: str = "work") -> Compression:
    found = read_recipe(folder / recipe)
    bar = Progress(units_of(found), write=lambda _: None, redraw=False)
    return Compression(
        recipe=found, data=folder, work=folder / work, out=folder / "out", progress=bar
    )


def changed(folder: Path, *swaps: tuple[str, str]) -> str:
    text = (folder / "sides.toml").read_text()
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "changed.toml").write_text(text)
    return "changed.toml"


def done_stages(folder: Path) -> list[str]:
    return sorted(path.parent.name.split("-")[1] for path in (folder / "work").glob("*/done.json"))


def test_a_recipe_delivers_all_it_promised(folder: Path) -> None:
    report = compression(folder).run()
    out = folder / "out"
    assert {path.name for path in out.iterdir()} == {
        "model.tflite",
        "model.tflite.edge",
        "manifest.json",
        "recipe.toml",
        "README.md",
        "report.html",
        "report.json",
    }
    assert json.loads((out / "report.json").read_text()) == report
    assert (out / "recipe.toml").read_text() == RECIPE
    assert read_manifest(out / "manifest.json").labels == ("left", "right")
    file = report["stages"][-1]["file"]
    assert file["tflite_bytes"] == (out / "model.tflite").stat().st_size
    assert file["container_bytes"] == (out / "model.tflite.edge").stat().st_size
    assert file["accuracy"]["value"] > 0.95
    assert file["accuracy"]["low95"] < file["accuracy"]["value"] <= file["accuracy"]["high95"]
    assert sorted(file["latency_ms"]) == ["1", "2", "3", "4"]
    assert file["peak_memory_kib"] > file["peak_memory_of_model_kib"] > 0


def test_zeros_survive_quantization_aware_training(folder: Path) -> None:
    report = compression(folder).run()
    layers = report["stages"][1]["layers"]
    zeros = round(sum(each["sparsity"] * each["weights"] for each in layers))
    weights = sum(each["weights"] for each in layers)
    assert zeros / weights == pytest.approx(0.3, abs=0.01)
    stored = whole_weights((folder / "out" / "model.tflite").read_bytes())
    assert len(stored) == weights
    # Rounding makes a few more; training while rounded must not make fewer.
    assert int((stored == 0).sum()) >= zeros


def whole_weights(model: bytes) -> np.ndarray:
    """All int8 constants of a file."""
    read = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    tensors = [t for t in read.subgraphs[0].tensors if t.type == schema.TensorType.INT8]
    held = [read.buffers[t.buffer].data for t in tensors]
    return np.concatenate([np.asarray(data).view(np.int8) for data in held if data is not None])


def test_a_finished_recipe_is_not_run_again(folder: Path) -> None:
    first = compression(folder).run()
    before = {p: p.stat().st_mtime_ns for p in (folder / "work").rglob("*") if p.is_file()}
    assert compression(folder).run() == first
    after = {p: p.stat().st_mtime_ns for p in (folder / "work").rglob("*") if p.is_file()}
    assert before == after


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_the_same(folder: Path) -> None:
    killed = changed(folder, ('file = "sides.npz"', 'source = "tests.compress.small_net:mortal"'))
    command = [
        sys.executable,
        "-m",
        "edge_runtime",
        "compress",
        str(folder / killed),
        *("--data", str(folder), "--work", str(folder / "work"), "--out", str(folder / "out")),
    ]
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    (folder / "die").touch()  # small_net.mortal kills its process in the fifth epoch
    first = subprocess.run(command, cwd=root, env=environment, capture_output=True, timeout=120)
    assert first.returncode == -signal.SIGKILL
    assert done_stages(folder) == []
    assert torch.load(next((folder / "work").glob("*/training.pt")))["epoch"] == 4
    second = subprocess.run(command, cwd=root, env=environment, capture_output=True, timeout=120)
    assert second.returncode == 0, second.stderr.decode()[-2000:]
    resumed = (folder / "out" / "model.tflite").read_bytes()
    compression(folder, killed, work="elsewhere").run()
    assert (folder / "out" / "model.tflite").read_bytes() == resumed


def test_a_loss_that_is_no_number_stops_with_earlier_stages_kept(folder: Path) -> None:
    nan = changed(
        folder, ("epochs = 2\n", 'epochs = 2\nloss = "tests.compress.small_net:nan_loss"\n')
    )
    with pytest.raises(TrainingDiverged, match=r"became nan in epoch 1 of 2: lower the rate"):
        compression(folder, nan).run()
    assert done_stages(folder) == ["train"]
    compression(folder).run()
    assert done_stages(folder) == ["pack", "prune", "quantize", "train"]


def test_missing_data_is_named(folder: Path) -> None:
    (folder / "sides.npz").unlink()
    with pytest.raises(DataMissing, match=r"there is no file .*sides\.npz"):
        compression(folder).run()


def test_data_of_another_shape_is_refused(folder: Path) -> None:
    other = changed(folder, ("input = [1, 8, 8]", "input = [1, 9, 9]"))
    with pytest.raises(DataMissing, match=r"shape \(8, 8\), the model takes \(1, 9, 9\)"):
        compression(folder, other).run()


def test_data_without_its_keys_is_refused(folder: Path) -> None:
    np.savez(folder / "sides.npz", allow_pickle=False, x_train=np.zeros(3))
    with pytest.raises(DataMissing, match="lacks y_train, x_test, y_test"):
        compression(folder).run()


@pytest.mark.parametrize(
    ("source", "error", "sentence"),
    [
        ("nowhere:net", ConfigError, "cannot be imported"),
        ("builtins:dict", ConfigError, "made a dict, expected a torch module"),
        ("small_net", ConfigError, "is not module:factory"),
        ("net.h5", LibraryMissing, "TensorFlow.* save it as .keras"),
        ("absent.keras", ConfigError, "works on a net"),
        ("absent.onnx", DataMissing, "no file"),
    ],
)
def test_wrong_models_are_told(folder: Path, source: str, error: Any, sentence: str) -> None:
    other = changed(folder, ("tests.compress.small_net:small_net", source))
    with pytest.raises(error, match=sentence):
        compression(folder, other).run()


def test_without_the_converter_onnx_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "net.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnx2torch", None)
    other = changed(folder, ("tests.compress.small_net:small_net", "net.onnx"))
    with pytest.raises(LibraryMissing, match=r"edge-runtime\[formats\]"):
        compression(folder, other).run()


def test_measured_scales_are_reported_layer_by_layer(folder: Path) -> None:
    other = changed(folder, ("calibration = 64", 'calibration = 64\nscales = "measured"'))
    report = compression(folder, other).run()
    plain = compression(folder).run()["stages"][2]["file"]["tflite_bytes"]
    stage = report["stages"][2]
    assert len(stage["scales"]) == len(stage["layers"])
    saved = sum(each["bytes_saved"] for each in stage["scales"])
    assert stage["file"]["tflite_bytes"] == plain - saved < plain


def test_scales_of_a_net_for_the_general_writer_are_refused(folder: Path) -> None:
    lenet = 'source = "edge_runtime.compress.lenet:lenet_5"\ninput = [1, 28, 28]\n'
    data = '[data]\nfile = "digits.npz"\n'
    stage = '[[stage]]\ndo = "quantize"\nscales = "tensor"\n'
    (folder / "lenet.toml").write_text(f"[model]\n{lenet}{data}{stage}")
    pixels, labels = np.zeros((8, 28, 28), np.uint8), np.zeros(8, np.uint8)
    arrays = {"x_train": pixels, "x_test": pixels, "y_train": labels, "y_test": labels}
    np.savez(folder / "digits.npz", allow_pickle=False, **arrays)
    with pytest.raises(LayerUnsuited, match=r"must be padded as SameConv2d\): use writer"):
        compression(folder, "lenet.toml").run()


def test_a_float_tflite_is_quantized_and_packed_without_data(folder: Path) -> None:
    pytest.importorskip("litert_torch")
    from edge_runtime.compress.converter import float_tflite

    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 200), torch.nn.Linear(200, 2))
    given = float_tflite(net, torch.rand(1, 1, 8, 8))
    (folder / "float.tflite").write_bytes(given)
    (folder / "file.toml").write_text(
        'name = "file"\n[model]\nsource = "float.tflite"\ninput = [1, 8, 8]\n[report]\nruns = 10\n'
        '[[stage]]\ndo = "quantize"\nto = "int4"\n[[stage]]\ndo = "pack"\n'
    )
    report = compression(folder, "file.toml").run()
    model = (folder / "out" / "model.tflite").read_bytes()
    assert len(model) < 0.25 * len(given)
    assert "accuracy" not in report["stages"][-1]["file"]
    x = torch.rand(6, 1, 8, 8)
    error = (file_answers(model, x)[0] - net(x).detach()).abs().mean()
    assert error < 0.2 * float(net(x).detach().std())


CALL = """
[[stage]]
do = "call"
function = "tests.compress.small_net:sown"
options = { seed_only = true }
"""


def test_a_training_of_its_own_kind_is_called(folder: Path) -> None:
    other = changed(folder, ("[[stage]]", CALL + "[[stage]]"))
    report = compression(folder, other).run()
    assert report["stages"][0]["do"] == "call"
    kept = next((folder / "work").glob("01-call-*"))
    assert (kept / "notes.txt").read_text("utf-8") == f"{folder} 1 True"


def test_a_call_that_returns_no_net_is_refused(folder: Path) -> None:
    other = changed(folder, ("[[stage]]", CALL.replace("sown", "reaped") + "[[stage]]"))
    with pytest.raises(ConfigError, match="returned NoneType, expected a torch net"):
        compression(folder, other).run()


def test_a_recipe_brings_its_own_measure_and_notes(folder: Path) -> None:
    (folder / "limits.md").write_text("## Limits\n\nSmall.\n")
    other = changed(
        folder,
        ("[report]", '[report]\nmeasure = "tests.compress.small_net:share_of_ones"'),
        ("[model]", 'notes = "limits.md"\n[model]'),
    )
    report = compression(folder, other).run()
    assert report["measure"] == "share of ones"
    assert report["stages"][-1]["file"]["accuracy"]["value"] <= 1
    text = (folder / "out" / "README.md").read_text("utf-8")
    assert text.endswith("## Limits\n\nSmall.\n")


STACK = """
[[stage]]
do = "distill"
epochs = 2
rate = 0.01
batch = 32
teacher = "tests.compress.small_net:small_net"
weights = "teacher.pt"
hints = { "1" = "1" }
[[stage]]
do = "prune_channels"
share = 0.25
multiple = 4
[[stage]]
do = "prune_pattern"
epochs = 1
batch = 32
[[stage]]
do = "low_rank"
energy = 0.9
[[stage]]
do = "share"
conv = 5
epochs = 1
batch = 32
[[stage]]
do = "quantize"
calibration = 64
[[stage]]
do = "slim"
[[stage]]
do = "pack"
"""


def test_techniques_stack(folder: Path) -> None:
    pytest.importorskip("torch_pruning")
    pytest.importorskip("tensorly")
    torch.manual_seed(1)
    torch.save(small_net().state_dict(), folder / "teacher.pt")
    head = RECIPE.partition("[[stage]]")[0]
    (folder / "stack.toml").write_text(head + STACK)
    report = compression(folder, "stack.toml").run()
    parameters = [stage["parameters"] for stage in report["stages"]]
    assert parameters[1] < 0.75 * parameters[0]
    assert max(e["index_bits"] for e in report["stages"][4]["layers"]) <= 6  # 32 values and zero
    assert report["stages"][-1]["file"]["container_bytes"] < 4000


@pytest.mark.parametrize("kind", ["binarize", "ternarize"])
def test_low_bits_reach_the_file(folder: Path, kind: str) -> None:
    head = RECIPE.partition("[[stage]]")[0]
    stages = f'[[stage]]\ndo = "{kind}"\nepochs = 2\nbatch = 32\n[[stage]]\ndo = "quantize"\n'
    (folder / "low.toml").write_text(head + stages)
    report = compression(folder, "low.toml").run()
    bits = [each["index_bits"] for each in report["stages"][-1]["layers"]]
    assert set(bits[1:-1]) == {1 if kind == "binarize" else 2}


def test_a_full_disk_is_told_before_the_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "LEAST_FREE_BYTES", 1 << 60)
    with pytest.raises(OutputUnwritable, match=r"only \d+ MiB are free .* make room"):
        compression(folder).run()


def test_a_disk_that_fills_up_keeps_earlier_stages(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = torch.save
    saved: list[Any] = []

    def save(content: Any, file: Path) -> None:
        saved.append(file)
        if "02-prune" in str(file):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(content, file)

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(OutputUnwritable, match=r"no space left .* earlier stages are kept"):
        compression(folder).run()
    assert done_stages(folder) == ["train"]


def test_a_layer_that_cannot_be_factorized_is_named(folder: Path) -> None:
    thin = changed(
        folder,
        (
            'do = "prune"\nsparsity = 0.3\nepochs = 2\nbatch = 32',
            'do = "low_rank"\nenergy = 0.5\nlayers = ["0.1.spatial.conv"]',
        ),
    )
    with pytest.raises(LayerUnsuited, match="depthwise or grouped"):
        compression(folder, thin).run()
    assert done_stages(folder) == ["train"]
