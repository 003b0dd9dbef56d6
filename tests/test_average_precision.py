"""Average precision against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.average_precision import Judged, judge, large_enough, verdicts

NOTHING = np.zeros((0, 4), np.float32)


def boxes(*rows: tuple[float, ...], columns: int = 4) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, len(rows[0]) if rows else columns)


def test_area_of_a_hand_drawn_curve() -> None:
    # Right at 0.9, wrong at 0.8, right at 0.7; three faces.
    # Precision 1, 1/2, 2/3; recall 1/3, 1/3, 2/3.
    faces = boxes((10, 10, 8, 8), (40, 10, 8, 8), (70, 10, 8, 8))
    found = boxes((10, 10, 8, 8, 0.9), (100, 90, 8, 8, 0.8), (40, 10, 8, 8, 0.7))
    made = verdicts([Judged(found, faces, NOTHING)]).curve()
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
    assert len(verdicts([picture]).scores) == 0


def test_small_faces_are_moved_to_ignore() -> None:
    faces = boxes((10, 10, 4, 8), (50, 50, 4, 7))
    picture = large_enough(Judged(boxes(columns=5), faces, NOTHING), 8)
    assert picture.faces.tolist() == [[10, 10, 4, 8]]
    assert picture.ignore.tolist() == [[50, 50, 4, 7]]


def picture(*scores: float, faces: int, right: int) -> Judged:
    """A picture with ``faces`` faces; the first ``right`` scores find one each."""
    truth = boxes(*((20.0 * number, 0, 8, 8) for number in range(faces)))
    found = [(20.0 * n, 0 if n < right else 50, 8, 8, score) for n, score in enumerate(scores)]
    return Judged(boxes(*found, columns=5), truth, NOTHING)


def test_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    curve = verdicts([picture(0.9, 0.8, 0.5, 0.6, faces=4, right=3)]).curve()
    assert curve.precision.tolist() == [1, 1, 2 / 3, 0.75]
    assert curve.threshold_for(0.7) == pytest.approx(0.5)
    assert curve.threshold_for(0.9) == pytest.approx(0.8)


def test_no_threshold_gives_what_the_best_detection_lacks() -> None:
    assert verdicts([picture(0.9, faces=1, right=0)]).curve().threshold_for(0.5) is None
    assert verdicts([]).curve().threshold_for(0.5) is None


def test_equal_scores_pass_a_threshold_together() -> None:
    curve = verdicts([picture(0.9, 0.5, 0.5, faces=2, right=2)]).curve()
    assert curve.threshold_for(0.9) == pytest.approx(0.9)


def test_a_picture_counted_twice_is_as_if_it_were_there_twice() -> None:
    one, two, three = (
        picture(0.9, 0.4, faces=3, right=1),
        picture(0.8, 0.7, faces=1, right=1),
        picture(0.95, faces=1, right=0),
    )
    weighted = verdicts([one, two, three]).curve(np.array([2, 1, 0]))
    repeated = verdicts([one, two, one]).curve()
    assert weighted.area == pytest.approx(repeated.area)
    for threshold in (0.99, 0.93, 0.85, 0.5, 0.1):
        assert weighted.at(threshold) == pytest.approx(repeated.at(threshold))


def test_no_pictures_have_no_area() -> None:
    assert verdicts([]).curve().area == 0.0
