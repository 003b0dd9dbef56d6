"""What a loaded model must do to pass; on the fake engine, which keeps the contract."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from edge_runtime.engine.fake import Answer, FakeEngine
from edge_runtime.engine.tensor import Tensor
from edge_runtime.errors import ModelRejected
from edge_runtime.store.trial.examine import LEAST_RUNS, RUNS, Findings, examine
from edge_runtime.store.trial.examples import Examples
from edge_runtime.store.trial.golden import golden_pictures
from edge_runtime.store.trial.task import Task

PICTURE = Tensor("picture", (1, 8, 8, 1), np.dtype(np.uint8), 1.0, 0)
SCORES = Tensor("scores", (1, 2), np.dtype(np.float32))


def task(**changes: Any) -> Task:
    known: dict[str, Any] = {
        "name": "mood.tflite",
        "width": 8,
        "height": 8,
        "channels": 1,
        "scale": 1.0,
        "offset": 0.0,
        "labels": 2,
        "probabilities": True,
        "cpu_s": 20,
        "memory_mb": 512,
    }
    return Task(**known | changes)


def tried(
    answer: Answer | None = None,
    *,
    outputs: Sequence[Tensor] = (SCORES,),
    declared: Sequence[Tensor] | None = None,
    examples: Examples | None = None,
    clock: Any = None,
    **changes: Any,
) -> Findings:
    inputs = (PICTURE,)
    engine = FakeEngine(inputs, outputs, answer=answer)
    timing = {"clock": clock} if clock else {}
    return examine(engine, (inputs, declared or outputs), task(**changes), examples, **timing)


def brightness(inputs: Sequence[Any]) -> list[Any]:
    bright = float(inputs[0].mean()) / 255
    return [[[1 - bright, bright]]]


def test_a_sound_model_passes_with_figures() -> None:
    found = tried(brightness)
    assert len(found.took_ms) == RUNS
    assert 0 < found.median_ms <= found.p95_ms
    assert found.accuracy is None


def test_a_slow_model_is_measured_a_few_times_only() -> None:
    seconds = itertools.count()
    assert len(tried(brightness, clock=lambda: next(seconds)).took_ms) == LEAST_RUNS


def test_each_picture_is_a_step() -> None:
    steps: list[str] = []
    engine = FakeEngine((PICTURE,), (SCORES,), answer=brightness)
    examine(engine, ((PICTURE,), (SCORES,)), task(), step=steps.append)
    pictures = [f"running the picture {name}" for name, _ in golden_pictures((1, 8, 8, 1))]
    assert steps == [*pictures, *pictures, "measuring how long it takes"]


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(ModelRejected, match="picture black with numbers that are not finite"):
        tried(lambda _: [[[np.nan, 0.5]]])


def test_an_answer_that_changes_is_refused() -> None:
    turn = itertools.count()
    with pytest.raises(ModelRejected, match="answers the same picture differently"):
        tried(lambda _: [[[0.0, next(turn) / 100]]])


def test_labels_and_numbers_must_be_as_many() -> None:
    with pytest.raises(ModelRejected, match="there are 3, but it answers with 1x2"):
        tried(brightness, labels=3)


def test_two_labels_may_share_a_number() -> None:
    one = Tensor("score", (1, 1), np.dtype(np.float32))
    assert tried(lambda _: [[[0.25]]], outputs=(one,)).took_ms


def test_probabilities_beyond_one_are_refused() -> None:
    with pytest.raises(ModelRejected, match="0 to 4: set activation to 'logits'"):
        tried(lambda _: [[[0.0, 4.0]]])
    assert tried(lambda _: [[[0.0, 4.0]]], probabilities=False).took_ms


def test_another_input_than_the_manifest_says_is_refused() -> None:
    with pytest.raises(ModelRejected, match="expected one picture of 9x8 with 1 channel"):
        tried(brightness, width=9)


def test_an_interpreter_that_reads_the_file_differently_is_not_believed() -> None:
    other = Tensor("scores", (1, 3), np.dtype(np.float32))
    with pytest.raises(ModelRejected, match="the interpreter makes it float32 1x2"):
        tried(brightness, declared=(other,))


def test_lengths_that_the_file_leaves_open_may_be_any() -> None:
    for shape in ((1, -1), ()):
        declared = Tensor("scores", shape, np.dtype(np.float32))
        assert tried(brightness, declared=(declared,)).took_ms


def test_a_detector_has_no_labels_to_count() -> None:
    boxes = Tensor("boxes", (1, 4, 4, 4), np.dtype(np.int8), 0.1, 0)
    assert tried(outputs=(boxes, SCORES), labels=0, probabilities=False).took_ms


def examples(least: float) -> Examples:
    pictures = np.stack([np.full((8, 8, 1), value, np.uint8) for value in (10, 240, 250, 20)])
    return Examples(pictures, np.array([0, 1, 1, 1]), least)


def test_accuracy_is_the_share_of_examples_it_gets_right() -> None:
    assert tried(brightness, examples=examples(0.75)).accuracy == 0.75


def test_too_little_accuracy_is_refused() -> None:
    with pytest.raises(ModelRejected, match=r"75\.0% of 4 examples right, at least 80\.0%"):
        tried(brightness, examples=examples(0.8))


@pytest.mark.parametrize(("probabilities", "middle"), [(True, 0.5), (False, 0.0)])
def test_one_number_is_the_likelihood_of_the_second_label(
    probabilities: bool, middle: float
) -> None:
    one = Tensor("score", (1, 1), np.dtype(np.float32))
    found = tried(
        lambda inputs: [[[middle + (0.1 if inputs[0].mean() > 128 else -0.1)]]],
        outputs=(one,),
        probabilities=probabilities,
        examples=examples(0),
    )
    assert found.accuracy == 0.75


def test_golden_pictures_have_the_inputs_size_and_stay_the_same() -> None:
    first, again = (list(golden_pictures((1, 6, 9, 3))) for _ in range(2))
    assert [pixels.shape for _, pixels in first] == [(6, 9, 3)] * 5
    for (name, pixels), (_, same) in zip(first, again, strict=True):
        assert np.array_equal(pixels, same), name
    face = dict(first)["face"][..., 0]
    assert face[3, 4] > face[0, 0]  # the middle of the face against a corner
