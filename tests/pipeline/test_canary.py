"""A candidate is promoted when it agrees and is quick enough, and dropped with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.classify import Classifier
from edge_runtime.engine.fake import FakeEngine
from edge_runtime.engine.tensor import Array, quantize
from edge_runtime.errors import ModelRejected
from edge_runtime.pipeline import Labeller, Turn
from edge_runtime.pipeline.canary import Canary, CanaryReport, CanaryRule
from edge_runtime.types import Box, Region
from tests.white_faces import SHARES, WhitenessManifest, classifier, frame_with, picture_bytes

FACE = Box(200, 160, 96, 128)
RULE = CanaryRule(crops=40, seconds=60)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class StepClock:
    """Every reading is ``step`` later."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def contrary(inputs: Sequence[Array]) -> list[Array]:
    del inputs
    return [quantize([[0.9, 0.1]], SHARES)]


def failing(inputs: Sequence[Array]) -> list[Array]:
    raise ModelRejected("the interpreter said no")


def of(answer: object, *, step: float = 0.001, name: str = "candidate") -> Classifier:
    engine = FakeEngine([picture_bytes("crop", 48, 48)], [SHARES], answer=answer)  # type: ignore[arg-type]
    return Classifier(engine, WhitenessManifest(name), clock=StepClock(step))  # type: ignore[arg-type]


def compared(candidate: Classifier, *, frames: int, clock: Clock | None = None) -> CanaryReport:
    incumbent = classifier("incumbent")
    canary = Canary(candidate, incumbent.name, RULE, clock=clock or Clock())
    labeller = Labeller([Turn(incumbent), Turn(classifier("bystander"))])
    labeller.listener = canary
    for _ in range(frames):
        region = Region(track=1, box=FACE, score=0.9)
        labeller.label(frame_with(FACE).picture, [region], lambda _: None)
        if clock is not None:
            clock.now += 1.0
    return canary.report()


def test_one_that_agrees_is_promoted_after_its_crops() -> None:
    report = compared(classifier("candidate"), frames=39)
    assert (report.promoted, report.crops, report.agreement) == (None, 39, 1.0)
    report = compared(classifier("candidate"), frames=50)
    assert (report.promoted, report.crops) == (True, 40)
    assert report.candidate_ms is not None


def test_one_that_says_something_else_is_dropped() -> None:
    report = compared(of(contrary), frames=40)
    assert report.promoted is False
    assert report.reason == "it agrees on 0%, expected 80%"


def test_one_that_fails_is_dropped_at_once() -> None:
    report = compared(of(failing), frames=1)
    assert report.promoted is False
    assert "the interpreter said no" in report.reason


def test_a_slow_one_is_dropped() -> None:
    from tests.white_faces import how_white

    report = compared(of(how_white, step=5.0), frames=40)
    assert report.promoted is False
    assert "times as long, at most 3" in report.reason


def test_too_few_crops_in_its_time_decide_nothing_good() -> None:
    clock = Clock()
    report = compared(classifier("candidate"), frames=5, clock=clock)
    assert report.promoted is None
    clock = Clock()
    canary = Canary(classifier("candidate"), "incumbent", RULE, clock=clock)
    clock.now = 61
    assert canary.report().promoted is False
    assert canary.report().reason == "only 0 crops in 61 s, too few to compare"
