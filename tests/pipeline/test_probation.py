"""In its first minute a model must keep to its time."""

from __future__ import annotations

from edge_runtime.pipeline.probation import FRAMES, Probation


def test_a_slow_model_must_go_but_a_slow_frame_may_stay() -> None:
    watch = Probation("classify", 5.0, clock=lambda: 0.0)
    for _ in range(FRAMES):
        assert watch.look({"classify": 1.0, "frame": 99.0}) is None
    assert watch.look({"classify": 500.0}) is None
    reasons = [watch.look({"classify": 7.5}) for _ in range(FRAMES)]
    assert reasons[-1] == ("classify took 7.5 ms in the median of 30 frames, the budget is 5.0 ms")


def test_frames_without_a_face_say_nothing() -> None:
    watch = Probation("classify", 5.0, clock=lambda: 0.0)
    assert all(watch.look({"frame": 9.0}) is None for _ in range(100))


def test_after_its_time_it_stays() -> None:
    now = 0.0
    watch = Probation("classify", 5.0, seconds=60, clock=lambda: now)
    now = 60.0
    assert watch.over
    assert all(watch.look({"classify": 50.0}) is None for _ in range(100))
