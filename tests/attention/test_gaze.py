"""What is looked at next."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from edge_runtime.attention.gaze import ANSWERED_S, Gaze
from edge_runtime.attention.motion import Motion
from edge_runtime.attention.tracker import Expected
from edge_runtime.types import Box, Detection, Look

PICTURE = (640, 480)
FRAME = 1 / 30
STILL = Motion(0.0, np.zeros((30, 40), bool))


def moving(box: Box) -> Motion:
    """Motion in a box of the picture."""
    cells = np.zeros((30, 40), bool)
    cells[int(box.y / 16) : int(box.bottom / 16), int(box.x / 16) : int(box.right / 16)] = True
    return Motion(float(cells.mean()), cells)


def settled(**settings: float) -> tuple[Gaze, float]:
    """A gaze that has seen all of a still scene, and the time."""
    settings = {"idle_interval_s": 1000.0, **settings}
    gaze, now = Gaze((160, 120), **settings), 0.0
    for _ in range(60):
        now += FRAME
        gaze.plan(now, PICTURE, STILL, (), 4)
    return gaze, now


def test_a_budget_of_one_is_the_plain_glance() -> None:
    gaze = Gaze((160, 120))
    whole = Look(Box(0, 0, 640, 480), "glance")
    restless = moving(Box(0, 0, 640, 480))
    plans = [gaze.plan(index * FRAME, PICTURE, restless, (), 1) for index in range(31)]
    assert set(plans) == {(), (whole,)}
    assert plans.count((whole,)) == 11  # every third frame: 12 times a second are enough


def test_without_a_motion_threshold_every_frame_is_looked_at() -> None:
    gaze = Gaze((160, 120), motion_threshold=0.0)
    for looks, count in ((1, 1), (None, 35)):
        for index in range(5):
            assert len(gaze.plan(index * FRAME, PICTURE, STILL, (), looks)) == count


def test_a_still_empty_scene_is_seldom_looked_at_and_never_forgotten() -> None:
    gaze, now = settled(unseen_s=5.0, idle_interval_s=1.0)
    seen_at: dict[Box, float] = {}
    looks = 0
    for _ in range(30 * 20):
        now += FRAME
        for look in gaze.plan(now, PICTURE, STILL, (), 4):
            looks += 1
            if look.window in seen_at and look.reason == "tile":
                assert now - seen_at[look.window] <= 5.0 + 34 / 2 * FRAME
            seen_at[look.window] = now
    assert len(seen_at) == 35
    assert looks <= 20 + 34 * 5  # of 2,400 that the budget allows


def test_a_new_view_is_looked_at_as_a_whole_and_then_from_its_middle() -> None:
    gaze, middle = Gaze((160, 120)), (PICTURE[0] / 2, PICTURE[1] / 2)
    plans = [gaze.plan(index * FRAME, PICTURE, STILL, (), 4) for index in range(9)]
    assert plans[0][0].reason == "glance"
    finest = min(look.window.w for plan in plans for look in plan)
    fine = [look.window.centre for plan in plans for look in plan if look.window.w == finest]
    apart = [math.dist(centre, middle) for centre in fine]
    assert len(apart) == 25
    assert max(apart[:9]) < min(apart[-9:])


def test_of_a_crowd_only_the_most_doubtful_are_offered_windows_of_their_own() -> None:
    gaze, now = settled()
    crowd = [
        Expected(Box(30 * i, 200, 14, 18), 5.0 if i == 17 else 1.0 + i / 100, doubtful=True)
        for i in range(20)
    ]
    looks = gaze.plan(now + FRAME, PICTURE, STILL, crowd, 2)
    assert len(looks) == 2
    x, _ = crowd[17].box.centre
    assert any(look.window.x < x < look.window.right for look in looks)


def test_nothing_stays_unseen_while_a_part_of_the_scene_moves_all_the_time() -> None:
    gaze, now = settled(unseen_s=3.0)
    seen_at: dict[Box, float] = {}
    restless = moving(Box(0, 0, 320, 240))
    for index in range(30 * 12):
        now += FRAME
        looks = gaze.plan(now, PICTURE, restless, (), 4)
        assert len(looks) <= 4
        for look in looks:
            if look.reason == "glance":
                continue
            if index > 30 * 4:
                assert now - seen_at[look.window] <= 3.0 + 34 / 2 * FRAME
            seen_at[look.window] = now
    assert len(seen_at) == 34


def test_tiles_that_move_are_looked_at_first() -> None:
    gaze, now = settled()
    corner = Box(480, 320, 160, 160)
    seen: Counter[bool] = Counter()
    for _ in range(30):
        now += FRAME
        for look in gaze.plan(now, PICTURE, moving(corner), (), 4):
            if look.reason == "tile":
                seen[look.window.iou(corner) > 0 or look.window.right > 480] += 1
    assert seen[True] > 20
    assert seen[False] == 0


def test_motion_of_somebody_who_is_followed_surprises_nobody() -> None:
    face = Box(300, 100, 100, 120)
    body = moving(Box(210, 60, 280, 400))

    def tiles(*expected: Expected) -> int:
        gaze, now = settled()
        plans = [gaze.plan(now + i * FRAME, PICTURE, body, expected, 4) for i in range(1, 31)]
        return sum(look.reason == "tile" for plan in plans for look in plan)

    assert tiles(Expected(face, 0.5)) == 0
    assert tiles(Expected(face, 0.5, doubtful=True)) > 20
    assert tiles() > 20


def test_a_small_face_is_followed_closely_and_a_large_one_with_the_glance() -> None:
    gaze, now = settled()
    small = Expected(Box(300, 200, 20, 26), 5.0)
    (look,) = gaze.plan(now + FRAME, PICTURE, STILL, (small,), 4)
    assert look.reason != "glance"
    assert 13 <= 26 * 160 / look.window.w <= 60
    large = Expected(Box(200, 100, 100, 130), 5.0)
    (look,) = gaze.plan(now + 2 * FRAME, PICTURE, STILL, (large,), 4)
    assert look.reason == "glance"


def test_a_doubtful_face_that_fills_the_picture_is_looked_at_at_once() -> None:
    gaze, now = settled()
    (look,) = gaze.plan(
        now + FRAME, PICTURE, STILL, (Expected(Box(150, 60, 300, 360), 4.0, True),), 4
    )
    assert look.window.w > 500


def test_neighbours_share_a_fovea() -> None:
    gaze, now = settled()
    pair = [Expected(Box(300 + 30 * i, 200, 20, 26), 5.0) for i in range(2)]
    assert len(gaze.plan(now + FRAME, PICTURE, STILL, pair, 4)) == 1


def test_the_face_of_which_least_is_known_comes_first() -> None:
    gaze, now = settled()
    sure, doubted = Expected(Box(40, 40, 20, 26), 2.0), Expected(Box(560, 400, 20, 26), 4.0, True)
    looks = gaze.plan(now + FRAME, PICTURE, STILL, (sure, doubted), 1 + 1)
    assert "glance" not in [look.reason for look in looks]
    assert len(looks) == 2
    first = gaze.plan(now + 2 * FRAME, PICTURE, moving(Box(0, 0, 640, 480)), (sure, doubted), 2)
    (closer,) = [look for look in first if look.reason == "face"]
    assert closer.window.right >= doubted.box.right


def test_something_faint_is_looked_at_closely_once() -> None:
    gaze, now = settled()
    faint = Box(300, 200, 30, 40)
    gaze.hint([faint], now)
    (look,) = gaze.plan(now + FRAME, PICTURE, STILL, (), 4)
    assert look.reason == "face"
    gaze.hint([faint], now + FRAME)
    assert gaze.plan(now + 2 * FRAME, PICTURE, STILL, (), 4) == ()
    later = now + FRAME + ANSWERED_S + 0.01
    gaze.hint([faint], later)
    assert any(look.reason == "face" for look in gaze.plan(later, PICTURE, STILL, (), 4))


def test_a_hint_that_no_window_can_show_is_gone_after_one_plan() -> None:
    gaze, now = settled()
    gaze.hint([Box(0, 0, 1, 1)], now)
    for index in range(1, 30):
        gaze.plan(now + index * FRAME, PICTURE, STILL, (), 4)
    assert len(gaze._answered) == 1


def test_back_at_one_look_the_glance_is_all_there_is() -> None:
    gaze, now = settled()
    looks = gaze.plan(now + FRAME, PICTURE, STILL, (Expected(Box(20, 20, 20, 26), 5.0),), 1)
    assert gaze.covered(looks, np.array([[300, 200, 20, 26]], np.float32)).all()


def test_the_whole_pyramid_is_everything_when_anything_is_worth_a_look() -> None:
    gaze = Gaze((160, 120))
    assert len(gaze.plan(0.0, PICTURE, STILL, (), None)) == 35
    assert gaze.plan(FRAME, PICTURE, STILL, (), None) == ()
    assert len(gaze.plan(0.2, PICTURE, moving(Box(0, 0, 160, 160)), (), None)) == 35


def test_where_faces_were_found_tiles_are_due_sooner() -> None:
    def due_after(found: bool) -> float:
        gaze, now = settled(unseen_s=8.0)
        (tile, *_) = (w for w in gaze._index if w.w == 160)
        face = Detection(Box(tile.x + 40, tile.y + 40, 20, 20), 0.9)
        for _ in range(200):
            gaze.learn([Look(tile, "tile")], [face] if found else [])
        began = now
        while True:
            now += FRAME
            if any(look.window == tile for look in gaze.plan(now, PICTURE, STILL, (), 8)):
                return now - began

    assert due_after(True) < 0.5 * due_after(False)


def test_what_no_look_showed_is_not_covered() -> None:
    gaze, now = settled()
    near, far = Box(300, 200, 20, 26), Box(20, 20, 20, 26)
    looks = gaze.plan(now + FRAME, PICTURE, STILL, (Expected(near, 5.0),), 4)
    boxes = np.array([near, far], np.float32)
    assert gaze.covered(looks, boxes).tolist() == [True, False]
    plain = Gaze((160, 120))
    looks = plain.plan(0.0, PICTURE, STILL, (), 1)
    assert plain.covered(looks, boxes).all()  # with a budget of one the glance is all there is


def test_a_picture_of_another_size_is_another_view() -> None:
    gaze, now = settled()
    (*_, last) = gaze.plan(now + FRAME, (1280, 720), STILL, (), 4)
    assert last.reason == "tile"


@pytest.mark.parametrize("picture", [(1, 1), (3, 200), (100, 80), (4000, 50), (3840, 2160)])
@pytest.mark.parametrize("looks", [1, 2, 6, None])
def test_pictures_of_any_shape_are_looked_at_inside_their_edges(
    picture: tuple[int, int], looks: int | None
) -> None:
    gaze = Gaze((160, 120))
    face = Expected(Box(picture[0] * 0.9, picture[1] * 0.9, 1.0, 1.0), 5.0, True)
    for index in range(6):
        plan = gaze.plan(index * FRAME, picture, moving(Box(0, 0, 640, 480)), (face,), looks)
        assert plan or index
        for look in plan:
            assert look.window.x >= 0
            assert look.window.y >= 0
            assert look.window.right <= picture[0] + 0.01
            assert look.window.bottom <= picture[1] + 0.01
