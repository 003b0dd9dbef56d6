"""What the head says becomes boxes of the picture; what it does not fit is refused."""

import numpy as np
import pytest

from edge_runtime import imaging
from edge_runtime.attention.detector import FaceDetector
from edge_runtime.engine.fake import FakeEngine
from edge_runtime.engine.tensor import Tensor
from edge_runtime.errors import ModelRejected
from edge_runtime.types import Box, Detection
from tests.white_faces import BOXES, INT8, LOGITS, face_detector, frame_with, picture_bytes


def look(face: Box | None, threshold: float = 0.5) -> tuple[Detection, ...]:
    glance = np.empty((120, 160), np.uint8)
    fit = imaging.letterbox(frame_with(face).luma, (640, 480), glance)
    return face_detector(threshold).detect(glance, fit)


def test_a_face_is_found_where_it_is() -> None:
    (found,) = look(Box(200, 160, 96, 128))
    assert found.box == pytest.approx((200, 160, 96, 128), abs=3)
    assert found.score == pytest.approx(1 / (1 + np.exp(-4.0)), abs=1e-6)


def test_no_face_no_detection() -> None:
    assert look(None) == ()


def test_the_threshold_is_a_probability() -> None:
    assert len(look(Box(200, 160, 96, 128), threshold=0.98)) == 1
    assert look(Box(200, 160, 96, 128), threshold=0.985) == ()


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_the_ends_of_the_threshold_are_usable(threshold: float) -> None:
    assert (look(Box(200, 160, 96, 128), threshold) == ()) == (threshold == 1.0)


def test_neighbouring_cells_that_say_the_same_are_one_face() -> None:
    logits, boxes = np.full((15, 20), -80, np.int8), np.zeros((1, 15, 20, 4), np.int8)
    for column, score in ((9, 30), (10, 40), (11, 20)):
        logits[7, column] = score
        # Each points at the same place, four cells wide: log 4 = 1.39, stored as 28 x 0.05.
        boxes[0, 7, column] = [(10 - column) * 20, 0, 28, 28]
    engine = FakeEngine.constant(
        [picture_bytes("luma", 120, 160)], [LOGITS, BOXES], [logits.reshape(1, 15, 20, 1), boxes]
    )
    detector = FaceDetector(engine, strides=(8,), threshold=0.5, iou_threshold=0.45)
    fit = imaging.letterbox_fit((160, 120), (160, 120))
    (found,) = detector.detect(np.zeros((120, 160), np.uint8), fit)
    assert found.box.centre == pytest.approx((84, 60), abs=0.5)
    assert found.score == pytest.approx(1 / (1 + np.exp(-4.0)), abs=1e-6)


def test_a_low_threshold_bounds_the_work() -> None:
    noise = np.random.default_rng(1).integers(-128, 127, (1, 15, 20, 1), np.int8)
    engine = FakeEngine.constant(
        [picture_bytes("luma", 120, 160)],
        [LOGITS, BOXES],
        [noise, np.full((1, 15, 20, 4), -30, np.int8)],
    )
    detector = FaceDetector(engine, strides=(8,), threshold=0.0, iou_threshold=0.45)
    found = detector.detect(
        np.zeros((120, 160), np.uint8), imaging.letterbox_fit((160, 120), (160, 120))
    )
    assert 100 < len(found) <= 400


def test_a_head_without_the_strides_outputs_is_refused() -> None:
    engine = FakeEngine([picture_bytes("luma", 120, 160)], [LOGITS, BOXES])
    with pytest.raises(ModelRejected, match=r"no output of shape \(1, 8, 10, 1\) for stride 16"):
        FaceDetector(engine, strides=(8, 16), threshold=0.5, iou_threshold=0.45)


def test_a_colour_model_is_refused() -> None:
    colour = Tensor("rgb", (1, 120, 160, 3), INT8, scale=1.0, zero_point=-128)
    with pytest.raises(
        ModelRejected, match=r"\(1, 120, 160, 3\), expected \(1, height, width, 1\)"
    ):
        FaceDetector(
            FakeEngine([colour], [LOGITS, BOXES]), strides=(8,), threshold=0.5, iou_threshold=0.45
        )
