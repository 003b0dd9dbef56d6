"""Puts a finished model where the runtime looks for it, beside its `manifest.json`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

MODEL, MANIFEST = "model.tflite", "manifest.json"


def ship(out: Path, model: bytes, description: dict[str, Any]) -> None:
    """Write the model and its manifest; the manifest's checksum is filled in here."""
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL).write_bytes(model)
    fields = {**description, "model": MODEL, "sha256": hashlib.sha256(model).hexdigest()}
    (out / MANIFEST).write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def describe(name: str, kind: str, text: str) -> dict[str, Any]:
    """The part of a manifest that all models have, in the order a reader expects."""
    return {
        "schema": 1,
        "name": name,
        "version": "0.1.0",
        "kind": kind,
        "model": MODEL,
        "sha256": "",
        "licence": "Apache-2.0",
        "description": text,
    }
