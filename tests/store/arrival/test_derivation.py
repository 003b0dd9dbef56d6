from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import ManifestInvalid, ModelRejected
from edge_runtime.store.arrival.bundle import Bundle, read_bundle
from edge_runtime.store.arrival.derivation import derive, skeleton, to_text
from edge_runtime.store.manifest import Manifest
from edge_runtime.store.model import load_model
from edge_runtime.store.recognition import Recognition, recognize
from tests.store.arrival.drops import (
    SMILE,
    metadata,
    teachable_machine,
    tiny,
    with_metadata,
    zipped,
)

GLANCE = SMILE.parents[1] / "face-glance" / "model.tflite"
LABELS = {"labels.txt": b"cat\ndog\n"}


def bundle_of(folder: Path, files: dict[str, bytes], name: str = "pets.zip") -> Bundle:
    (folder / name).write_bytes(zipped(files))
    return read_bundle(folder / name)


def told(bundle: Bundle) -> Recognition:
    count = None if bundle.labels is None else len(bundle.labels)
    return recognize(read_graph(bundle.model, bundle.origin), bundle.origin, labels=count)


def loaded(folder: Path, bundle: Bundle) -> Manifest:
    """What is derived, written down and read by the runtime, model and all."""
    place = folder / "stored"
    place.mkdir()
    (place / "model.tflite").write_bytes(bundle.model)
    (place / "manifest.json").write_text(to_text(derive(bundle, told(bundle))))
    return load_model(place).manifest


def refusal(folder: Path, files: dict[str, bytes]) -> str:
    bundle = bundle_of(folder, files)
    with pytest.raises(ManifestInvalid) as error:
        derive(bundle, told(bundle))
    return str(error.value)


def test_teachable_machine_needs_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "pets.zip").write_bytes(teachable_machine())
    manifest = loaded(tmp_path, read_bundle(tmp_path / "pets.zip"))
    assert (manifest.name, manifest.kind) == ("pets", "crop-classifier")
    assert (manifest.labels, manifest.activation) == (("neutral", "smile"), "logits")
    assert (manifest.input.scale, manifest.input.color) == (1.0, "luma")
    assert (manifest.version, manifest.licence) == ("0", "NOASSERTION")
    assert "model.tflite in pets.zip, an export of Teachable Machine" in manifest.description


def test_teachable_machine_float_needs_none_either(tmp_path: Path) -> None:
    (tmp_path / "pets.zip").write_bytes(teachable_machine(quantized=False))
    manifest = loaded(tmp_path, read_bundle(tmp_path / "pets.zip"))
    assert (manifest.activation, manifest.input.color) == ("softmax", "rgb")
    assert (manifest.input.scale, manifest.input.offset) == pytest.approx((1 / 127.5, -1))


def test_metadata_carrying_model_needs_none(tmp_path: Path) -> None:
    words = {"description": "Tells\npets.", "version": "v2.1", "license": "Apache License 2.0 …"}
    model = with_metadata(tiny("float_rgb_softmax"), metadata(std=(255.0,), mean=(0.0,), **words))
    bundle = bundle_of(tmp_path, {"m.tflite": model_with_tail(model), **LABELS})
    manifest = loaded(tmp_path, bundle)
    assert (manifest.labels, manifest.version) == (("cat", "dog"), "2.1")
    assert manifest.licence == "Apache-2.0"
    assert manifest.description.startswith("Tells pets. This manifest was derived from m.tflite")
    assert manifest.input.scale == pytest.approx(1 / 255)


def model_with_tail(model: bytes) -> bytes:
    return model + zipped({"labels.txt": b"x\ny\n"})


def test_range_of_an_8_bit_input_counts_more_than_metadata(tmp_path: Path) -> None:
    model = with_metadata(tiny("int8_softmax"), metadata(label_files=()))
    manifest = loaded(tmp_path, bundle_of(tmp_path, {"m.tflite": model, **LABELS}))
    assert (manifest.input.scale, manifest.input.offset) == (1.0, 0.0)


def test_detector_is_described_with_its_head(tmp_path: Path) -> None:
    manifest = loaded(tmp_path, bundle_of(tmp_path, {"m.tflite": GLANCE.read_bytes()}))
    assert (manifest.kind, manifest.head.strides) == ("face-detector", (8, 16, 32))


def test_order_is_that_of_the_shipped_manifests(tmp_path: Path) -> None:
    for model, files in ((SMILE, {"labels.txt": b"neutral\nsmile\n"}), (GLANCE, {})):
        bundle = bundle_of(tmp_path, {"model.tflite": model.read_bytes(), **files})
        shipped = json.loads((model.parent / "manifest.json").read_text())
        del shipped["quality"]  # only who made the model has measured it
        assert [key for key in derive(bundle, told(bundle)) if key in shipped] == list(shipped)


def test_repeated_labels_of_a_classifier_are_told_apart(tmp_path: Path) -> None:
    files = {"m.tflite": tiny("int8_softmax"), "labels.txt": b"crane\ncrane\n"}
    assert loaded(tmp_path, bundle_of(tmp_path, files)).labels == ("crane", "crane 2")


def test_every_key_that_nobody_tells_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, {"m.tflite": tiny("float_rgb_softmax")})
    assert said.startswith("m.tflite in pets.zip does not tell all that is needed: put the model")
    assert "labels: name the 2 outputs in their order" in said
    assert "input.scale and input.offset: the input is float32" in said
    assert "\n" not in said


def own(**manifest: Any) -> dict[str, bytes]:
    return {"manifest.json": json.dumps(manifest).encode()}


def test_manifest_may_say_just_what_is_asked(tmp_path: Path) -> None:
    answers = own(labels=["cat", "dog"], input={"scale": 0.5}, crop={"margin": 0.3}, threshold=0.7)
    files = {"m.tflite": tiny("float_rgb_softmax"), **answers}
    manifest = loaded(tmp_path, bundle_of(tmp_path, files))
    assert (manifest.labels, manifest.input.scale) == (("cat", "dog"), 0.5)
    assert (manifest.input.width, manifest.crop.margin, manifest.crop.square) == (8, 0.3, True)
    assert manifest.threshold == 0.7


def test_skeleton_filled_in_is_accepted_and_as_it_is_refused(tmp_path: Path) -> None:
    model = {"m.tflite": tiny("float_rgb_softmax")}
    bundle = bundle_of(tmp_path, model)
    form = skeleton(bundle, told(bundle))
    assert (form["labels"], form["input"]["scale"], form["input"]["width"]) == ("?", "?", 8)
    assert "labels: name the 2 outputs" in refusal(tmp_path, model | own(**form))
    beside = model | own(**form) | {"m.txt": b"x\ny\n"}
    assert "labels" not in refusal(tmp_path, beside).partition("(")[2]
    form["labels"], form["input"]["scale"], form["input"]["offset"] = ["a", "b"], 1, 0
    assert loaded(tmp_path, bundle_of(tmp_path, model | own(**form))).labels == ("a", "b")


def test_kind_may_be_another_than_guessed(tmp_path: Path) -> None:
    files = {"m.tflite": tiny("int8_logits"), **own(kind="embedding")}
    manifest = loaded(tmp_path, bundle_of(tmp_path, files))
    assert (manifest.kind, manifest.labels) == ("embedding", ())


def test_whole_manifest_stays_as_it_was_written(tmp_path: Path) -> None:
    shipped = json.loads((SMILE.parent / "manifest.json").read_text())
    files = {"model.tflite": SMILE.read_bytes(), **own(**shipped)}
    bundle = bundle_of(tmp_path, files)
    derived = derive(bundle, told(bundle))
    assert {key: derived[key] for key in shipped if key != "input"} == {
        key: shipped[key] for key in shipped if key != "input"
    }
    assert derived["input"] == shipped["input"] | {"scale": 1.0, "offset": 0.0}


def test_manifest_of_another_model_is_refused(tmp_path: Path) -> None:
    files = {"m.tflite": tiny("int8_softmax"), **LABELS, **own(sha256="0" * 64)}
    bundle = bundle_of(tmp_path, files)
    with pytest.raises(ModelRejected, match="is not the model that its manifest"):
        derive(bundle, told(bundle))


def test_wrong_values_are_left_to_the_reader_who_names_them(tmp_path: Path) -> None:
    files = {"m.tflite": tiny("int8_softmax"), **LABELS, **own(treshold=0.5)}
    bundle = bundle_of(tmp_path, files)
    with pytest.raises(ManifestInvalid, match="treshold"):
        loaded(tmp_path, bundle)


def test_another_head_is_taken_whole(tmp_path: Path) -> None:
    head = {"type": "yunet"}
    bundle = bundle_of(tmp_path, {"m.tflite": GLANCE.read_bytes(), **own(head=head)})
    assert derive(bundle, told(bundle))["head"] == head
