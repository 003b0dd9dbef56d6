"""BlazeFace: written by the published formula, read back; the anchors are the published ones."""

import numpy as np
import pytest

from edge_runtime.attention.heads.blazeface import RANGES, BlazeFaceHead, anchor_centres
from edge_runtime.attention.heads.head import Size
from edge_runtime.engine.tensor import Array
from edge_runtime.errors import ModelRejected
from edge_runtime.types import Box
from tests.attention.heads.written import FORMATS, Outputs, found

SHORT, FULL = (128, 128), (192, 192)


def written(size: Size, faces: dict[int, tuple[Box, float]]) -> list[Array]:
    """Outputs that say each face at its anchor: the logit and the box relative to the anchor."""
    anchors = anchor_centres(size, RANGES[size])
    coded, logits = np.zeros((1, len(anchors), 16)), np.full((1, len(anchors), 1), -9.0)
    for anchor, (box, logit) in faces.items():
        coded[0, anchor, :4] = [*(np.array(box.centre) - anchors[anchor]), box.w, box.h]
        logits[0, anchor, 0] = logit
    return [coded, logits]


@pytest.mark.parametrize(
    ("size", "count", "some"),
    [
        (SHORT, 896, {0: (4, 4), 1: (4, 4), 2: (12, 4), 32: (4, 12), 511: (124, 124)}),
        (SHORT, 896, {512: (8, 8), 517: (8, 8), 518: (24, 8), 895: (120, 120)}),
        (FULL, 2304, {0: (2, 2), 1: (6, 2), 48: (2, 6), 2303: (190, 190)}),
        ((256, 256), 896, {0: (8, 8), 2: (24, 8), 512: (16, 16), 895: (240, 240)}),
    ],
)
def test_anchors_lie_where_mediapipe_puts_them(
    size: Size, count: int, some: dict[int, tuple[int, int]]
) -> None:
    anchors = anchor_centres(size, RANGES[size])
    assert len(anchors) == count
    assert {at: tuple(anchors[at]) for at in some} == some


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("size", [SHORT, FULL])
@pytest.mark.parametrize("swapped", [False, True])
def test_faces_come_back(size: Size, dtype: str, swapped: bool) -> None:
    faces = {40: (Box(30, 40, 22, 28), 3.0), 700: (Box(60.5, 8, 40, 46), 1.0)}
    reals = written(size, faces)
    outputs = Outputs(reals[::-1] if swapped else reals, dtype)
    head = BlazeFaceHead(outputs.tensors, size, threshold=0.5)
    decoded = found(outputs.decoded_by(head))
    for (box, score), (true, logit) in zip(decoded, faces.values(), strict=True):
        assert box == pytest.approx(true, abs=1e-4 if dtype == "float32" else 1.5)
        assert score == pytest.approx(1 / (1 + np.exp(-logit)), abs=0.02)


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_threshold_is_a_probability(dtype: str) -> None:
    outputs = Outputs(written(SHORT, {5: (Box(1, 1, 9, 9), 2.0)}), dtype)
    sure = 1 / (1 + np.exp(-2.0))
    for threshold, seen in ((sure - 0.01, 1), (sure + 0.01, 0), (1.0, 0)):
        head = BlazeFaceHead(outputs.tensors, SHORT, threshold=threshold)
        assert len(outputs.decoded_by(head).scores) == seen


def test_any_logit_is_a_score() -> None:
    reals = written(SHORT, {1: (Box(1, 1, 9, 9), 3e38), 2: (Box(2, 2, 9, 9), -3e38)})
    outputs = Outputs(reals, "float32")
    with np.errstate(all="raise"):
        decoded = outputs.decoded_by(BlazeFaceHead(outputs.tensors, SHORT, threshold=0.0))
    assert decoded.scores.max() == 1.0


def test_another_size_is_refused() -> None:
    with pytest.raises(ModelRejected, match=r"160x120, .* known for 128x128, 192x192, 256x256"):
        BlazeFaceHead((), (160, 120), threshold=0.5)


def test_other_outputs_are_refused() -> None:
    outputs = Outputs(written(SHORT, {}), "float32")
    with pytest.raises(ModelRejected, match=r"no output of shape \(1, 2304, 1\)"):
        BlazeFaceHead(outputs.tensors, FULL, threshold=0.5)
