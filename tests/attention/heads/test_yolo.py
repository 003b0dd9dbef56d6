"""YOLO's single tensors: both layouts, shares and pixels, with the classes that count."""

from typing import Any

import numpy as np
import pytest

from edge_runtime.attention.heads.yolo import YoloHead, YoloV5Head, YoloV8Head
from edge_runtime.engine.tensor import Array
from edge_runtime.errors import ModelRejected
from edge_runtime.types import Box
from tests.attention.heads.written import FORMATS, Outputs, found

SIZE = (128, 64)
CLASSES = 3
THINGS = {7: (Box(10, 20, 30, 24), 0, 0.9), 99: (Box(60, 5, 40, 50), 2, 0.7)}
"""By anchor: the thing, its class and score."""


def rows(*, normalized: bool, objectness: bool) -> Array:
    """(168, 4 + objectness + classes), as both layouts hold it."""
    table = np.zeros((168, 4 + objectness + CLASSES))
    for at, (box, number, score) in THINGS.items():
        coded = np.array([*box.centre, box.w, box.h])
        table[at, :4] = coded / [*SIZE, *SIZE] if normalized else coded
        table[at, 4 + objectness + number] = 0.95 if objectness else score
        table[at, 4] = score / 0.95 if objectness else table[at, 4]
    return table


def yolo(kind: str, dtype: str, *, normalized: bool, **settings: Any) -> tuple[YoloHead, Outputs]:
    table = rows(normalized=normalized, objectness=kind == "yolov5")
    outputs = Outputs([table[None] if kind == "yolov5" else table.T[None]], dtype)
    made = YoloV5Head if kind == "yolov5" else YoloV8Head
    settings = {"threshold": 0.5, "normalized": normalized, "classes": CLASSES} | settings
    return made(outputs.tensors, SIZE, **settings), outputs


@pytest.mark.parametrize("kind", ["yolov5", "yolov8"])
@pytest.mark.parametrize(
    ("normalized", "dtype"), [(False, "float32"), *((True, dtype) for dtype in FORMATS)]
)
def test_things_come_back(kind: str, dtype: str, normalized: bool) -> None:
    head, outputs = yolo(kind, dtype, normalized=normalized)
    decoded = found(outputs.decoded_by(head))
    for (box, score), (true, _, sure) in zip(decoded, THINGS.values(), strict=True):
        assert box == pytest.approx(true, abs=1e-4 if dtype == "float32" else 0.6)
        assert score == pytest.approx(sure, abs=0.01)


@pytest.mark.parametrize("kind", ["yolov5", "yolov8"])
@pytest.mark.parametrize(("counted", "seen"), [({0}, [0.9]), ({1}, []), ({0, 2}, [0.9, 0.7])])
def test_only_classes_that_count_are_found(kind: str, counted: set[int], seen: list[float]) -> None:
    head, outputs = yolo(kind, "float32", normalized=True, counted=counted)
    assert [round(score, 4) for _, score in found(outputs.decoded_by(head))] == seen


@pytest.mark.parametrize("kind", ["yolov5", "yolov8"])
def test_nothing_is_nothing(kind: str) -> None:
    head, outputs = yolo(kind, "int8", normalized=True, threshold=0.99)
    assert found(outputs.decoded_by(head)) == []


def test_objectness_and_class_must_be_sure_together() -> None:
    head, outputs = yolo("yolov5", "float32", normalized=True, threshold=0.72)
    assert [round(score, 4) for _, score in found(outputs.decoded_by(head))] == [0.9]


@pytest.mark.parametrize("kind", ["yolov5", "yolov8"])
@pytest.mark.parametrize("normalized", [True, False])
def test_numbers_that_belie_the_manifest_are_refused(kind: str, normalized: bool) -> None:
    _, outputs = yolo(kind, "float32", normalized=not normalized)
    head, _ = yolo(kind, "float32", normalized=normalized)
    meant = "pixels" if normalized else "normalized"
    with pytest.raises(ModelRejected, match=f"set head.coordinates to '{meant}'"):
        outputs.decoded_by(head)


@pytest.mark.parametrize(("kind", "shape"), [("yolov5", r"\(1, n, 10\)"), ("yolov8", r"\(1, 9, n")])
def test_another_number_of_classes_is_refused(kind: str, shape: str) -> None:
    with pytest.raises(ModelRejected, match=rf"expected one of shape {shape}"):
        yolo(kind, "float32", normalized=True, classes=5)


def test_logits_are_refused() -> None:
    table = rows(normalized=True, objectness=False)
    table[7, 4] = 6.0
    outputs = Outputs([table.T[None]], "float32")
    head = YoloV8Head(outputs.tensors, SIZE, threshold=0.5, normalized=True, classes=CLASSES)
    with pytest.raises(ModelRejected, match="scores of the detector reach 6"):
        outputs.decoded_by(head)
