"""Several looks at one picture become one answer."""

from __future__ import annotations

from edge_runtime.attention.merge import CUT, Seen, merged
from edge_runtime.types import Box, Detection

WHOLE = Box(0, 0, 640, 480)
PICTURE = (640, 480)
LEFT, RIGHT = Box(0, 120, 320, 240), Box(240, 120, 320, 240)
FACE = Box(250, 200, 50, 60)


def answer(*looks: Seen, threshold: float = 0.5, lowest: float = 0.0) -> tuple[Detection, ...]:
    return merged(
        looks, PICTURE, view_width=160, iou_threshold=0.45, threshold=threshold, lowest=lowest
    )


def test_one_look_says_what_it_said() -> None:
    found = (Detection(FACE, 0.7),)
    assert answer(Seen(LEFT, found)) == found


def test_a_face_found_twice_is_one_with_two_sights() -> None:
    (face,) = answer(
        Seen(LEFT, [Detection(FACE, 0.7)]), Seen(RIGHT, [Detection(FACE._replace(x=252), 0.9)])
    )
    assert face.sights == 2
    assert face.box == FACE._replace(x=252)
    assert 0.7 <= face.score <= 0.9


def test_a_cut_face_loses_to_the_whole_one_whatever_the_scores() -> None:
    half = Detection(Box(290, 200, 30, 60), 0.95)  # ends at the left window's border, 320
    whole = Detection(Box(290, 200, 60, 60), 0.6)
    (face,) = answer(Seen(LEFT, [half]), Seen(RIGHT, [whole]))
    assert face.box == whole.box


def test_a_cut_face_alone_is_doubtful() -> None:
    half = Detection(Box(290, 200, 30, 60), 0.9)
    (face,) = answer(Seen(LEFT, [half]), Seen(Box(0, 0, 160, 120), []))
    assert face.score <= CUT * 0.9 + 1e-6


def test_a_cut_face_is_doubtful_too_where_its_look_was_the_only_one() -> None:
    (face,) = answer(Seen(LEFT, [Detection(Box(290, 200, 30, 60), 0.9)]))
    assert face.score <= CUT * 0.9 + 1e-6


def test_a_window_at_the_pictures_edge_cuts_nothing_there() -> None:
    at_edge = Detection(Box(0, 200, 50, 60), 0.9)
    (face,) = answer(Seen(LEFT, [at_edge]), Seen(Box(480, 360, 160, 120), []))
    assert face.score > 0.89


def test_the_look_that_shows_the_place_best_decides() -> None:
    # 50 x 60 pixels are 15 in the glance and 30 in the tile.
    seen_from_afar = Detection(FACE, 0.8)
    (denied,) = answer(Seen(WHOLE, [seen_from_afar]), Seen(RIGHT, [Detection(FACE, 0.3)]))
    assert denied.score < 0.5
    assert answer(Seen(WHOLE, [seen_from_afar]), Seen(RIGHT, []), lowest=0.25) == ()


def test_a_coarse_look_cannot_deny_what_a_finer_one_sees() -> None:
    (face,) = answer(Seen(WHOLE, []), Seen(RIGHT, [Detection(FACE, 0.8)]))
    assert face.score > 0.79


def test_different_faces_stay_different_best_first() -> None:
    other = Box(400, 200, 50, 60)
    faces = answer(Seen(LEFT, [Detection(FACE, 0.7)]), Seen(RIGHT, [Detection(other, 0.9)]))
    assert faces[0].box == other
    assert len(faces) == 2
