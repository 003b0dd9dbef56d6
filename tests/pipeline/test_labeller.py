"""Classifiers take turns, share crops, and are exchanged between two frames."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from edge_runtime.classify import Classifier
from edge_runtime.pipeline import Labeller, Turn
from edge_runtime.types import Box, Picture, Region, Result
from tests.white_faces import classifier, frame_with

FACE = Box(200, 160, 96, 128)


def region(track: int) -> Region:
    return Region(track=track, box=FACE, score=0.9)


def label(labeller: Labeller, *tracks: int, laps: list[str] | None = None) -> list[set[str]]:
    """Which models have something to say of each track, in one frame."""
    lap = (lambda _: None) if laps is None else laps.append
    faces = labeller.label(frame_with(FACE).picture, [region(t) for t in tracks], lap)
    return [set(face.labels) for face in faces]


def test_each_classifier_has_its_own_pace() -> None:
    labeller = Labeller([Turn(classifier("quick")), Turn(classifier("slow"), every=5)])
    for _ in range(10):
        assert label(labeller, 1) == [{"quick", "slow"}]
    assert labeller.inferences == 10 + 2


def test_a_new_face_does_not_wait_for_the_turn_of_others() -> None:
    labeller = Labeller([Turn(classifier("slow"), every=5)])
    label(labeller, 1)
    assert label(labeller, 1, 2) == [{"slow"}, {"slow"}]
    assert labeller.inferences == 2


def test_a_face_that_was_away_for_less_than_a_turn_keeps_its_answer() -> None:
    labeller = Labeller([Turn(classifier("slow"), every=5)])
    label(labeller, 1)
    label(labeller)
    assert label(labeller, 1) == [{"slow"}]
    assert labeller.inferences == 1
    for _ in range(6):
        label(labeller)
    label(labeller, 1)
    assert labeller.inferences == 2


def test_a_crop_of_one_shape_is_cut_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from edge_runtime.pipeline import labeller as module

    cuts: list[int] = []
    real = module.cut  # type: ignore[attr-defined]

    def counting(picture: Picture, region: Region, spec: object) -> object:
        cuts.append(region.track)
        return real(picture, region, spec)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "cut", counting)
    assert label(Labeller([Turn(classifier("a")), Turn(classifier("b"))]), 1, 2) == [{"a", "b"}] * 2
    assert cuts == [1, 2]


def test_after_an_exchange_every_face_is_asked_at_once_and_nobody_else_answers() -> None:
    labeller = Labeller([Turn(classifier("old"), every=50)])
    label(labeller, 1)
    labeller.exchange([Turn(classifier("new"), every=50)])
    assert label(labeller, 1) == [{"new"}]


def test_a_listener_hears_every_answer() -> None:
    heard: list[tuple[int, str]] = []

    class Ear:
        def hear(
            self,
            picture: Picture,
            regions: Sequence[Region],
            classifier: Classifier,
            results: Sequence[Result],
        ) -> None:
            assert picture.width == 640
            heard.extend((r.track, classifier.name) for r, _ in zip(regions, results, strict=True))

    labeller = Labeller([Turn(classifier("a")), Turn(classifier("b"))])
    labeller.listener = Ear()
    label(labeller, 1, 2)
    assert heard == [(1, "a"), (2, "a"), (1, "b"), (2, "b")]


def test_without_classifiers_faces_have_no_labels() -> None:
    assert label(Labeller([]), 1) == [set()]


def sight(track: int, score: float) -> Region:
    return Region(track=track, box=FACE, score=score)


def asked(labeller: Labeller, *regions: Region) -> int:
    """How many faces were asked about in a frame."""
    before = labeller.inferences
    labeller.label(frame_with(FACE).picture, regions, lambda _: None)
    return labeller.inferences - before


def test_a_face_is_asked_about_on_a_good_sight_of_it() -> None:
    labeller = Labeller([Turn(classifier(), every=4)])
    assert asked(labeller, sight(1, 0.6)) == 1
    assert [asked(labeller, sight(1, 0.8)) for _ in range(3)] == [0, 0, 0]
    assert asked(labeller, sight(1, 0.5)) == 0  # its turn, but it was seen better before
    assert asked(labeller, sight(1, 0.75)) == 1


def test_a_bad_sight_has_to_do_after_half_a_turn_more() -> None:
    labeller = Labeller([Turn(classifier(), every=4)])
    asked(labeller, sight(1, 0.9))
    assert [asked(labeller, sight(1, 0.3)) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


def test_a_much_better_sight_does_not_wait_for_its_turn() -> None:
    labeller = Labeller([Turn(classifier(), every=100)])
    assert asked(labeller, sight(1, 0.5)) == 1
    assert asked(labeller, sight(1, 0.6)) == 0
    assert asked(labeller, sight(1, 0.9)) == 1


def test_many_faces_that_came_together_are_spread_over_the_frames() -> None:
    labeller = Labeller([Turn(classifier(), every=10)])
    crowd = [sight(track, 0.9) for track in range(50)]
    assert [asked(labeller, *crowd) for _ in range(30)] == [5] * 30


def test_asked_in_every_frame_all_faces_are() -> None:
    labeller = Labeller([Turn(classifier(), every=1)])
    assert asked(labeller, *[sight(track, 0.9) for track in range(50)]) == 50
