"""Overlap and suppression against the definition, one pair at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.attention.overlap import iou_matrix, suppress
from edge_runtime.types import Box

SIDES = st.floats(1, 200, width=32)
PLACES = st.floats(-100, 300, width=32)
BOXES = st.builds(Box, PLACES, PLACES, SIDES, SIDES)


def rows(boxes: list[Box]) -> np.ndarray:
    return np.array(boxes, np.float32).reshape(-1, 4)


@given(st.lists(BOXES, min_size=1, max_size=6), st.lists(BOXES, min_size=1, max_size=6))
def test_the_matrix_equals_the_definition(one: list[Box], other: list[Box]) -> None:
    expected = [[a.iou(b) for b in other] for a in one]
    np.testing.assert_allclose(iou_matrix(rows(one), rows(other)), expected, atol=1e-4)


@given(st.lists(st.tuples(BOXES, st.floats(0, 1, width=32)), max_size=12))
def test_what_is_kept_is_sorted_and_apart_and_covers_the_rest(
    found: list[tuple[Box, float]],
) -> None:
    boxes, scores = rows([b for b, _ in found]), np.array([s for _, s in found], np.float32)
    kept = suppress(boxes, scores, 0.5).tolist()
    assert [scores[i] for i in kept] == sorted((scores[i] for i in kept), reverse=True)
    between = iou_matrix(boxes[kept], boxes[kept]) - 2 * np.eye(len(kept))
    assert (between <= 0.5).all()
    for index in set(range(len(found))) - set(kept):
        better = [k for k in kept if scores[k] >= scores[index]]
        assert (iou_matrix(boxes[[index]], boxes[better]) > 0.5).any()


def test_nothing_in_nothing_out() -> None:
    assert suppress(rows([]), np.empty(0, np.float32), 0.5).size == 0
