from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_runtime.compress.pack import pack
from edge_runtime.errors import ManifestInvalid, ModelError, ModelMissing
from edge_runtime.store.arrival.bundle import Bundle, read_bundle
from edge_runtime.store.arrival.contents import Limits
from edge_runtime.store.arrival.names import model_name
from tests.store.arrival.drops import (
    SMILE,
    TEACHABLE_LABELS,
    metadata,
    teachable_machine,
    tiny,
    with_metadata,
    zipped,
)

MODEL = tiny("int8_softmax")
CATEGORIES = b'const char* ei_classifier_inferencing_categories[] = { "cat", "dog" };'


def drop(path: Path, content: bytes | dict[str, bytes]) -> Bundle:
    """Write a file, or a folder of files, and read it."""
    return read_bundle(put(path, content))


def put(path: Path, content: bytes | dict[str, bytes]) -> Path:
    if isinstance(content, bytes):
        path.write_bytes(content)
        return path
    for name, each in content.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(each)
    path.mkdir(exist_ok=True)
    return path


def as_json(**manifest: Any) -> bytes:
    return json.dumps(manifest).encode()


def test_lone_model(tmp_path: Path) -> None:
    bundle = drop(tmp_path / "My Mood (2).tflite", MODEL)
    assert (bundle.name, bundle.model, bundle.labels) == ("my-mood", MODEL, None)
    assert (bundle.manifest, bundle.scaling) == (None, None)
    assert bundle.origin == "My Mood (2).tflite"


def test_model_with_its_label_file(tmp_path: Path) -> None:
    labels = put(tmp_path / "mood.txt", b"calm\nangry\n")
    bundle = read_bundle(put(tmp_path / "mood.tflite", MODEL), labels)
    assert bundle.labels == ("calm", "angry")


@pytest.mark.parametrize("in_zip", [True, False])
@pytest.mark.parametrize("inner", ["", "mood/"])
def test_folder_or_zip_with_manifest_and_labels(tmp_path: Path, in_zip: bool, inner: str) -> None:
    files = {
        f"{inner}net.tflite": MODEL,
        f"{inner}names.txt": b"a\nb\n",
        f"{inner}manifest.json": as_json(name="calm", labels_file="names.txt"),
        f"{inner}.DS_Store": b"junk",
    }
    path = put(tmp_path / "x.zip", zipped(files)) if in_zip else put(tmp_path / "x", files)
    bundle = read_bundle(path)
    assert (bundle.name, bundle.labels, bundle.model) == ("calm", ("a", "b"), MODEL)
    assert bundle.manifest == {"name": "calm", "labels_file": "names.txt"}


def test_teachable_machine_quantized(tmp_path: Path) -> None:
    bundle = drop(tmp_path / "converted_tflite_quantized.zip", teachable_machine())
    assert (bundle.labels, bundle.model) == (("neutral", "smile"), SMILE.read_bytes())
    assert bundle.origin.endswith("an export of Teachable Machine")
    assert bundle.name == "converted_tflite_quantized"


def test_teachable_machine_float_is_trained_on_minus_one_to_one(tmp_path: Path) -> None:
    bundle = drop(tmp_path / "converted_tflite.zip", teachable_machine(quantized=False))
    assert bundle.scaling == pytest.approx((1 / 127.5, -1))
    plain = {"model.tflite": MODEL, "labels.txt": b"a\nb\n"}
    assert drop(tmp_path / "plain.zip", zipped(plain)).scaling is None


@pytest.mark.parametrize(
    "files",
    [
        {"tflite-model/m.tflite": MODEL, "model-parameters/model_variables.h": CATEGORIES},
        {"m.lite": MODEL, "deployment-metadata.json": as_json(classes=["cat", "dog"])},
        {"m.lite": MODEL, "labels.txt": b"cat\ndog\n"},
    ],
)
def test_edge_impulse_layouts(tmp_path: Path, files: dict[str, bytes]) -> None:
    bundle = drop(tmp_path / "ei.zip", zipped(files))
    assert (bundle.model, bundle.labels) == (MODEL, ("cat", "dog"))


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ei-my-pets-transfer-learning-tensorflow-lite-int8-quantized-model.3.lite", "my-pets-tra"),
        ("Grüße!.tflite", "gr-e"),
        ("a.tflite.edge", "a"),
        ("___.zip", "model"),
        ("x" * 100 + ".tflite", "x" * 64),
        ("smile (12).zip", "smile"),
        ("v1.2", "v1.2"),
    ],
)
def test_names_become_what_a_manifest_allows(file: str, name: str) -> None:
    assert model_name(file).startswith(name)
    assert model_name(file) == model_name(model_name(file))


def test_package_is_expanded_wherever_it_lies(tmp_path: Path) -> None:
    assert drop(tmp_path / "a.tflite.edge", pack(MODEL)).model == MODEL
    assert drop(tmp_path / "a.zip", zipped({"m/b.tflite.edge": pack(MODEL)})).model == MODEL


def test_metadata_of_the_file_gives_labels_and_range(tmp_path: Path) -> None:
    model = with_metadata(tiny("float_rgb_softmax"), metadata(), {"labels.txt": b"cat\ndog\n"})
    bundle = drop(tmp_path / "pets.tflite", model)
    assert (bundle.labels, bundle.model) == (("cat", "dog"), model)
    assert bundle.scaling == pytest.approx((1 / 127.5, -1))
    beside = put(tmp_path / "pets.txt", b"Katze\nHund\n")
    assert read_bundle(tmp_path / "pets.tflite", beside).labels == ("Katze", "Hund")


def test_manifest_chooses_one_of_several_models(tmp_path: Path) -> None:
    files = {"a.tflite": MODEL, "b.tflite": tiny("int8_logits"), "labels.txt": b"x\ny\nz\n"}
    assert "holds 2 models (a.tflite, b.tflite): drop one at a time" in refused(
        tmp_path / "m", files
    )
    bundle = drop(tmp_path / "n", files | {"manifest.json": as_json(model="b.tflite")})
    assert (bundle.model, bundle.labels) == (tiny("int8_logits"), ("x", "y", "z"))


def refused(path: Path, content: bytes | dict[str, bytes]) -> str:
    with pytest.raises(ModelError) as error:
        drop(path, content)
    said = str(error.value)
    assert "\n" not in said
    assert str(path.parent) not in said
    return said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.onnx",
            b"x",
            "a.onnx is no model: expected a .tflite, a .tflite.edge, a .zip, or",
        ),
        ("labels.txt", b"x", "labels.txt came without its model: drop it with"),
        ("a.tflite", b"", "a.tflite is no .tflite model: it lacks the mark TFL3"),
        ("a.tflite", MODEL[:700], "a.tflite is damaged or cut short"),
        ("a.tflite.edge", b"EDGE", "a.tflite.edge is damaged or cut short"),
        ("a.zip", b"x", "a.zip is no whole zip file"),
        ("a.zip", zipped({"readme.md": b"x"}), "a.zip holds no model: expected a .tflite"),
        ("a.zip", zipped({"m.tflite": b"x"}), "m.tflite in a.zip is no .tflite model"),
        ("a", {}, "a holds no model"),
        ("a", {"m.tflite": MODEL, "manifest.json": b"{"}, "manifest.json in a is no JSON"),
        ("a", {"m.tflite": MODEL, "manifest.json": b"[]"}, "holds a list, expected a JSON object"),
        ("a", {"m.tflite": MODEL, "labels.txt": b"\xff"}, "label file labels.txt in a is no UTF-8"),
        (
            "a",
            {"m.tflite": MODEL, "manifest.json": b'{"a":' + b"[" * 900 + b"]" * 900 + b"}"},
            "manifest.json in a holds more than 100 lists and objects",
        ),
        (
            "a",
            {"m.tflite": MODEL, "manifest.json": as_json(labels_file="../x")},
            "manifest.json names the labels_file '../x', which is not beside the model",
        ),
        (
            "a",
            {"m.tflite": MODEL, "manifest.json": b"{}", "b/manifest.json": b"{}"},
            "a holds 2 files manifest.json: drop one model at a time",
        ),
        ("a", {str(number): b"" for number in range(65)}, "a holds more than 64 files and folders"),
        ("a", {"b/c/d/e/f/m.tflite": MODEL}, "or more than 4 folders in each other"),
        ("a\nb.tflite", b"x", "'a\\nb.tflite' is no .tflite model"),
    ],
)
def test_refusals_are_one_sentence_each(
    tmp_path: Path, name: str, content: bytes | dict[str, bytes], said: str
) -> None:
    assert said in refused(tmp_path / name, content)


def test_links_pipes_and_what_is_gone(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(MODEL)
    (tmp_path / "link.tflite").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe.tflite")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "link.tflite").symlink_to(tmp_path / "secret")
    for name, said in (
        ("link.tflite", "link.tflite is a link"),
        ("pipe.tflite", "pipe.tflite is no regular file"),
        ("m", "m holds the link link.tflite"),
        ("gone.tflite", "gone.tflite is not there any more"),
    ):
        with pytest.raises(ModelError, match=said):
            read_bundle(tmp_path / name)
    with pytest.raises(ModelMissing):
        read_bundle(put(tmp_path / "a.tflite", MODEL), tmp_path / "gone.txt")


def test_large_files_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    with (tmp_path / "a.tflite").open("wb") as file:
        file.truncate(1 << 40)
    put(tmp_path / "m", {"b.tflite": MODEL})
    with (tmp_path / "m" / "c.bin").open("wb") as file:
        file.truncate(1 << 40)
    tracemalloc.start()
    for name in ("a.tflite", "m"):
        with pytest.raises(ModelError, match="bytes, expected at most"):
            read_bundle(tmp_path / name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "a.tflite", MODEL)

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("edge_runtime.store.arrival.contents.os.open", refuse)
    with pytest.raises(ModelError, match=r"a\.tflite cannot be read \(Permission denied\): let"):
        read_bundle(path)


pieces = st.sampled_from([MODEL, b"EDGE", b"PK\x03\x04", TEACHABLE_LABELS, b"{}", b"\xff\x00"])
names = st.sampled_from(["m.tflite", "b/m.lite", "labels.txt", "manifest.json", "m.txt", "x.zip"])
files = st.dictionaries(names, st.one_of(pieces, st.binary(max_size=40)), max_size=4)
LIMITS = Limits(bytes=1 << 16)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=files, at=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_any_drop_is_read_or_refused_within_bounds(
    tmp_path: Path, files: dict[str, bytes], at: float, flip: int
) -> None:
    content = bytearray(zipped(files))
    content[int(at * len(content))] ^= flip
    path = put(tmp_path / "a.zip", bytes(content))
    tracemalloc.start()
    try:
        bundle = read_bundle(path, limits=LIMITS)
    except ModelError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both ways are right
    else:
        assert bundle.model == MODEL
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2 * LIMITS.bytes + (3 << 20)


def test_manifest_too_large(tmp_path: Path) -> None:
    files = {"m.tflite": MODEL, "manifest.json": b" " * 1_100_000}
    with pytest.raises(ManifestInvalid, match="has 1100000 bytes, expected at most 1048576"):
        drop(tmp_path / "m", files)
