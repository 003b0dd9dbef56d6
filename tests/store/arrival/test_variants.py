"""Variants of a dropped model reach the shelf with it, or it is refused in words."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.compress.pack import pack
from edge_runtime.errors import ManifestInvalid, ModelRejected
from edge_runtime.store.arrival.bundle import read_bundle
from edge_runtime.store.arrival.contents import Limits
from edge_runtime.store.desk import Desk
from edge_runtime.store.manifest import Manifest
from edge_runtime.store.model import Model, load_model
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.trial.verdict import Verdict
from tests.store.arrival.drops import tiny, zipped

OWN = {"model": "a.tflite", "precision": "int8"}
OTHER = {"model": "model.tflite", "precision": "int8", "accuracy": 0.9}
FILES = {"m/a.tflite": tiny("int8_logits"), "m/model.tflite": tiny("uint8_to_float")}


class Trials:
    """Judges by what the manifest says, and remembers what was tried."""

    def __init__(self, bad: str = "") -> None:
        self.tried: list[str] = []
        self._bad = bad

    def __call__(self, file: Path, manifest: Manifest, *, name: str | None = None) -> Verdict:
        self.tried.append(str(name))
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        ok = found == manifest.sha256 and file.name != self._bad
        return Verdict(ok, "it ran" if ok else f"{name} is odd", found)


def drop(
    folder: Path, variants: Any, files: dict[str, bytes] = FILES, trials: Trials | None = None
) -> Model:
    """What lies on the shelf of what was dropped."""
    manifest = {"model": "a.tflite", "labels": list("xyz"), "variants": variants}
    path = folder / "mood.zip"
    path.write_bytes(zipped({**files, "m/manifest.json": json.dumps(manifest).encode()}))
    shelf = Shelf(folder / "shelf")
    version, _ = Desk(shelf, attempt=trials or Trials()).take_in(path)
    return load_model(shelf.folder(version))


def test_variants_are_tried_and_stored(tmp_path: Path) -> None:
    trials = Trials()
    model = drop(tmp_path, {"small": OWN, "wide": OTHER}, trials=trials)
    own, other = model.manifest.offers
    assert (own.name, own.model) == ("small", "model.tflite")
    assert (other.name, other.model, other.accuracy) == ("wide", "variant-wide.tflite", 0.9)
    assert model.file.tflite == tiny("int8_logits")
    assert model.as_variant(other).file.tflite == tiny("uint8_to_float")
    assert trials.tried == [
        "m/a.tflite in mood.zip",
        "variant wide of m/a.tflite in mood.zip",
    ]


def test_packed_variant_is_expanded(tmp_path: Path) -> None:
    files = {"m/a.tflite": tiny("int8_logits"), "m/b.tflite.edge": pack(tiny("uint8_to_float"))}
    wide = {"model": "b.tflite.edge", "precision": "int8"}
    model = drop(tmp_path, {"small": OWN, "wide": wide}, files)
    assert model.as_variant(model.manifest.offers[1]).file.tflite == tiny("uint8_to_float")


def test_variant_that_fails_its_trial_keeps_the_model_out(tmp_path: Path) -> None:
    with pytest.raises(ModelRejected, match=r"variant wide of .*mood\.zip is odd"):
        drop(tmp_path, {"small": OWN, "wide": OTHER}, trials=Trials(bad="variant-wide.tflite"))
    with pytest.raises(ModelRejected, match=r"variant wide of .*mood\.zip is odd"):
        drop(tmp_path, {"small": OWN, "wide": OTHER | {"sha256": "0" * 64}})


def test_variants_too_large_together_are_refused(tmp_path: Path) -> None:
    wide = {"model": "b.tflite.edge", "precision": "int8"}
    manifest = json.dumps({"model": "a.tflite", "variants": {"small": OWN, "wide": wide}})
    files = {"a.tflite": tiny("int8_logits"), "b.tflite.edge": pack(tiny("uint8_to_float"))}
    (tmp_path / "mood.zip").write_bytes(zipped({**files, "manifest.json": manifest.encode()}))
    most = len(tiny("int8_logits")) + len(tiny("uint8_to_float"))
    assert read_bundle(tmp_path / "mood.zip", limits=Limits(bytes=most)).variants
    with pytest.raises(ModelRejected, match=rf"variants of more than {most - 1} bytes together"):
        read_bundle(tmp_path / "mood.zip", limits=Limits(bytes=most - 1))


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ({"small": OWN, "w": OTHER | {"model": "c.tflite"}}, "names the variant w with the file"),
        ({"small": OWN, "w": OTHER | {"model": "../a.tflite"}}, "which is not there: put it"),
        ({"small": OWN, "../w": OTHER}, "expected a name of up to 32"),
        ({"wide": OTHER}, "expected one with model model.tflite and the manifest's own sha256"),
        ({"small": OWN, "w": 1}, "variants.w is 1, expected an object"),
        ({"small": OWN, "w": {"precision": "int8"}}, "variants.w.model is missing"),
        ([OWN], "expected an object"),
        ({f"v{n}": OTHER for n in range(8)} | {"small": OWN}, "expected at most 8 of them"),
    ],
)
def test_mistakes_are_named(variants: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid) as error:
        drop(tmp_path, variants)
    assert said in str(error.value)
    assert not (tmp_path / "shelf").exists()
