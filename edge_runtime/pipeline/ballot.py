"""What a classifier says of a face over time: votes, weighted, the older the less.

A vote weighs as much as its crop shows: a face smaller than the classifier's input, or blurred,
hardly counts. One bad crop does not turn a label over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edge_runtime import imaging
from edge_runtime.types import Crop, CropSpec

FORGET: Final = 0.75
"""What a vote is worth when the next one is cast: four votes make most of the answer."""

SOFT: Final = 120.0
"""Variance of the Laplacian, grey levels squared, of a crop that counts half: portraits of LFW at
64 px have 400 and more, out of focus 30 to 100."""

LEAST_WEIGHT: Final = 0.02
"""Even the worst crop says something while there is no better one."""


class Ballot:
    """One classifier's answers about one face."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._weight = 0.0

    def cast(self, scores: Mapping[str, float], weight: float) -> None:
        """Another answer: label to probability."""
        self._weight = self._weight * FORGET + weight
        for label, score in scores.items():
            self._sums[label] = self._sums.get(label, 0.0) * FORGET + score * weight

    @property
    def scores(self) -> dict[str, float]:
        """Label to the votes' weighted mean."""
        return {label: total / self._weight for label, total in self._sums.items()}


def weight_of(crop: Crop, spec: CropSpec) -> float:
    """How much a crop's answer counts, above 0 to 1: by area and by sharpness."""
    side = max(crop.box.w, crop.box.h) / max(spec.width, spec.height)
    sharp = imaging.sharpness(crop.pixels)
    return max(LEAST_WEIGHT, min(side * side, 1.0) * sharp / (sharp + SOFT))
