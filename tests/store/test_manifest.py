from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_runtime.errors import ManifestInvalid
from edge_runtime.store.embedding import OperatingPoint
from edge_runtime.store.head import HeadSpec, HeadType
from edge_runtime.store.manifest import CropShape, InputSpec, Kind, Manifest, Quality, read_manifest
from edge_runtime.types import CropSpec
from tests.store.shelf import classifier, detector


def read(folder: Path, manifest: object) -> Manifest:
    file = folder / "manifest.json"
    file.write_text(json.dumps(manifest))
    return read_manifest(file)


def refusal(folder: Path, manifest: object) -> str:
    """The sentence, which names the file."""
    with pytest.raises(ManifestInvalid) as error:
        read(folder, manifest)
    assert str(folder / "manifest.json") in str(error.value)
    return str(error.value)


def test_classifier(tmp_path: Path) -> None:
    manifest = read(tmp_path, classifier())
    assert manifest.kind == "crop-classifier"
    assert manifest.labels == ("neutral", "smile")
    assert manifest.crop == CropShape(0.25, True)
    assert manifest.crop_spec == CropSpec(8, 8, 1, 0.25, True)
    assert (manifest.activation, manifest.threshold) == ("softmax", 0.5)


def test_how_good_a_model_is_may_be_said(tmp_path: Path) -> None:
    said = {"measure": "balanced accuracy", "value": 0.93, "data": "held-back faces"}
    assert read(tmp_path, classifier()).quality is None
    found = read(tmp_path, {**classifier(), "quality": said}).quality
    assert found == Quality("balanced accuracy", 0.93, "held-back faces")
    assert "quality.value" in refusal(tmp_path, {**classifier(), "quality": {**said, "value": 93}})


def test_detector(tmp_path: Path) -> None:
    manifest = read(tmp_path, detector())
    assert (manifest.head.strides, manifest.iou_threshold) == ((1, 2), 0.4)
    assert manifest.input == InputSpec(8, 8, "luma")


PETS = {"type": "ssd-postprocess"}
SSD = {"type": "ssd-postprocess", "classes": ["cat"]}


def objects(**changes: Any) -> dict[str, Any]:
    """A right manifest of an object-detector."""
    right = {"kind": "object-detector", "head": SSD, "labels": ["???", "cat", "dog"]}
    return detector(**(right | changes))


def embedding(**changes: Any) -> dict[str, Any]:
    """A right manifest of an embedding."""
    picture = {"width": 8, "height": 8, "color": "bgr"}
    right = {"kind": "embedding", "labels": None, "activation": None, "threshold": None}
    return classifier(**(right | {"input": picture, "crop": {"margin": 0.1}} | changes))


def test_object_detector(tmp_path: Path) -> None:
    outputs = ["scores", "boxes", "count", "classes"]
    picture = {"width": 300, "height": 200, "color": "rgb", "scale": 0.0078125, "offset": -1}
    manifest = read(tmp_path, objects(head=SSD | {"outputs": outputs}, input=picture))
    assert manifest.head == HeadSpec("ssd-postprocess", outputs=tuple(outputs), classes=("cat",))
    assert manifest.labels == ("???", "cat", "dog")
    assert manifest.input == InputSpec(300, 200, "rgb", 0.0078125, -1.0)


def test_labels_of_a_detector_may_have_holes(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("person\n???\n???\ncat\n")
    manifest = read(tmp_path, objects(labels=None, labels_file="labels.txt", head=PETS))
    assert manifest.labels == ("person", "???", "???", "cat")


@pytest.mark.parametrize("kind", ["blazeface", "yunet"])
def test_heads_that_know_faces_only(kind: str, tmp_path: Path) -> None:
    assert read(tmp_path, detector(head={"type": kind})).head == HeadSpec(kind)  # type: ignore[arg-type]


def test_a_yolo_for_faces_needs_no_labels_but_may_have_some(tmp_path: Path) -> None:
    head = {"type": "yolov8", "coordinates": "pixels"}
    bare = read(tmp_path, detector(head=head))
    assert (bare.head, bare.labels) == (HeadSpec("yolov8", coordinates="pixels"), ())
    named = detector(head=head | {"classes": ["face"]}, labels=["face", "hand"])
    assert read(tmp_path, named).head.classes == ("face",)


def test_embedding(tmp_path: Path) -> None:
    manifest = read(tmp_path, embedding())
    assert (manifest.kind, manifest.input) == ("embedding", InputSpec(8, 8, "bgr"))
    assert manifest.crop == CropShape(0.1, True)


FACES: dict[str, Any] = {
    "size": 4,
    "points": [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]],
    "evidence": {"slope": 20.0, "intercept": -7},
    "operating_points": [
        {"false_accepts": 0.01, "threshold": 0.3, "true_accepts": 0.98},
        {"false_accepts": 0.001, "threshold": 0.4, "true_accepts": 0.93},
    ],
}


def faces(**changes: Any) -> dict[str, Any]:
    """A right manifest of an embedding of faces, but for some keys of its section."""
    return embedding(embedding=FACES | changes)


def test_an_embedding_of_faces_says_what_a_cosine_means(tmp_path: Path) -> None:
    spec = read(tmp_path, faces()).embedding
    assert spec is not None
    assert (spec.size, spec.points[2]) == (4, (0.5, 0.6))
    assert (spec.slope, spec.intercept) == (20.0, -7.0)
    assert spec.operating_points[1] == OperatingPoint(0.001, 0.4, 0.93)


def test_an_embedding_of_something_else_says_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, embedding()).embedding is None


def test_points(tmp_path: Path) -> None:
    manifest = read(tmp_path, embedding(kind="points"))
    assert (manifest.kind, manifest.crop) == ("points", CropShape(0.1, True))


def test_left_out_keys_have_defaults(tmp_path: Path) -> None:
    bare = classifier(crop=None, threshold=None, description=None, model=None)
    manifest = read(tmp_path, bare)
    assert (manifest.model, manifest.description) == ("model.tflite", "")
    assert (manifest.crop, manifest.threshold) == (CropShape(0.0, True), 0.5)


def test_colour_input_with_its_scaling(tmp_path: Path) -> None:
    picture = {"width": 8, "height": 6, "color": "rgb", "scale": 0.0078125, "offset": -1}
    manifest = read(tmp_path, classifier(input=picture))
    assert manifest.input == InputSpec(8, 6, "rgb", 0.0078125, -1.0)
    assert manifest.crop_spec.channels == 3


WRONG: list[tuple[dict[str, Any], str]] = [
    (classifier(activaton="logits"), 'key activaton (value "logits") is unknown; did you mean act'),
    (classifier(colour="x"), "key colour"),
    (classifier(head={"type": "centre-log-size"}), "key head"),
    (classifier(labels=None, label=["a"]), "key labels is missing"),
    (classifier(labels=None, label=["a"]), "is label meant to be it?"),
    (classifier(schema=2), "schema is 2, expected 1: a newer edge-runtime"),
    (classifier(schema=True), "schema is true, expected a whole number"),
    (classifier(kind="face-detecter"), "(did you mean face-detector?)"),
    (classifier(name="My Model"), 'name is "My Model", expected up to 64'),
    (classifier(version=1.0), "version is 1.0, expected such as 0.1.0"),
    (classifier(model="../model.tflite"), "expected a file name without folders"),
    (classifier(sha256="ABC"), "64 digits"),
    (classifier(licence=""), "licence is"),
    (classifier(input=[8, 8]), "input is [8, 8], expected an object"),
    (
        classifier(input={"width": 8, "height": 8}),
        "key input.color is missing, expected one of lum",
    ),
    (
        classifier(input={"widht": 8, "height": 8, "color": "luma"}),
        "key input.width is missing, expected a whole number from 1 to 4096; is input.widht meant",
    ),
    (classifier(input={"width": 0, "height": 8, "color": "luma"}), "input.width is 0, expected"),
    (classifier(input={"width": 8.5, "height": 8, "color": "luma"}), "input.width is 8.5"),
    (
        classifier(input={"width": 8, "height": 8, "color": "luma", "scale": 0}),
        "input.scale is 0.0, expected any number but 0",
    ),
    (classifier(labels=[]), "labels is [], expected a list of different texts"),
    (classifier(labels=["a", "a"]), "expected a list of different texts"),
    (classifier(labels=["a", 1]), "expected a list of different texts"),
    (classifier(activation="softmaks"), "(did you mean softmax?)"),
    (classifier(threshold=1.5), "threshold is 1.5, expected a number from 0 to 1"),
    (classifier(threshold=False), "threshold is false"),
    (classifier(crop={"margin": -1}), "crop.margin is -1"),
    (classifier(crop={"square": "yes"}), 'crop.square is "yes", expected true or false'),
    (classifier(crop={"marign": 1}), "did you mean crop.margin?"),
    (classifier(labels_file="labels.txt"), "either labels or labels_file, not both"),
    (classifier(labels=None, labels_file="/etc/passwd"), "file name without folders"),
    (classifier(input={"width": 8, "height": 8, "color": "bgr"}), "input.color"),
    (detector(input={"width": 8, "height": 8, "color": "yuv"}), "one of luma, rgb, bgr"),
    (detector(head={"type": "anchors", "strides": [8]}), "head.type"),
    (detector(head={"type": "centre-log-size", "strides": [0]}), "head.strides is [0]"),
    (detector(labels=["face"]), "key labels"),
    (detector(head={"type": "yunet", "strides": [8]}), "key head.strides"),
    (detector(head={"type": "yolov8"}), "key head.coordinates is missing, expected one of norm"),
    (detector(head={"type": "yolov5", "coordinates": "pixel"}), "(did you mean pixels?)"),
    (detector(head={"type": "blazeface", "classes": ["face"]}), "key head.classes"),
    (objects(labels=None), "key labels is missing, expected a list of texts, or use labels_file"),
    (objects(head={"type": "yunet"}), "expected one of ssd-postprocess, yolov5, yolov8"),
    (objects(head=SSD | {"classes": ["cta"]}), "not cta (did you mean cat?)"),
    (objects(head=SSD | {"outputs": ["boxes", "scores"]}), "head.outputs is"),
    (embedding(labels=["a"]), "key labels"),
    (embedding(kind="points", embedding=FACES), "key embedding"),
    (faces(size=1), "embedding.size is 1, expected a whole number from 2"),
    (faces(points=[[0, 0]]), "expected 5 places [x, y] as shares"),
    (faces(points=[[0, 0]] * 4 + [[0, 2]]), "expected 5 places [x, y] as shares"),
    (faces(points=[[0, 0]] * 4 + [[0, "x"]]), "expected 5 places [x, y] as shares"),
    (faces(evidence={"slope": -1, "intercept": 0}), "embedding.evidence.slope is -1"),
    (faces(evidence={"slope": 1, "intercept": 0, "prior": 1}), "key embedding.evidence.prior"),
    (faces(operating_points=[]), "embedding.operating_points is []"),
    (faces(operating_points=[{}]), "embedding.operating_points[0].false_accepts is missing"),
    (faces(operating_points=FACES["operating_points"][::-1]), "each with fewer false accepts"),
    (embedding(threshold=0.5), "key threshold"),
]


@pytest.mark.parametrize(("manifest", "part"), WRONG, ids=[part for _, part in WRONG])
def test_mistakes_are_said_in_one_sentence(
    manifest: dict[str, Any], part: str, tmp_path: Path
) -> None:
    said = refusal(tmp_path, manifest)
    assert part in said
    assert "\n" not in said


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', "{'a': 1}", "\x00", "[" * 100_000])
def test_what_is_no_json_object_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(text)
    with pytest.raises(ManifestInvalid, match=r"manifest\.json"):
        read_manifest(file)


def test_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match=r"manifest\.json is missing"):
        read_manifest(tmp_path / "manifest.json")


def test_long_values_are_shown_shortened(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, classifier(kind="x" * 5000))) < 400


def test_labels_come_from_their_file(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("neutral\nsmile\n\n")
    manifest = read(tmp_path, classifier(labels=None, labels_file="labels.txt"))
    assert manifest.labels == ("neutral", "smile")
    assert manifest.labels_file == "labels.txt"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty, expected one label a line"),
        (b"a\n\nb\n", "line 2 is empty"),
        (b"a\nb\na\n", "line 3 repeats 'a'"),
        (b"\xff\xfe", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_broken_label_files_are_refused(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(ManifestInvalid, match=rf"labels\.txt.*{message}"):
        read(tmp_path, classifier(labels=None, labels_file="labels.txt"))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(sorted(classifier())), value=anything)
def test_any_value_is_understood_or_refused_in_words(
    key: str, value: object, tmp_path: Path
) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(classifier() | {key: value}))
    try:
        manifest = read_manifest(file)
    except ManifestInvalid as error:
        assert str(file) in str(error)  # noqa: PT017 - both ways are right
    else:
        assert manifest.name


def test_every_key_is_documented(repository: Path) -> None:
    documented = (repository / "docs" / "models.md").read_text()
    keys = {*classifier(), *detector(), "labels_file"} - {"input", "head", "crop"}
    inner = {
        *(f"input.{field.name}" for field in fields(InputSpec)),
        *(f"crop.{field.name}" for field in fields(CropShape)),
        *(f"head.{field.name}" for field in fields(HeadSpec)),
        *get_args(Kind),
        *get_args(HeadType),
    }
    assert {key for key in keys | inner if f"`{key}`" not in documented} == set()
