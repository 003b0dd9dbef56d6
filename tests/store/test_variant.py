from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.errors import ManifestInvalid, ModelMissing, ModelRejected
from edge_runtime.store.manifest import Manifest, read_manifest
from edge_runtime.store.model import load_model
from edge_runtime.store.variant import Variant
from tests.engine.tiny_tflite import MODELS
from tests.store.shelf import classifier, put, sha256

OWN = {"model": "model.tflite", "sha256": sha256("int8_softmax"), "precision": "int8"}
FLOAT = {"model": "float.tflite", "sha256": "f" * 64, "precision": "float32", "accuracy": 0.9}


def read(folder: Path, **variants: dict[str, Any] | str) -> Manifest:
    file = folder / "manifest.json"
    file.write_text(json.dumps(classifier(variants=variants)))
    return read_manifest(file)


def test_own_model_is_offered_first(tmp_path: Path) -> None:
    manifest = read(tmp_path, float=FLOAT, small=OWN)
    assert manifest.offers == (
        Variant("small", "model.tflite", sha256("int8_softmax"), "int8", None),
        Variant("float", "float.tflite", "f" * 64, "float32", 0.9),
    )


def test_without_variants_the_model_is_offered(tmp_path: Path) -> None:
    folder = put(tmp_path / "mood", classifier())
    offers = read_manifest(folder / "manifest.json").offers
    assert offers == (Variant("model", "model.tflite", sha256("int8_softmax")),)


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ({"float": FLOAT}, r"variants is .*, expected one with model model\.tflite and the mani"),
        ({"a": OWN, "b": OWN}, r"variants is .*, expected each model file once"),
        ({"A!": OWN}, r"variants\.A! is .*, expected a name of up to 32 of a-z"),
        ({"a": OWN | {"precision": "int7"}}, r"a\.precision is .*\(did you mean int8\?\)"),
        ({"a": OWN | {"accuracy": 98}}, r"variants\.a\.accuracy is 98, expected a number from 0"),
        ({"a": OWN | {"model": "../x"}}, r"variants\.a\.model is .*, expected a file name with"),
        ({"a": OWN | {"sha256": "ab"}}, r"variants\.a\.sha256 is .*, expected 64 digits"),
        ({"a": OWN | {"acuracy": 1}}, r"a\.acuracy .* did you mean variants\.a\.accuracy"),
        ({"a": "model.tflite"}, r"variants\.a is .*, expected an object"),
    ],
)
def test_mistakes_are_named(variants: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match=message):
        read(tmp_path, **variants)


def test_variant_is_a_model_of_its_own_file(tmp_path: Path) -> None:
    folder = put(tmp_path / "mood", classifier())
    shutil.copy(MODELS / "float_rgb_softmax.tflite", folder / "float.tflite")
    model = load_model(folder)
    wrong = Variant("float", "float.tflite", sha256("int8_softmax")[::-1])
    with pytest.raises(ModelRejected, match=r"float\.tflite is not the file its manifest desc"):
        model.as_variant(wrong)
    with pytest.raises(ModelRejected, match=r"takes 1x8x8x3, the manifest's 8x8 luma means"):
        model.as_variant(Variant("float", "float.tflite", sha256("float_rgb_softmax")))
    with pytest.raises(ModelMissing, match=r"no model file .*gone\.tflite"):
        model.as_variant(Variant("gone", "gone.tflite", "f" * 64))
    assert model.as_variant(model.manifest.offers[0]) is model
