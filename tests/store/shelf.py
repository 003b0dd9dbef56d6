"""Make model folders for the tests from the tiny models."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from edge_runtime.compress.pack import pack
from tests.engine.tiny_tflite import MODELS


def classifier(**changes: Any) -> dict[str, Any]:
    """A right manifest of ``int8_softmax``, with ``changes``; a change to None removes the key."""
    return _changed(
        {
            "schema": 1,
            "name": "mood",
            "version": "0.1.0",
            "kind": "crop-classifier",
            "model": "model.tflite",
            "sha256": sha256("int8_softmax"),
            "licence": "Apache-2.0",
            "description": "Tells nothing.",
            "input": {"width": 8, "height": 8, "color": "luma"},
            "labels": ["neutral", "smile"],
            "activation": "softmax",
            "crop": {"margin": 0.25, "square": True},
            "threshold": 0.5,
        },
        changes,
    )


def detector(**changes: Any) -> dict[str, Any]:
    """A right manifest of ``two_outputs``, with ``changes``."""
    return _changed(
        {
            "schema": 1,
            "name": "glance",
            "version": "0.1.0",
            "kind": "face-detector",
            "sha256": sha256("two_outputs"),
            "licence": "Apache-2.0",
            "input": {"width": 8, "height": 8, "color": "luma"},
            "head": {"type": "centre-log-size", "strides": [1, 2]},
            "iou_threshold": 0.4,
        },
        changes,
    )


def sha256(model: str) -> str:
    return hashlib.sha256((MODELS / f"{model}.tflite").read_bytes()).hexdigest()


def put(folder: Path, manifest: dict[str, Any], model: str | None = "int8_softmax") -> Path:
    """Write a model folder; without ``model`` the .tflite is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    if model is not None:
        shutil.copy(MODELS / f"{model}.tflite", folder / "model.tflite")
    return folder


def pack_up(folder: Path) -> Path:
    """Put a package in the place of a folder's .tflite; the manifest stays as it is."""
    model = folder / "model.tflite"
    model.with_name("model.tflite.edge").write_bytes(pack(model.read_bytes()))
    model.unlink()
    return folder


def _changed(manifest: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in (manifest | changes).items() if value is not None}
