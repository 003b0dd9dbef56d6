"""``tune`` from the command line, with a real interpreter."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_runtime.cli.tune import tune
from edge_runtime.errors import ModelMissing
from edge_runtime.store.model import load_model
from edge_runtime.store.tuning import Tunings
from tests.engine.tiny_tflite import MODELS, Writer, float_head, float_weights
from tests.store.shelf import classifier, put, sha256

pytest.importorskip("ai_edge_litert")


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the choice is kept."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "STATE_DIRECTORY", "EDGE_RUNTIME_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})  # the suite's own processes wait
    return tmp_path / ".local" / "state" / "edge-runtime"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(tune, [*map(str, arguments), "--runs", "10"], catch_exceptions=False)


def float_bytes() -> bytes:
    """``int8_logits`` in float32: the same weights, for bytes as they are."""
    from ai_edge_litert import schema_py_generated

    weights = float_weights(1, 3)
    weights["conv"] /= 255
    writer = Writer(schema_py_generated)
    image, logits = float_head(writer, 1, weights)
    return writer.pack([image], [logits])


@pytest.fixture
def mood(tmp_path: Path) -> Path:
    """A folder with a float32 model and its int8 variant."""
    content = float_bytes()
    own = hashlib.sha256(content).hexdigest()
    variants = {
        "float": {"model": "model.tflite", "sha256": own, "precision": "float32"},
        "int8": {"model": "int8.tflite", "sha256": sha256("int8_logits"), "precision": "int8"},
    }
    manifest = classifier(
        sha256=own, labels=["a", "b", "c"], activation="logits", variants=variants
    )
    folder = put(tmp_path / "models" / "mood", manifest, model=None)
    (folder / "model.tflite").write_bytes(content)
    (folder / "int8.tflite").write_bytes((MODELS / "int8_logits.tflite").read_bytes())
    return folder


def test_shipped_model_is_measured_and_remembered(state: Path) -> None:
    done = run("smile")
    assert done.exit_code == 0
    head, *rows = done.stdout.splitlines()[2:5]
    assert " ".join(head.split()) == "variant precision threads XNNPACK median ms p95 ms loss"
    assert rows[0].startswith("*  model ")
    assert {row.split("-")[1].split()[1] for row in rows} == {"on", "off"}
    assert f"kept in {state / 'tuned.json'}, for this board" in done.stdout


def test_float_and_int8_are_compared(mood: Path, state: Path) -> None:
    found = json.loads(run(mood, "--json", "--max-loss", "0.05").stdout)
    ways = {(each["variant"], each["xnnpack"]): each for each in found["trials"]}
    assert set(ways) == {(name, on) for name in ("float", "int8") for on in (True, False)}
    assert all(each["invoke_ms"]["median"] > 0 for each in ways.values())
    assert ways["float", True]["loss"] == 0
    assert 0 < ways["int8", True]["loss"] < 0.05
    assert ways["int8", True]["loss_from"] == "golden"
    best = Tunings(state / "tuned.json").of(load_model(mood).sha256)[0].fastest()
    assert best is not None
    assert (best.variant, best.xnnpack) == (found["chosen"]["variant"], found["chosen"]["xnnpack"])


def test_no_loss_allowed_leaves_the_model_itself(mood: Path) -> None:
    found = json.loads(run("mood", "--json", "--max-loss", "0", "--set", models(mood)).stdout)
    assert {each["variant"] for each in found["trials"] if each["allowed"]} == {"float"}
    assert found["chosen"]["variant"] == "float"


def test_dry_run_remembers_nothing(state: Path) -> None:
    done = run("smile", "--dry-run")
    assert done.stdout.endswith("nothing was kept\n")
    assert not state.exists()


def test_unknown_name_is_an_error() -> None:
    with pytest.raises(ModelMissing, match=r"there is no model 'smil'.*did you mean smile"):
        run("smil")


def models(folder: Path) -> str:
    return f"models.dirs={[str(folder.parent)]}"
