"""``bench accuracy`` with the shipped detector on a real face."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_runtime.capture.photographs import photograph
from edge_runtime.capture.portrait import PHOTOGRAPH
from edge_runtime.cli.bench import bench
from edge_runtime.errors import ModelRejected

pytest.importorskip("skimage")
FACE = [179.7, 62.6, 90.9, 112.1]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("EDGE_RUNTIME_CONFIG", raising=False)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A photograph of an astronaut, and an empty one in a folder of its own."""
    assert cv2.imwrite(str(tmp_path / "a.png"), photograph(PHOTOGRAPH))
    (tmp_path / "empty").mkdir()
    assert cv2.imwrite(str(tmp_path / "empty" / "grey.png"), np.full((90, 120, 3), 99, np.uint8))
    file = tmp_path / "val.jsonl"
    file.write_text(json.dumps({"file": "a.png", "faces": [FACE]}))
    return file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(bench, [str(argument) for argument in arguments])


def test_accuracy_is_printed(labels: Path) -> None:
    done = run("accuracy", "--data", labels, "--empty", labels.parent / "empty")
    assert done.exit_code == 0, done.output
    assert "face-glance " in done.stdout
    rows = "faces of at least 10 % of the long side: 1\n  AP@0.5            1.000 [1.000, 1.000]\n"
    assert rows in done.stdout
    assert "empty, 1 pictures without faces\n  false alarms      0.000 [" in done.stdout


def test_accuracy_as_json(labels: Path) -> None:
    done = run("accuracy", "--data", labels, "--model", "face-glance", "--json")
    found = json.loads(done.stdout)["accuracy"]
    assert (found["model"], found["pictures"], found["empty"]) == ("face-glance", 1, [])
    assert found["sizes"][1]["recall"] == {"value": 1.0, "low95": 1.0, "high95": 1.0}


def test_a_classifier_is_no_detector(labels: Path) -> None:
    error = run("accuracy", "--data", labels, "--model", "smile").exception
    assert isinstance(error, ModelRejected)
    assert "smile is of kind crop-classifier" in str(error)


@pytest.mark.parametrize("arguments", [["accuracy"], ["latency", "--data", "x"], ["--empty", "x"]])
def test_accuracy_and_its_pictures_go_together(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "accuracy, --data FILE and --empty DIR go together" in done.stderr
