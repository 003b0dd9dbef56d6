"""Taking models in and choosing among them by command, with real models and a real trial."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_runtime.cli.models import models
from edge_runtime.errors import ManifestIncomplete, ModelMissing, ModelRejected
from edge_runtime.store.catalogue import packaged_models

SHIPPED = packaged_models() or Path()


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("EDGE_RUNTIME_CONFIG", raising=False)
    monkeypatch.setenv("EDGE_RUNTIME_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def mood(tmp_path: Path) -> tuple[str, ...]:
    """A model file and its labels, as arguments."""
    shutil.copy(SHIPPED / "smile" / "model.tflite", tmp_path / "mood.tflite")
    (tmp_path / "mood.txt").write_text("calm\nhappy\n")
    return str(tmp_path / "mood.tflite"), "--labels", str(tmp_path / "mood.txt")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(models, list(arguments))


def said(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_a_model_is_added_activated_and_rolled_back(mood: tuple[str, ...], state: Path) -> None:
    added = said("add", *mood)
    version = added.split()[0]
    assert added == f"{version} is on the shelf"
    assert (state / "models" / "admitted" / version / "model.tflite").exists()
    assert Path(mood[0]).exists()  # what was added by hand stays where it is
    assert said("activate", "mood") == f"{version} is active as classifier/mood"
    listed = json.loads(said("list", "--json"))["models"]
    assert {m["name"]: m["role"] for m in listed}["mood"] == "classifier/mood"
    assert said("rollback", "mood", "--why", "enough").startswith("what the settings name")
    lines = said("history").splitlines()
    assert [line.split("  ")[3] for line in lines] == ["activated", "rolled back"]
    assert lines[1].endswith("by command line: enough")
    assert said("remove", version) == f"{version} is off the shelf"
    assert "mood" not in said("list")


def test_what_is_active_is_not_removed(mood: tuple[str, ...]) -> None:
    version = said("add", *mood, "--activate").split()[0]
    assert isinstance(run("remove", version).exception, ModelRejected)
    assert isinstance(run("remove", "mood/ffff").exception, ModelMissing)


def test_a_shipped_model_can_be_activated_by_name() -> None:
    assert said("activate", "face-glance") == "face-glance is active as detector"
    assert isinstance(run("activate", "nobody").exception, ModelMissing)
    assert isinstance(run("activate", "smile/123").exception, ModelMissing)


def test_validate_says_what_it_is_and_keeps_nothing(mood: tuple[str, ...], state: Path) -> None:
    text = said("validate", *mood)
    assert text.startswith("mood 0: crop-classifier, 48x48 luma")
    assert "labels: calm, happy" in text
    report = json.loads(said("validate", *mood, "--json"))
    assert report["ok"]
    assert report["manifest"]["labels"] == ["calm", "happy"]
    assert not state.exists()


def test_validate_refuses_what_lacks_something_or_is_broken(mood: tuple[str, ...]) -> None:
    incomplete = run("validate", mood[0])
    assert isinstance(incomplete.exception, ManifestIncomplete)
    Path(mood[0]).write_bytes(b"TFL3" * 100)
    assert isinstance(run("add", *mood).exception, ModelRejected)
