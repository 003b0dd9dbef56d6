from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_runtime.cli.models import models
from edge_runtime.engine import litert
from edge_runtime.errors import ModelError
from tests.engine.tiny_tflite import MODELS
from tests.store.shelf import classifier, detector, pack_up, put, sha256


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("EDGE_RUNTIME_CONFIG", raising=False)
    monkeypatch.setenv("EDGE_RUNTIME_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    root = tmp_path / "mine"
    put(root / "mood", classifier())
    put(root / "glance", detector(), "two_outputs")
    return root


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(models, [str(argument) for argument in arguments])


def test_list_is_a_table(shelf: Path) -> None:
    lines = run("list", "--models-dir", shelf).stdout.splitlines()
    assert lines[0].split() == [
        "name",
        "version",
        "kind",
        "input",
        "bytes",
        "package",
        "where",
        "active",
        "as",
    ]
    mood = next(line for line in lines if line.startswith("mood"))
    assert mood.split() == [
        "mood", "0.1.0", "crop-classifier", "8x8", "luma", "1536", "-", str(shelf / "mood"),
    ]  # fmt: skip
    glance = next(line for line in lines if line.startswith("glance"))
    assert glance.index("face-detector") == mood.index("crop-classifier")


def test_list_names_broken_folders_on_stderr(shelf: Path) -> None:
    put(shelf / "bad", classifier(threshold=3))
    result = run("list", "--models-dir", shelf)
    assert result.exit_code == 0
    assert "broken: " in result.stderr
    assert "threshold is 3" in result.stderr
    assert "bad" not in result.stdout


def test_list_as_json(shelf: Path) -> None:
    put(shelf / "bad", classifier(threshold=3))
    said = json.loads(run("list", "--models-dir", shelf, "--json").stdout)
    mood = next(model for model in said["models"] if model["name"] == "mood")
    assert (mood["labels"], mood["bytes"]) == (["neutral", "smile"], 1536)
    assert "threshold is 3" in said["broken"][str(shelf / "bad")]


def test_folders_of_the_config_are_looked_through(shelf: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[models]\ndirs = ["{shelf}"]\n')
    assert "mood" in run("list", "--config", config).stdout


def test_inspect_shows_what_is_inside(shelf: Path) -> None:
    said = run("inspect", "mood", "--models-dir", shelf).stdout
    assert said.startswith("mood 0.1.0, crop-classifier, Apache-2.0\nTells nothing.\n")
    for part in (
        "image: int8 1x8x8x1 (scale 1, zero point -128)",
        "probabilities: int8 1x2 (scale 0.00390625, zero point -128)",
        "CONV_2D × 1",
        sha256("int8_softmax"),
        "1,536",
        "170",
        "704",
    ):
        assert part in said


def test_inspect_as_json_measures(shelf: Path) -> None:
    said = json.loads(run("inspect", "mood", "--models-dir", shelf, "--json").stdout)
    assert said["model"]["name"] == "mood"
    assert (said["parameters"], said["macs"], said["bytes"]) == (170, 704, 1536)
    assert said["latency"]["median_ms"] > 0
    assert said["latency"]["runs"] == 30


def test_inspect_takes_a_bare_file() -> None:
    said = json.loads(run("inspect", MODELS / "float_logits.tflite", "--json").stdout)
    assert said["model"] is None
    assert said["inputs"][0]["dtype"] == "float32"


def test_inspect_takes_a_file_beside_another_models_manifest(shelf: Path) -> None:
    other = shelf / "mood" / "candidate.tflite"
    other.write_bytes((MODELS / "float_logits.tflite").read_bytes())
    assert json.loads(run("inspect", other, "--json").stdout)["model"] is None
    ours = shelf / "mood" / "model.tflite"
    assert json.loads(run("inspect", ours, "--json").stdout)["model"]["name"] == "mood"


@pytest.fixture
def package(shelf: Path) -> Path:
    """The package of a model called calm."""
    folder = put(shelf / "calm", classifier(name="calm", model="model.tflite.edge"))
    return pack_up(folder) / "model.tflite.edge"


def test_package_and_model_are_sized_apart(shelf: Path, package: Path) -> None:
    size = package.stat().st_size
    table = run("list", "--models-dir", shelf).stdout.splitlines()
    assert next(line for line in table if line.startswith("calm")).split()[5:7] == [
        "1536", str(size),
    ]  # fmt: skip
    listed = json.loads(run("list", "--models-dir", shelf, "--json").stdout)["models"]
    sizes = {model["name"]: (model["bytes"], model["package_bytes"]) for model in listed}
    assert (sizes["calm"], sizes["mood"]) == ((1536, size), (1536, None))


def test_inspect_expands_a_package(shelf: Path, package: Path) -> None:
    said = run("inspect", "calm", "--models-dir", shelf).stdout
    assert f"package     {package.stat().st_size} bytes" in said
    assert sha256("int8_softmax") in said
    assert " ms, median of 30 runs" in said
    (package.parent / "manifest.json").unlink()
    bare = json.loads(run("inspect", package, "--json").stdout)
    assert (bare["bytes"], bare["package_bytes"]) == (1536, package.stat().st_size)
    assert bare["latency"]["median_ms"] > 0


def test_expand_writes_the_model_beside_the_package(package: Path) -> None:
    done = run("expand", package)
    assert done.exit_code == 0
    model = package.parent / "model.tflite"
    assert model.read_bytes() == (MODELS / "int8_softmax.tflite").read_bytes()
    assert done.stdout.startswith(f"{model}: 1,536 bytes, from a package of ")


def test_expand_writes_where_it_is_told(package: Path, tmp_path: Path) -> None:
    run("expand", package, "--output", tmp_path / "a.tflite")
    assert (tmp_path / "a.tflite").stat().st_size == 1536
    assert not (package.parent / "model.tflite").exists()


def test_expand_of_another_name_asks_where_to(package: Path) -> None:
    other = package.rename(package.with_name("download"))
    done = run("expand", other)
    assert done.exit_code == 2
    assert "download does not end in .tflite.edge: say --output FILE" in done.stderr


def test_expand_of_a_damaged_package_writes_nothing(package: Path) -> None:
    package.write_bytes(package.read_bytes()[:-3])
    assert isinstance(run("expand", package).exception, ModelError)
    assert not (package.parent / "model.tflite").exists()


def test_inspect_works_without_an_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litert, "find_spec", lambda package: None)
    result = run("inspect", MODELS / "float_logits.tflite")
    assert result.exit_code == 0
    assert "unknown (no model can run: ai_edge_litert is not installed" in result.stdout


@pytest.mark.parametrize("name", ["mod", "./nowhere.tflite", "./nowhere"])
def test_inspect_of_nothing_is_a_typed_error(name: str, shelf: Path) -> None:
    error = run("inspect", name, "--models-dir", shelf).exception
    assert isinstance(error, ModelError)
    assert error.exit_code == 4


def test_missing_models_dir_is_a_usage_error() -> None:
    assert run("list", "--models-dir", "/nowhere").exit_code == 2
