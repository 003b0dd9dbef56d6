"""Same face, same number; a flicker is no face."""

import numpy as np
import pytest

from edge_runtime.attention.tracker import Tracker
from edge_runtime.types import Box, Detection

FRAME = 1 / 30


def face(x: float, y: float = 100, score: float = 0.9) -> Detection:
    return Detection(Box(x, y, 60, 80), score)


def test_a_face_keeps_its_number_while_it_moves() -> None:
    tracker = Tracker()
    seen = [tracker.update([face(100 + 4 * i)], i * FRAME) for i in range(60)]
    assert {region.track for regions in seen for region in regions} == {1}
    assert all(len(regions) == 1 for regions in seen)


def test_two_faces_that_pass_each_other_keep_their_numbers() -> None:
    tracker = Tracker()
    first: list[int] = []
    second: list[int] = []
    for i in range(100):
        left, right = face(50 + 5 * i, 100), face(550 - 5 * i, 150)
        regions = tracker.update([left, right] if i % 2 else [right, left], i * FRAME)
        by_place = sorted(regions, key=lambda r: r.box.y)
        first.append(by_place[0].track)
        second.append(by_place[1].track)
    assert len(set(first)) == len(set(second)) == 1
    assert first[0] != second[0]


def test_a_face_out_of_sight_for_less_than_the_patience_keeps_its_number() -> None:
    tracker = Tracker(patience_s=1.0)
    tracker.update([face(100)], 0.0)
    tracker.update([], 0.5)
    assert tracker.update([face(104)], 0.9)[0].track == 1


def test_a_face_that_walks_behind_a_pillar_is_met_on_the_other_side() -> None:
    tracker = Tracker(patience_s=1.0)
    for i in range(30):
        tracker.update([face(100 + 6 * i)], i * FRAME)
    regions = tracker.update([face(100 + 6 * 50)], 50 * FRAME)
    assert [region.track for region in regions] == [1]


def test_a_face_back_after_the_patience_is_a_new_one() -> None:
    tracker = Tracker(patience_s=1.0)
    tracker.update([face(100)], 0.0)
    assert tracker.update([face(100)], 1.5)[0].track == 2


def test_a_doubtful_face_counts_from_its_second_sight() -> None:
    tracker = Tracker(confirm_hits=2, sure_score=0.8)
    assert tracker.update([face(100, score=0.5)], 0.0) == ()
    assert tracker.update([face(101, score=0.5)], FRAME)[0].track == 1


def test_a_sure_face_counts_at_once() -> None:
    assert len(Tracker(sure_score=0.8).update([face(100, score=0.85)], 0.0)) == 1


def test_numbers_are_never_used_again() -> None:
    tracker = Tracker(patience_s=0.1)
    numbers = [tracker.update([face(100)], float(second))[0].track for second in range(5)]
    assert numbers == [1, 2, 3, 4, 5]


def test_nobody_is_followed_after_the_patience() -> None:
    tracker = Tracker(patience_s=1.0)
    tracker.update([face(100)], 0.0)
    assert tracker.active == 1
    tracker.update([], 2.0)
    assert tracker.active == 0


def test_a_face_just_lost_and_a_doubtful_one_are_possible_faces() -> None:
    tracker = Tracker(confirm_hits=2, sure_score=0.8)
    tracker.update([face(100), face(400, score=0.5)], 0.0)
    assert [box.x for box in tracker.possible(0.0)] == [400]
    tracker.update([], 0.5)
    assert sorted(box.x for box in tracker.possible(0.5)) == [100, 400]
    tracker.update([], 2.0)
    assert tracker.possible(2.0) == ()


def test_a_confirmed_face_is_followed_through_faint_sights() -> None:
    tracker = Tracker(sure_score=0.8)
    tracker.update([face(100)], 0.0)
    regions = tracker.update([], FRAME, faint=[face(104, score=0.2)])
    assert [(region.track, region.score) for region in regions] == [(1, 0.2)]


def test_a_faint_sight_starts_nothing_and_confirms_nothing() -> None:
    tracker = Tracker(confirm_hits=2, sure_score=0.8)
    assert tracker.update([], 0.0, faint=[face(100, score=0.2)]) == ()
    assert tracker.active == 0
    tracker.update([face(100, score=0.5)], FRAME)
    assert tracker.update([], 2 * FRAME, faint=[face(100, score=0.2)]) == ()


def test_a_faint_sight_elsewhere_is_not_the_face() -> None:
    tracker = Tracker(sure_score=0.8)
    tracker.update([face(100)], 0.0)
    assert tracker.update([], FRAME, faint=[face(150, score=0.2)]) == ()


def test_a_face_seen_well_needs_no_faint_one() -> None:
    tracker = Tracker(sure_score=0.8)
    tracker.update([face(100)], 0.0)
    (region,) = tracker.update([face(102)], FRAME, faint=[face(103, score=0.2)])
    assert region.score == 0.9
    assert 101 < region.box.x <= 102  # smoothed


def test_a_face_that_was_sure_once_stays_a_face_when_it_is_seen_less_well() -> None:
    tracker = Tracker(confirm_hits=3, sure_score=0.8)
    tracker.update([face(100, score=0.9)], 0.0)
    assert len(tracker.update([face(101, score=0.6)], FRAME)) == 1
    tracker.update([], 2 * FRAME)
    assert tracker.possible(2 * FRAME)
    again = Tracker(confirm_hits=3, sure_score=0.8)
    again.update([face(100, score=0.9)], 0.0)
    assert len(again.update([], FRAME, faint=[face(101, score=0.3)])) == 1


def test_a_face_that_no_look_showed_moves_on_along_its_way() -> None:
    tracker = Tracker(sure_score=0.8)
    for i in range(10):
        tracker.update([face(100 + 3 * i)], i * FRAME)
    (region,) = tracker.update([], 10 * FRAME, covered=lambda boxes: np.zeros(len(boxes), bool))
    assert region.box.x == pytest.approx(130, abs=3)
    assert tracker.possible(10 * FRAME) == ()
    assert tracker.update([], 11 * FRAME) == ()  # looked at, and not there
    assert len(tracker.possible(11 * FRAME)) == 1


def test_a_face_keeps_its_number_through_a_second_behind_something() -> None:
    tracker = Tracker(sure_score=0.8)
    for i in range(15):
        tracker.update([face(100 + 2 * i)], i * FRAME)
    for i in range(15, 45):
        assert tracker.update([], i * FRAME) == ()
    (region,) = tracker.update([face(100 + 2 * 45)], 45 * FRAME)
    assert region.track == 1


def test_a_still_face_surprises_less_than_a_moving_or_doubtful_one() -> None:
    def surprise(step: float, hits: int, confirm: int = 1) -> float:
        tracker = Tracker(sure_score=2.0, confirm_hits=confirm)
        for i in range(hits):
            tracker.update([face(100 + step * i)], i * FRAME)
        (expected,) = tracker.expected(hits * FRAME)
        return expected.surprise

    assert surprise(0, 10) < 0.5
    assert surprise(3, 10) > 2 * surprise(0, 10)
    assert surprise(0, 1, confirm=3) > 1


def test_boxes_of_a_face_that_holds_still_are_calmed() -> None:
    rng = np.random.default_rng(1)
    tracker = Tracker(sure_score=0.8)
    raw, shown = [], []
    for i in range(200):
        w = 60 + rng.normal(0, 4)
        found = Detection(Box(100 + rng.normal(0, 2), 100, w, 80), 0.9)
        (region,) = tracker.update([found], i * FRAME)
        raw.append(w)
        shown.append(region.box.w)
    assert np.std(shown[20:]) < 0.7 * np.std(raw[20:])
    assert np.mean(shown[20:]) == pytest.approx(60, abs=1)


def test_two_looks_at_one_frame_are_two_sights() -> None:
    tracker = Tracker(confirm_hits=3, sure_score=2.0)
    assert tracker.update([face(100)._replace(sights=2)], 0.0) == ()
    assert len(tracker.update([face(100)], FRAME)) == 1
