"""When the detector looks, and when it rests."""

from dataclasses import replace

from edge_runtime.attention.budget import Budget
from edge_runtime.types import Box
from tests.white_faces import attention, frame_with

FACE = Box(200, 160, 96, 128)
FRAME = 1 / 30


def no_lap(stage: str) -> None:
    """Nobody is timing."""


def test_a_face_is_followed_with_one_number() -> None:
    looking = attention()
    seen = [
        looking.attend(
            frame_with(FACE._replace(x=200 + 2 * i), index=i, taken_at=i * FRAME), no_lap
        )
        for i in range(30)
    ]
    assert 10 <= sum(attended.detected for attended in seen) < 30  # between looks its way is known
    for i, attended in enumerate(seen):
        (region,) = attended.regions
        assert region.track == 1
        assert region.box.iou(FACE._replace(x=200 + 2 * i)) > 0.85


def test_an_empty_still_scene_is_looked_at_once_a_second() -> None:
    looking = attention(idle_interval_s=1.0)
    seen = [looking.attend(frame_with(None, taken_at=i * FRAME), no_lap) for i in range(301)]
    assert sum(attended.detected for attended in seen) == 11


def test_motion_wakes_the_detector() -> None:
    looking = attention(idle_interval_s=1000.0)
    for i in range(10):
        looking.attend(frame_with(None, taken_at=i * FRAME), no_lap)
    attended = looking.attend(frame_with(FACE, taken_at=0.5), no_lap)
    assert attended.detected
    assert attended.motion > 0.02
    assert len(attended.regions) == 1


def test_somebody_who_holds_still_is_still_followed() -> None:
    looking = attention(idle_interval_s=1000.0)
    seen = [looking.attend(frame_with(FACE, taken_at=i * FRAME), no_lap) for i in range(60)]
    assert all(len(attended.regions) == 1 for attended in seen)
    assert seen[-1].motion == 0.0


def test_a_face_that_vanished_is_a_possible_face_for_a_while() -> None:
    looking = attention()
    looking.attend(frame_with(FACE, taken_at=0.0), no_lap)
    gone = looking.attend(frame_with(None, taken_at=0.5), no_lap)
    assert gone.regions == ()
    assert len(gone.possible) == 1
    assert looking.attend(frame_with(None, taken_at=1.6), no_lap).possible == ()


def test_stages_are_lapped_in_order() -> None:
    laps: list[str] = []
    attention().attend(frame_with(FACE), laps.append)
    assert laps == ["glance", "detect", "track"]


def test_a_face_too_faint_to_count_is_a_possible_face() -> None:
    looking = attention(threshold=0.99)
    attended = looking.attend(frame_with(FACE), no_lap)
    assert attended.regions == ()
    (box,) = attended.possible
    assert box.iou(FACE) > 0.8


def test_a_recording_is_followed_alike_however_fast_it_is_read() -> None:
    def tracks(seconds_per_frame: float) -> list[int]:
        looking = attention()
        seen = []
        for i in range(40):
            face = FACE if i % 20 < 5 else None  # away for half a second
            frame = frame_with(face, index=i, taken_at=i * seconds_per_frame)
            frame = replace(frame, recorded_s=i / 30)
            seen += [region.track for region in looking.attend(frame, no_lap).regions]
        return seen

    assert tracks(0.001) == tracks(1.0)
    assert set(tracks(1.0)) == {1}
    assert len(tracks(1.0)) >= 10


def moved(i: int) -> Box:
    return FACE._replace(x=FACE.x + 4 * i)


def test_a_detector_that_may_run_less_often_lets_faces_move_on() -> None:
    looking = attention()
    looking.allow(looks=None, detect_every=3)
    seen = [
        looking.attend(frame_with(moved(i), index=i, taken_at=i * FRAME), no_lap) for i in range(31)
    ]
    assert sum(attended.detected for attended in seen) == 10
    assert [attended.detected for attended in seen[:3]] == [False, False, True]
    for i, attended in enumerate(seen[12:], 12):
        (region,) = attended.regions
        assert region.box.iou(moved(i)) > 0.8


def test_allowed_everything_again_the_detector_runs_as_before() -> None:
    looking = attention()
    looking.allow(looks=None, detect_every=3)
    looking.attend(frame_with(FACE), no_lap)
    looking.allow(looks=None, detect_every=1)
    seen = [looking.attend(frame_with(moved(i), taken_at=i * FRAME), no_lap) for i in range(1, 31)]
    assert sum(attended.detected for attended in seen) >= 15


def test_no_more_looks_than_allowed_are_taken() -> None:
    looking = attention(budget=Budget(looks=4))
    seen = []
    for i in range(20):
        looking.allow(looks=2 if i >= 10 else None, detect_every=1)
        seen.append(len(looking.attend(frame_with(moved(i), taken_at=i * FRAME), no_lap).looks))
    assert max(seen[:10]) == 4
    assert 1 <= max(seen[10:]) <= 2


def test_what_may_be_a_face_stays_possible_while_nobody_looks() -> None:
    looking = attention(threshold=0.99)  # too faint to count
    assert len(looking.attend(frame_with(FACE), no_lap).possible) == 1
    looking.allow(looks=None, detect_every=1000)
    held = looking.attend(frame_with(FACE, taken_at=FRAME), no_lap)
    assert not held.detected
    assert len(held.possible) == 1


def test_a_small_face_is_followed_with_closer_looks() -> None:
    small = Box(500, 300, 20, 26)

    def found(budget: int) -> int:
        looking = attention(budget=Budget(looks=budget))
        seen = [looking.attend(frame_with(small, taken_at=i * FRAME), no_lap) for i in range(60)]
        return sum(any(r.box.iou(small) > 0.5 for r in a.regions) for a in seen)

    assert found(4) > 40


def test_what_is_smaller_than_the_smallest_face_is_none() -> None:
    small = Box(500, 300, 20, 26)

    def found(smallest_face: float) -> int:
        looking = attention(budget=Budget(looks=4), smallest_face=smallest_face)
        seen = [looking.attend(frame_with(small, taken_at=i * FRAME), no_lap) for i in range(30)]
        return sum(len(each.regions) for each in seen)

    assert found(0.03) > 20  # 19 px
    assert found(0.05) == 0  # 32 px
