"""Accuracy of a detector that finds white squares, where every figure can be worked out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.bench.accuracy import Accuracy, detector_accuracy
from edge_runtime.bench.labels import read_labels
from edge_runtime.errors import SourceDamaged, SourceUnavailable
from edge_runtime.store.manifest import Manifest
from edge_runtime.store.model import Model
from edge_runtime.store.package import ModelFile
from edge_runtime.types import Box
from tests.bench.labelled import FACE, draw, label, write
from tests.white_faces import GLANCE_HEAD, GLANCE_INPUT, detector_engine

SMALL = Box(40, 40, 24, 24)
"""7.5 % of the long side."""

SCORE = 1 / (1 + math.exp(-4))

WHITE_GLANCE = Model(
    Manifest(
        name="white-glance",
        version="0.1.0",
        kind="face-detector",
        model="model.tflite",
        sha256="",
        licence="Apache-2.0",
        description="",
        input=GLANCE_INPUT,
        head=GLANCE_HEAD,
    ),
    Path(),
    "",
    ModelFile(Path("model.tflite"), b"", None),
)


def measured(folder: Path, *labels: dict[str, Any], empty: tuple[Path, ...] = ()) -> Accuracy:
    pictures = read_labels(write(folder / "val.jsonl", *labels))
    with detector_engine() as engine:
        return detector_accuracy(WHITE_GLANCE, engine, pictures, empty)


def value(accuracy: Accuracy, figure: str, size: int = 0) -> float:
    return accuracy.as_json()["sizes"][size][figure]["value"]


def test_everything_right_is_one(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", FACE)
    draw(tmp_path / "b.png", None)
    found = measured(tmp_path, label("a.png", FACE), label("b.png"))
    assert (found.pictures, [size.faces for size in found.sizes]) == (2, [1, 1])
    for figure in ("average_precision", "precision", "recall", "sure_recall"):
        assert value(found, figure) == 1
    assert value(found, "sure_threshold") == pytest.approx(SCORE, abs=0.01)


def test_false_alarms_and_misses_count(tmp_path: Path) -> None:
    for name in ("right", "missed", "wrong"):
        draw(tmp_path / f"{name}.png", None if name == "missed" else FACE)
    found = measured(
        tmp_path, label("right.png", FACE), label("missed.png", FACE), label("wrong.png")
    )
    assert value(found, "precision") == 0.5
    assert value(found, "recall") == 0.5
    assert found.sizes[0].sure_threshold is None
    assert found.as_json()["sizes"][0]["sure_recall"] is None


def test_ignored_places_count_neither_way(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", FACE)
    draw(tmp_path / "b.png", FACE)
    found = measured(tmp_path, label("a.png", FACE), label("b.png", ignore=[list(FACE)]))
    assert value(found, "precision") == 1


def test_small_faces_count_among_the_small_ones_only(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", SMALL)
    found = measured(tmp_path, label("a.png", SMALL))
    large, small = found.as_json()["sizes"]
    assert (large["faces"], large["average_precision"]) == (0, None)
    assert (small["faces"], small["average_precision"]["value"]) == (1, 1)


def test_boxes_are_judged_in_the_pictures_own_pixels(tmp_path: Path) -> None:
    """Of 320x240, seen at 160x120: half a face beside it is no hit."""
    draw(tmp_path / "a.png", FACE)
    beside = FACE._replace(x=FACE.x + FACE.w * 0.4)
    assert value(measured(tmp_path, label("a.png", beside)), "recall") == 0


def test_intervals_hold_the_value_and_repeat(tmp_path: Path) -> None:
    for number in range(12):
        draw(tmp_path / f"{number}.png", FACE if number % 3 else None)
    labels = [label(f"{number}.png", FACE) for number in range(12)]
    found = measured(tmp_path, *labels)
    recall = found.sizes[0].recall
    assert recall is not None
    assert recall.value == pytest.approx(2 / 3)
    # Of 12 draws with a chance of 2/3: 95 % lie between 5 and 11.
    assert (recall.low, recall.high) == pytest.approx((5 / 12, 11 / 12), abs=0.09)
    assert measured(tmp_path, *labels) == found


def test_empty_pictures_count_false_alarms_at_both_thresholds(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", FACE)
    for number in range(4):
        draw(tmp_path / "pets" / f"{number}.png", FACE if number == 0 else None)
    draw(tmp_path / "rooms" / "0.png", None)
    empty = (tmp_path / "pets", tmp_path / "rooms")
    pets, rooms = measured(tmp_path, label("a.png", FACE), empty=empty).empty
    assert (pets.folder, pets.pictures, rooms.pictures) == (tmp_path / "pets", 4, 1)
    (own, alarms), (sure, sure_alarms) = pets.per_picture
    assert [own, sure] == pytest.approx([0.5, SCORE], abs=0.01)
    assert (alarms.value, sure_alarms.value) == (0.25, 0.25)
    assert 0 <= alarms.low < 0.25 < alarms.high <= 1
    assert [each.value for _, each in rooms.per_picture] == [0, 0]


def test_label_for_another_picture_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", FACE)
    with pytest.raises(SourceDamaged, match=r"a\.png has 320x240 pixels, its label is for 240x320"):
        measured(tmp_path, label("a.png", FACE, width=240, height=320))


def test_picture_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(SourceDamaged, match=r"a\.png"):
        measured(tmp_path, label("a.png", FACE))


def test_missing_folder_of_empty_pictures_is_named(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", FACE)
    with pytest.raises(SourceUnavailable, match="nowhere does not exist"):
        measured(tmp_path, label("a.png", FACE), empty=(tmp_path / "nowhere",))
