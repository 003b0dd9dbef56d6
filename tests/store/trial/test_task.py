from __future__ import annotations

from pathlib import Path

from edge_runtime.store.manifest import read_manifest
from edge_runtime.store.trial.task import Task
from edge_runtime.store.trial.verdict import Limits
from tests.store import shelf


def test_what_is_told_arrives(tmp_path: Path) -> None:
    manifest = read_manifest(shelf.put(tmp_path, shelf.classifier()) / "manifest.json")
    task = Task.of("mood.tflite", manifest, Limits(cpu_s=3), Path("/seen.npz"), 0.5)
    assert Task.from_json(task.to_json()) == task
    assert (task.shape, task.labels, task.probabilities) == ((1, 8, 8, 1), 2, True)
    assert (task.cpu_s, task.examples, task.least_accuracy) == (3, "/seen.npz", 0.5)


def test_only_a_classifiers_labels_are_counted(tmp_path: Path) -> None:
    described = shelf.detector(kind="object-detector", labels=["cat", "dog"])
    described["head"] = {"type": "ssd-postprocess"}
    manifest = read_manifest(shelf.put(tmp_path, described) / "manifest.json")
    assert Task.of("pets.tflite", manifest, Limits()).labels == 0
