"""Average precision against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.compress.average_precision import (
    Judged,
    curve,
    iou_matrix,
    judge,
    large_enough,
    without_doubles,
)

NOTHING = np.zeros((0, 4))


def boxes(*rows: tuple[float, ...], columns: int = 4) -> np.ndarray:
    return np.array(rows, float).reshape(-1, len(rows[0]) if rows else columns)


def test_iou_of_half_shifted_squares_is_a_third() -> None:
    assert iou_matrix(boxes((5, 5, 10, 10)), boxes((10, 5, 10, 10)))[0, 0] == pytest.approx(1 / 3)


def test_area_of_a_hand_drawn_curve() -> None:
    # Right at 0.9, wrong at 0.8, right at 0.7; three faces.
    # Precision 1, 1/2, 2/3; recall 1/3, 1/3, 2/3.
    faces = boxes((10, 10, 8, 8), (40, 10, 8, 8), (70, 10, 8, 8))
    found = boxes((10, 10, 8, 8, 0.9), (100, 90, 8, 8, 0.8), (40, 10, 8, 8, 0.7))
    made = curve([Judged(found, faces, NOTHING)])
    assert made.area == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)
    assert made.at(0.75) == pytest.approx((0.5, 1 / 3))
    assert made.at(0.95) == (1.0, 0.0)


def test_a_second_detection_of_a_face_is_a_false_alarm() -> None:
    found = boxes((10, 10, 8, 8, 0.6), (10, 10, 8, 8, 0.9))
    assert judge(Judged(found, boxes((10, 10, 8, 8)), NOTHING)).tolist() == [0, 1]


def test_ignored_boxes_count_neither_way() -> None:
    found = boxes((10, 10, 4, 4, 0.9))
    picture = Judged(found, NOTHING, boxes((10, 10, 20, 20)))
    assert judge(picture).tolist() == [-1]
    assert len(curve([picture]).scores) == 0


def test_small_faces_are_moved_to_ignore() -> None:
    faces = boxes((10, 10, 4, 8), (50, 50, 4, 7))
    picture = large_enough(Judged(boxes(columns=5), faces, NOTHING), 8)
    assert picture.faces.tolist() == [[10, 10, 4, 8]]
    assert picture.ignore.tolist() == [[50, 50, 4, 7]]


def test_of_overlapping_detections_the_best_stays() -> None:
    found = boxes((10, 10, 8, 8, 0.5), (11, 10, 8, 8, 0.8), (60, 10, 8, 8, 0.3))
    assert without_doubles(found)[:, 4].tolist() == [0.8, 0.3]


def test_no_pictures_have_no_area() -> None:
    assert curve([]).area == 0.0
