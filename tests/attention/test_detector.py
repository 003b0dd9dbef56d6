"""What the head says becomes boxes of the picture; what it does not fit is refused."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from edge_runtime import imaging
from edge_runtime.attention.detector import Detector, strongest
from edge_runtime.attention.heads.head import Candidates
from edge_runtime.capture.picture import BgrPicture
from edge_runtime.engine.fake import FakeEngine
from edge_runtime.engine.tensor import Array, Tensor
from edge_runtime.errors import ModelRejected
from edge_runtime.store.head import HeadSpec
from edge_runtime.store.manifest import Color, InputSpec
from edge_runtime.types import Box, Detection
from tests.white_faces import (
    BOXES,
    INT8,
    LOGITS,
    ArrayPicture,
    GlanceManifest,
    face_detector,
    frame_with,
    picture_bytes,
)


def look(face: Box | None, threshold: float = 0.5) -> tuple[Detection, ...]:
    glance = np.empty((120, 160), np.uint8)
    frame = frame_with(face)
    fit = imaging.letterbox(frame.luma, (640, 480), glance)
    return face_detector(threshold).detect(glance, fit, frame.picture)


def answers(logits: Array, boxes: Array) -> tuple[Detection, ...]:
    """What a detector makes of these outputs at threshold 0.5, in pixels of its input."""
    engine = FakeEngine.constant(
        [picture_bytes("luma", 120, 160)], [LOGITS, BOXES], [logits, boxes]
    )
    glance = np.zeros((120, 160), np.uint8)
    fit = imaging.letterbox_fit((160, 120), (160, 120))
    detector = Detector(engine, GlanceManifest(), threshold=0.5)
    return detector.detect(glance, fit, ArrayPicture(glance))


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
    (found,) = answers(logits.reshape(1, 15, 20, 1), boxes)
    assert found.box.centre == pytest.approx((84, 60), abs=0.5)
    assert found.score == pytest.approx(1 / (1 + np.exp(-4.0)), abs=1e-6)


def test_a_low_threshold_bounds_the_work() -> None:
    noise = np.random.default_rng(1).integers(20, 127, (1, 15, 20, 1), np.int8)
    found = answers(noise, np.full((1, 15, 20, 4), -30, np.int8))
    assert 100 < len(found) <= 400


def test_the_strongest_candidates_are_kept() -> None:
    scores = np.random.default_rng(2).permutation(1000).astype(np.float32)
    boxes = np.repeat(scores[:, None], 4, axis=1)
    kept = strongest(Candidates(boxes, scores))
    assert sorted(kept.scores) == list(range(600, 1000))
    assert (kept.boxes[:, 0] == kept.scores).all()


def test_a_head_without_the_strides_outputs_is_refused() -> None:
    engine = FakeEngine([picture_bytes("luma", 120, 160)], [LOGITS, BOXES])
    manifest = GlanceManifest(head=HeadSpec("centre-log-size", strides=(8, 16)))
    with pytest.raises(ModelRejected, match=r"no output of shape \(1, 8, 10, 1\), only \(1, 15"):
        Detector(engine, manifest, threshold=0.5)


def test_an_input_that_is_not_the_manifests_is_refused() -> None:
    colour = Tensor("rgb", (1, 120, 160, 3), INT8, scale=1.0, zero_point=-128)
    engine = FakeEngine([colour], [LOGITS, BOXES])
    with pytest.raises(ModelRejected, match=r"white-glance .*\(1, 120, 160, 3\).*160x120 luma"):
        Detector(engine, GlanceManifest(), threshold=0.5)


CORNERS = np.array([[[0.25, 0.5, 0.75, 0.75], [0.0, 0.0, 0.5, 0.5], [0.26, 0.5, 0.75, 0.76]]])
"""ymin, xmin, ymax, xmax of a dog, a cat, and the dog again as a cat."""


@dataclass(frozen=True)
class PetManifest:
    """A colour detector of two kinds of things, on 64x64 pixels."""

    input: InputSpec
    head: HeadSpec
    name: str = "pets"
    labels: tuple[str, ...] = ("cat", "dog")
    iou_threshold: float = 0.45


def look_for_pets(
    color: Color, *classes: str, corners: Array = CORNERS
) -> tuple[tuple[Detection, ...], Array]:
    """What a pet detector finds in a picture of 128x64 with a red left half, and what it saw."""
    seen: list[Array] = []

    def answer(inputs: Sequence[Array]) -> list[Array]:
        seen.append(inputs[0][0].copy())
        return [corners, np.array([[1, 0, 0]]), np.array([[0.9, 0.8, 0.7]]), np.array([3])]

    shapes = {"boxes": (1, 3, 4), "classes": (1, 3), "scores": (1, 3), "count": (1,)}
    real = np.dtype(np.float32)
    outputs = [Tensor(name, shape, real) for name, shape in shapes.items()]
    engine = FakeEngine([Tensor("picture", (1, 64, 64, 3), real)], outputs, answer=answer)
    spec = InputSpec(64, 64, color, 1 / 127.5, -1.0)
    manifest = PetManifest(spec, HeadSpec("ssd-postprocess", classes=classes))
    bgr = np.zeros((64, 128, 3), np.uint8)
    bgr[:, :64, 2] = 255
    detector = Detector(engine, manifest, threshold=0.5)
    glance = np.zeros(detector.glance_size[::-1], np.uint8)
    fit = imaging.letterbox_fit((128, 64), detector.glance_size)
    return detector.detect(glance, fit, BgrPicture(bgr)), seen[0]


@pytest.mark.parametrize(("color", "red"), [("rgb", 0), ("bgr", 2)])
def test_a_colour_detector_sees_the_whole_picture_letterboxed(color: Color, red: int) -> None:
    _, seen = look_for_pets(color)
    assert seen[32, 10, red] == pytest.approx(1.0)
    assert [seen[32, 10, each] for each in range(3) if each != red] == [-1.0, -1.0]
    assert seen[32, 50] == pytest.approx(-1.0)
    bars = imaging.PADDING / 127.5 - 1
    assert seen[[0, 15, 48, 63]] == pytest.approx(bars)


def test_its_boxes_are_pixels_of_the_picture_and_one_place_is_one_detection() -> None:
    found, _ = look_for_pets("rgb")
    assert [detection.score for detection in found] == pytest.approx([0.9, 0.8])
    assert found[0].box == pytest.approx((64, 0, 32, 64), abs=1e-3)
    assert found[1].box == pytest.approx((0, -32, 64, 64), abs=1e-3)


def test_only_the_classes_of_the_manifest_are_found() -> None:
    found, _ = look_for_pets("rgb", "dog")
    assert [detection.score for detection in found] == pytest.approx([0.9])


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e30, 5.0, 0.25, 0.1])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_numbers_of_a_broken_model_are_no_places(broken: float) -> None:
    corners = CORNERS.copy()
    corners[0, 0, 2] = broken  # the dog's lower edge; its upper one is at 0.25
    found, _ = look_for_pets("rgb", "dog", corners=corners)
    assert found == ()


def test_an_unknown_head_is_refused() -> None:
    engine = FakeEngine([picture_bytes("luma", 120, 160)], [LOGITS, BOXES])
    manifest = GlanceManifest(head=HeadSpec("anchors"))  # type: ignore[arg-type]
    with pytest.raises(ModelRejected, match="white-glance has a head of the unknown type 'anch"):
        Detector(engine, manifest, threshold=0.5)
