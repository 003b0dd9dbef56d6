from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edge_runtime.errors import ManifestInvalid, ModelMissing, ModelRejected
from edge_runtime.store.model import load_model
from tests.engine.tiny_tflite import MODELS
from tests.store.shelf import classifier, detector, put, sha256


def test_folder_becomes_a_model(tmp_path: Path) -> None:
    folder = put(tmp_path / "mood", classifier())
    model = load_model(folder)
    assert (model.folder, model.path) == (folder, folder / "model.tflite")
    assert model.bytes == (MODELS / "int8_softmax.tflite").stat().st_size
    assert model.sha256 == sha256("int8_softmax") == model.manifest.sha256


def test_detector_becomes_a_model(tmp_path: Path) -> None:
    model = load_model(put(tmp_path / "glance", detector(), "two_outputs"))
    assert model.manifest.head.strides == (1, 2)


def test_changed_file_is_refused_with_both_sums(tmp_path: Path) -> None:
    folder = put(tmp_path / "mood", classifier())
    path = folder / "model.tflite"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ModelRejected) as error:
        load_model(folder)
    assert sha256("int8_softmax") in str(error.value)
    assert hashlib.sha256(path.read_bytes()).hexdigest() in str(error.value)


def test_missing_tflite_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"no model file .*mood/model\.tflite"):
        load_model(put(tmp_path / "mood", classifier(), model=None))


def test_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    folder = put(tmp_path / "mood", classifier(sha256=hashlib.sha256(b"hello").hexdigest()))
    (folder / "model.tflite").write_bytes(b"hello")
    with pytest.raises(ModelRejected, match=r"is no \.tflite model"):
        load_model(folder)


def test_wrong_input_size_is_refused_with_got_and_expected(tmp_path: Path) -> None:
    picture = {"width": 48, "height": 32, "color": "rgb"}
    with pytest.raises(ModelRejected, match=r"takes 1x8x8x1, .* 48x32 rgb means .* 1x32x48x3"):
        load_model(put(tmp_path / "mood", classifier(input=picture)))


def test_label_file_of_the_wrong_length_is_refused_with_got_and_expected(tmp_path: Path) -> None:
    folder = put(tmp_path / "mood", classifier(labels=None, labels_file="labels.txt"))
    (folder / "labels.txt").write_text("a\nb\nc\n")
    with pytest.raises(ManifestInvalid) as error:
        load_model(folder)
    said = str(error.value)
    assert f"{folder / 'labels.txt'} has 3 label(s) (a, b, c)" in said
    assert "output of model.tflite is 1x2: expected 2 label(s)" in said


def test_two_labels_may_share_one_number(tmp_path: Path) -> None:
    manifest = classifier(sha256=sha256("int8_sigmoid"), activation="sigmoid")
    model = load_model(put(tmp_path / "mood", manifest, "int8_sigmoid"))
    assert model.manifest.labels == ("neutral", "smile")


def test_classifier_with_two_outputs_is_refused(tmp_path: Path) -> None:
    manifest = classifier(sha256=sha256("two_outputs"))
    with pytest.raises(ManifestInvalid, match="1x8x8x1 and 1x4x4x4: expected one output"):
        load_model(put(tmp_path / "mood", manifest, "two_outputs"))


def test_an_embedding_is_listed_with_its_vector(tmp_path: Path) -> None:
    manifest = classifier(kind="embedding", labels=None, activation=None, threshold=None)
    model = load_model(put(tmp_path / "vector", manifest))
    assert model.manifest.kind == "embedding"
    two = manifest | {"sha256": sha256("two_outputs")}
    with pytest.raises(ModelRejected, match=r"gives 1x8x8x1 and 1x4x4x4; expected one row"):
        load_model(put(tmp_path / "maps", two, "two_outputs"))


def test_an_embedding_gives_as_many_numbers_as_its_manifest_says(tmp_path: Path) -> None:
    faces = {
        "size": 3,
        "points": [[0.5, 0.5]] * 5,
        "evidence": {"slope": 1, "intercept": 0},
        "operating_points": [{"false_accepts": 0.1, "threshold": 0.1, "true_accepts": 0.9}],
    }
    manifest = classifier(kind="embedding", labels=None, activation=None, threshold=None)
    right = manifest | {"embedding": faces | {"size": 2}}
    assert load_model(put(tmp_path / "right", right)).manifest.embedding is not None
    with pytest.raises(ModelRejected, match=r"gives 2 numbers, its manifest says embedding.size"):
        load_model(put(tmp_path / "wrong", manifest | {"embedding": faces}))


def test_points_are_one_row_of_ten_numbers(tmp_path: Path) -> None:
    manifest = classifier(kind="points", labels=None, activation=None, threshold=None)
    with pytest.raises(ModelRejected, match=r"as points, but gives 1x2; expected 1x10, x and y"):
        load_model(put(tmp_path / "points", manifest))
