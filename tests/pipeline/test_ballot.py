"""Votes over frames."""

import numpy as np
import pytest

from edge_runtime.pipeline.ballot import LEAST_WEIGHT, Ballot, weight_of
from edge_runtime.types import Box, Crop, CropSpec

SPEC = CropSpec(64, 64, 1, 0.0, True)


def test_one_vote_is_the_answer() -> None:
    ballot = Ballot()
    ballot.cast({"smile": 0.9, "neutral": 0.1}, 0.3)
    assert ballot.scores == pytest.approx({"smile": 0.9, "neutral": 0.1})


def test_one_bad_crop_does_not_turn_a_label_over() -> None:
    ballot = Ballot()
    for _ in range(4):
        ballot.cast({"smile": 0.9, "neutral": 0.1}, 1.0)
    ballot.cast({"smile": 0.0, "neutral": 1.0}, 0.05)
    assert ballot.scores["smile"] > 0.85


def test_a_lasting_change_wins_within_a_few_votes() -> None:
    ballot = Ballot()
    for _ in range(50):
        ballot.cast({"smile": 0.9, "neutral": 0.1}, 1.0)
    for _ in range(3):
        ballot.cast({"smile": 0.1, "neutral": 0.9}, 1.0)
    assert ballot.scores["neutral"] > 0.5


def crop(pixels: np.ndarray, side: float) -> Crop:
    return Crop(1, Box(0, 0, side, side), pixels)


def test_large_sharp_crops_weigh_most_and_blurred_or_small_ones_little() -> None:
    rng = np.random.default_rng(1)
    sharp = rng.integers(0, 256, (64, 64)).astype(np.uint8)
    flat = np.full((64, 64), 128, np.uint8)
    assert weight_of(crop(sharp, 100), SPEC) > 0.9
    assert weight_of(crop(sharp, 32), SPEC) == pytest.approx(
        weight_of(crop(sharp, 64), SPEC) / 4, rel=0.01
    )
    assert weight_of(crop(flat, 100), SPEC) == LEAST_WEIGHT
