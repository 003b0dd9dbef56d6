"""TFLite_Detection_PostProcess: shares of the input become pixels, in whatever order they come."""

import numpy as np
import pytest

from edge_runtime.attention.heads.ssd import SsdHead
from edge_runtime.engine.engine import open_engine
from edge_runtime.engine.litert import available_backends
from edge_runtime.engine.tensor import Array
from edge_runtime.errors import ModelRejected
from tests.attention.heads.written import FORMATS, Outputs, found
from tests.engine.tiny_tflite import MODELS

SIZE = (200, 100)
OWN_ORDER = ("boxes", "classes", "scores", "count")
TF2_ORDER = ("scores", "boxes", "count", "classes")


def things(count: int = 3) -> dict[str, Array]:
    """Three things of the classes 2, 0 and 2, then slots that do not hold."""
    corners = [[0.2, 0.1, 0.6, 0.3], [0, 0, 1, 1], [0.5, 0.5, 0.7, 0.75], [0.1, 0.1, 0.2, 0.2]]
    return {
        "boxes": np.array([corners]),
        "classes": np.array([[2.0, 0.0, 2.0, 1.0]]),
        "scores": np.array([[0.9, 0.8, 0.4, 0.95]]),
        "count": np.array([float(count)]),
    }


def outputs(order: tuple[str, ...], dtype: str = "float32", **changes: Array) -> Outputs:
    reals = things() | changes
    return Outputs([reals[each] for each in order], dtype)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("order", [OWN_ORDER, TF2_ORDER])
def test_boxes_come_as_pixels(order: tuple[str, ...], dtype: str) -> None:
    given = outputs(order, dtype)
    head = SsdHead(given.tensors, SIZE, threshold=0.5, order=order)
    (first, sure), (second, less) = found(given.decoded_by(head))
    assert first == pytest.approx((20, 20, 40, 40), abs=0.6)
    assert second == pytest.approx((0, 0, 200, 100), abs=0.6)
    assert (sure, less) == pytest.approx((0.9, 0.8), abs=0.01)


def test_only_classes_that_count_are_found() -> None:
    given = outputs(OWN_ORDER)
    head = SsdHead(given.tensors, SIZE, threshold=0.1, counted={2})
    assert [round(score, 1) for _, score in found(given.decoded_by(head))] == [0.9, 0.4]
    head = SsdHead(given.tensors, SIZE, threshold=0.1, counted={1})
    assert found(given.decoded_by(head)) == []


@pytest.mark.parametrize("count", [0, 1, 2])
def test_slots_beyond_the_count_hold_nothing(count: int) -> None:
    given = outputs(OWN_ORDER, count=np.array([float(count)]))
    head = SsdHead(given.tensors, SIZE, threshold=0.5)
    assert len(found(given.decoded_by(head))) == count


def test_another_order_than_the_manifests_is_refused() -> None:
    with pytest.raises(ModelRejected, match=r"\(1, 4\), \(1, 4, 4\), .* not boxes, classes, sco"):
        SsdHead(outputs(TF2_ORDER).tensors, SIZE, threshold=0.5)


def test_classes_taken_for_scores_are_refused() -> None:
    order = ("boxes", "scores", "classes", "count")
    given = outputs(OWN_ORDER)
    head = SsdHead(given.tensors, SIZE, threshold=0.5, order=order)
    with pytest.raises(ModelRejected, match="scores of the detector reach 2, expected prob"):
        given.decoded_by(head)


@pytest.mark.skipif(not available_backends(), reason="no interpreter is installed")
def test_what_the_operator_writes_is_read() -> None:
    path = MODELS / "ssd_postprocess.tflite"
    with open_engine(path) as engine:
        engine.input()[...] = np.random.default_rng(1).random((1, 8, 8, 3)) * 4
        engine.invoke()
        head = SsdHead(engine.outputs, SIZE, threshold=0.99, order=TF2_ORDER, counted={1})
        decoded = found(head.decode(engine.output))
        top, left, bottom, right = engine.output(1)[0, 1].tolist()
    assert len(decoded) == 4
    box, score = decoded[1]
    assert (box.x, box.y) == pytest.approx((left * 200, top * 100), abs=1e-3)
    assert (box.right, box.bottom) == pytest.approx((right * 200, bottom * 100), abs=1e-3)
    assert score == pytest.approx(0.9975, abs=1e-3)
