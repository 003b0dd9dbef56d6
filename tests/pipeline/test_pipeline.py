"""One frame in, one snapshot out: counts, times and labels."""

import pytest

from edge_runtime.mailbox import Mailbox
from edge_runtime.pipeline import Labeller, Pipeline, Turn
from edge_runtime.types import Allowance, Box, ModelInUse, Snapshot
from tests.white_faces import attention, classifier, face_detector, frame_with

FACE = Box(200, 160, 96, 128)
MODEL = ModelInUse("whiteness", "1", "crop-classifier", "0" * 64, 100, "fake")


class SteppingClock:
    """A clock whose every reading is a millisecond later."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def pipeline(clock: SteppingClock, *, every_n_frames: int = 1, classifiers: int = 1) -> Pipeline:
    return Pipeline(
        attention(),
        Labeller([Turn(classifier(f"whiteness-{i}"), every_n_frames) for i in range(classifiers)]),
        models=(MODEL,),
        inflow=Mailbox(clock),
        clock=clock,
    )


def test_a_face_comes_out_with_its_place_and_its_labels() -> None:
    snapshot = pipeline(SteppingClock()).process(frame_with(FACE))
    (face,) = snapshot.faces
    assert face.box == pytest.approx(FACE, abs=3)
    assert face.labels["whiteness-0"]["white"] > 0.6
    assert (snapshot.width, snapshot.height, snapshot.frames_with_face) == (640, 480, 1)
    assert snapshot.models == (MODEL,)


def test_every_classifier_is_asked() -> None:
    (face,) = pipeline(SteppingClock(), classifiers=2).process(frame_with(FACE)).faces
    assert list(face.labels) == ["whiteness-0", "whiteness-1"]


def test_an_empty_frame_costs_no_classifier() -> None:
    snapshot = pipeline(SteppingClock()).process(frame_with(None))
    assert snapshot.faces == ()
    assert snapshot.inferences == 1
    assert set(snapshot.stage_ms) == {"glance", "detect", "track", "frame", "age"}


def test_stage_times_add_up_to_the_frame() -> None:
    clock = SteppingClock()
    stage_ms = pipeline(clock, classifiers=2).process(frame_with(FACE, taken_at=clock.now)).stage_ms
    stages = ("glance", "detect", "track", "crop", "classify")
    assert sum(stage_ms[stage] for stage in stages) == pytest.approx(stage_ms["frame"])
    assert stage_ms["classify"] > stage_ms["detect"]  # two classifiers, one detector
    assert stage_ms["age"] >= stage_ms["frame"]


def test_labels_last_between_a_classifiers_turns() -> None:
    working = pipeline(SteppingClock(), every_n_frames=5)
    snapshots = [
        working.process(frame_with(FACE._replace(x=200 + 4 * i), index=i, taken_at=i / 30))
        for i in range(10)
    ]
    assert all("whiteness-0" in snapshot.faces[0].labels for snapshot in snapshots)
    assert snapshots[-1].inferences == sum(len(each.looks) for each in snapshots) + 2


def test_percentiles_and_rates_follow_the_frames() -> None:
    clock = SteppingClock()
    mailbox = Mailbox(clock)
    working = Pipeline(
        attention(), Labeller([Turn(classifier())]), models=(), inflow=mailbox, clock=clock
    )
    for index in range(50):
        clock.now = 200 + index / 20
        mailbox.put(frame_with(FACE, index=index, taken_at=clock.now))
        frame = mailbox.take(0)
        assert frame is not None
        snapshot = working.process(frame)
    assert snapshot.rates.processed_fps == pytest.approx(20, rel=0.05)
    assert snapshot.rates.captured_fps == pytest.approx(20, rel=0.05)
    assert snapshot.rates.dropped_fps == 0
    assert snapshot.latency["frame"].p50 == pytest.approx(snapshot.stage_ms["frame"], rel=0.2)
    counts, sum_ms = snapshot.durations["frame"]
    assert sum(counts) >= 1
    assert sum_ms > 0


def test_while_no_frame_comes_the_rate_falls_and_nobody_is_shown() -> None:
    clock = SteppingClock()
    working = pipeline(clock)
    for index in range(10):
        clock.now = 200 + index / 20
        last = working.process(frame_with(FACE, index=index, taken_at=clock.now))
    clock.now += 30
    resting = working.rest(last)
    assert resting.faces == ()
    assert resting.rates.processed_fps == 0
    assert resting.frames_with_face == 10


def test_only_the_interpreters_own_time_counts_as_invoke() -> None:
    working = pipeline(SteppingClock())
    working.process(frame_with(FACE))
    assert 0 < working.invoke_s < 0.1
    working.process(frame_with(None, taken_at=0.01))
    with_nobody = working.invoke_s
    assert with_nobody > 0


def test_models_are_exchanged_between_two_frames_and_the_face_stays_the_same() -> None:
    working = pipeline(SteppingClock())
    before = working.process(frame_with(FACE))
    other = ModelInUse("other", "2", "crop-classifier", "1" * 64, 100, "fake")
    working.exchange(
        models=(other,),
        turns=[Turn(classifier("other"))],
        detector=face_detector(0.4),
        threshold=0.5,
    )
    after = working.process(frame_with(FACE, index=1, taken_at=0.03))
    assert [face.track for face in after.faces] == [face.track for face in before.faces]
    assert list(after.faces[0].labels) == ["other"]
    assert after.models == (other,)


def run_of(working: Pipeline, allowances: dict[int, Allowance]) -> list[Snapshot]:
    """Thirty frames of a moving face; before some of them an allowance is given."""
    snapshots = []
    for i in range(30):
        if i in allowances:
            working.allow(allowances[i])
        face = FACE._replace(x=FACE.x + i)
        snapshots.append(working.process(frame_with(face, index=i, taken_at=100 + i / 30)))
    return snapshots


def test_an_allowance_of_everything_changes_nothing() -> None:
    untouched = run_of(pipeline(SteppingClock()), {})
    assert run_of(pipeline(SteppingClock()), {0: Allowance(), 10: Allowance()}) == untouched


def test_an_allowance_spares_the_detector_and_shows_faces_still() -> None:
    snapshots = run_of(pipeline(SteppingClock()), {10: Allowance(detect_every=2, level=3)})
    assert [snapshot.detected for snapshot in snapshots[10:]] == [False, True] * 10
    assert all(len(snapshot.faces) == 1 for snapshot in snapshots)
