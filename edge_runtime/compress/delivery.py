"""Writes what a recipe made: the model, what the runtime and people need beside it, the report."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

from edge_runtime.compress.checkpoint import Work, as_unwritable
from edge_runtime.compress.recipe import Recipe
from edge_runtime.compress.report import card, report_html
from edge_runtime.compress.shipping import MODEL, describe, ship
from edge_runtime.errors import CompressionError
from edge_runtime.types import JsonObject

CONTAINER = f"{MODEL}.edge"
BYTE = 1 / 255


def deliver(
    recipe: Recipe, work: Work, stages: list[JsonObject], out: Path, *, measure: str
) -> JsonObject:
    """Fill ``out``; returns the report. ``measure`` is its name. Raises OutputUnwritable."""
    if work.model is None:
        raise CompressionError("the recipe ended without a .tflite")
    report = {
        "name": recipe.name,
        "description": recipe.description,
        "seed": recipe.seed,
        "sha256": hashlib.sha256(work.model).hexdigest(),
        "machine": machine_text(),
        "measure": measure,
        "stages": stages,
    }
    with as_unwritable(out):
        ship(out, work.model, manifest_fields(recipe, work))
        if work.container is not None:
            (out / CONTAINER).write_bytes(work.container)
        (out / "recipe.toml").write_text(recipe.text, "utf-8")
        (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
        (out / "report.html").write_text(report_html(report), "utf-8")
        (out / "README.md").write_text(card(report, recipe.notes), "utf-8")
    return report


def manifest_fields(recipe: Recipe, work: Work) -> dict[str, Any]:
    """The manifest: the recipe's own words over what is known anyway.

    A kind the runtime runs (face-detector, crop-classifier) must come from the recipe.
    """
    fields = describe(recipe.name, "other", recipe.description)
    shape = recipe.model.input
    if len(shape) == 3 and shape[0] in (1, 3):
        color = "luma" if shape[0] == 1 else "rgb"
        fields["input"] = {"width": shape[2], "height": shape[1], "color": color}
        if not work.takes_bytes and recipe.data is not None and recipe.data.divisor == 1 / BYTE:
            fields["input"]["scale"] = BYTE
    return {**fields, **recipe.manifest}


def machine_text() -> str:
    """Where the latencies were measured."""
    cores = len(os.sched_getaffinity(0))
    python = f"Python {platform.python_version()}"
    return f"{platform.machine()}, {cores} cores, {platform.system()}, {python}"
