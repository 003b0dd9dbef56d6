"""A model that arrives as a package is checked and run like any other, and nothing is written."""

from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.compress.numbers import leb128
from edge_runtime.errors import ManifestInvalid, ModelRejected
from edge_runtime.store.catalogue import Catalogue
from edge_runtime.store.model import Model, load_model
from edge_runtime.store.package import MARK
from edge_runtime.store.trial.trial import run
from tests.engine.tiny_tflite import MODELS
from tests.store.shelf import classifier, pack_up, put, sha256

PACKED = {"model": "model.tflite.edge"}
NAMES = sorted(path.stem for path in MODELS.glob("*.tflite"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that came packed."""
    return pack_up(put(tmp_path / "mood", classifier(**PACKED)))


def state_of(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}


def answers_of(model: Model) -> list[np.ndarray]:
    with model.open_engine() as engine:
        engine.input()[...] = np.arange(64, dtype=np.int8).reshape(1, 8, 8, 1)
        engine.invoke()
        return [engine.output(index).copy() for index in range(len(engine.outputs))]


def test_package_becomes_the_same_model_beside_its_own_size(folder: Path) -> None:
    model = load_model(folder)
    assert model.path == folder / "model.tflite.edge"
    assert model.file.tflite == (MODELS / "int8_softmax.tflite").read_bytes()
    assert model.sha256 == sha256("int8_softmax")
    assert (model.bytes, model.file.package_bytes) == (1536, model.path.stat().st_size)
    assert model.path.stat().st_size < 1536


def test_plain_file_has_no_package_size(tmp_path: Path) -> None:
    assert load_model(put(tmp_path / "mood", classifier())).file.package_bytes is None


def test_packed_and_plain_answer_alike(folder: Path, tmp_path: Path) -> None:
    plain = load_model(put(tmp_path / "plain", classifier()))
    for packed, same in zip(answers_of(load_model(folder)), answers_of(plain), strict=True):
        np.testing.assert_array_equal(packed, same)


def test_nothing_is_written_where_a_package_lies(folder: Path) -> None:
    folder.chmod(0o555)  # no hindrance for root, hence the comparison
    before = state_of(folder)
    answers_of(load_model(folder))
    assert state_of(folder) == before


def test_what_was_checked_runs_although_the_package_has_changed(folder: Path) -> None:
    model = load_model(folder)
    before = answers_of(model)
    model.path.write_bytes(b"another")
    np.testing.assert_array_equal(answers_of(model), before)


def test_manifest_decides_between_both_files(folder: Path, tmp_path: Path) -> None:
    (folder / "model.tflite").write_bytes(b"not looked at")
    assert load_model(folder).file.package_bytes
    plain = put(tmp_path / "plain", classifier())
    (plain / "model.tflite.edge").write_bytes(b"not looked at")
    assert load_model(plain).file.package_bytes is None


def test_package_is_found_by_its_path(folder: Path) -> None:
    catalogue = Catalogue(packaged=folder.parent)
    assert catalogue.find(str(folder / "model.tflite.edge")).folder == folder
    with pytest.raises(ModelRejected, match=r"describes another file than model\.tflite$"):
        catalogue.find(str(folder / "model.tflite"))


def test_packed_model_is_checked_against_its_manifest(tmp_path: Path) -> None:
    picture = {"width": 48, "height": 32, "color": "luma"}
    with pytest.raises(ModelRejected, match=r"model\.tflite\.edge .* takes 1x8x8x1"):
        load_model(pack_up(put(tmp_path / "a", classifier(input=picture, **PACKED))))
    labels = ["a", "b", "c"]
    with pytest.raises(ManifestInvalid, match=r"has 3 label\(s\)"):
        load_model(pack_up(put(tmp_path / "b", classifier(labels=labels, **PACKED))))


def test_checksum_is_that_of_the_expanded_model(folder: Path) -> None:
    own = hashlib.sha256((folder / "model.tflite.edge").read_bytes()).hexdigest()
    put(folder, classifier(sha256=own, **PACKED), model=None)
    with pytest.raises(ModelRejected) as error:
        load_model(folder)
    said = str(error.value)
    assert said.startswith(f"the .tflite in {folder / 'model.tflite.edge'} is not the file")
    assert sha256("int8_softmax") in said
    assert own in said


def test_damaged_package_is_refused_and_the_others_go_on(folder: Path) -> None:
    package = folder / "model.tflite.edge"
    package.write_bytes(package.read_bytes()[:-9])
    put(folder.parent / "calm", classifier(name="calm"))
    catalogue = Catalogue(packaged=folder.parent)
    calm, mood = catalogue.holdings()
    assert calm.model is not None
    assert str(mood.problem).startswith(f"{package} is damaged or cut short (")
    assert [model.manifest.name for model in catalogue.all()] == ["calm"]


def test_package_is_tried_like_any_other_model(folder: Path) -> None:
    verdict = run(folder / "model.tflite.edge", load_model(folder).manifest)
    assert (verdict.ok, verdict.sha256) == (True, sha256("int8_softmax")), verdict.reason
    assert verdict.figures is not None


def test_package_of_too_much_is_refused_before_memory_is_taken(folder: Path) -> None:
    package = folder / "model.tflite.edge"
    header = MARK + b"\x01" + bytes(32) + leb128(100 << 20)
    package.write_bytes(header + bytes(200_000))
    tracemalloc.start()
    with pytest.raises(ModelRejected, match=r"expands to 104857600 bytes, expected at most 6710"):
        load_model(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_plain_model_under_a_packages_name_is_refused(folder: Path) -> None:
    (folder / "model.tflite.edge").write_bytes((MODELS / "int8_softmax.tflite").read_bytes())
    with pytest.raises(ModelRejected, match=r"is no \.tflite\.edge package: it lacks the mark"):
        load_model(folder)
