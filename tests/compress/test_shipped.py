"""The models in the box: what their manifests say of them is true, and they fit their budgets."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[2] / "models"
BUDGETS = {"face-glance": 44_000, "smile": 40_000}


@pytest.mark.parametrize("name", BUDGETS)
def test_a_shipped_model_is_the_one_described(name: str) -> None:
    folder = MODELS / name
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    model = (folder / manifest["model"]).read_bytes()
    assert manifest["name"] == name
    assert manifest["sha256"] == hashlib.sha256(model).hexdigest()
    assert len(model) <= BUDGETS[name]
    assert (folder / "README.md").exists()
