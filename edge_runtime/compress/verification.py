"""How well vectors tell whether two pictures show one person: every pair of held-back faces.

True accepts at a share of false accepts, accuracy over ten folds of people (as LFW's protocol has
it), and what a cosine is worth as evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from edge_runtime.compress.confidence import Share
from edge_runtime.compress.known_faces import Vectors, unit
from edge_runtime.compress.measure import Answers
from edge_runtime.store.embedding import OperatingPoint

FOLDS = 10
FALSE_ACCEPTS = (1e-2, 1e-3, 1e-4, 1e-5)
MOST_FALSE = 1e-3
"""The share of false accepts at which headline figures are given."""
SEED = 11
NEWTON_STEPS = 30

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Cosines of pairs of pictures, and the fold each pair's people are in (-1: not in one)."""

    same: Numbers
    different: Numbers
    same_folds: NDArray[np.int64]
    different_folds: NDArray[np.int64]

    def threshold(self, false_accepts: float) -> float:
        """The cosine that this share of pairs of different people reaches."""
        return float(np.quantile(self.different, 1 - false_accepts, method="higher"))

    def operating_point(self, false_accepts: float) -> OperatingPoint:
        """What a threshold for this share of false accepts lets through."""
        threshold = self.threshold(false_accepts)
        return OperatingPoint(false_accepts, threshold, float((self.same >= threshold).mean()))

    def true_accepts(self, false_accepts: float = MOST_FALSE) -> Share:
        """Pairs of one person at or above the threshold for this share of false accepts."""
        threshold = self.threshold(false_accepts)
        return Share(int((self.same >= threshold).sum()), len(self.same))

    def accuracy(self) -> Share:
        """As many pairs of two people as of one; thresholds come from the other nine folds."""
        different, folds = self._as_many()
        right = 0
        for fold in range(FOLDS):
            threshold = _best(self.same[self.same_folds != fold], different[folds != fold])
            right += int((self.same[self.same_folds == fold] >= threshold).sum())
            right += int((different[folds == fold] < threshold).sum())
        return Share(right, len(self.same) + len(different))

    def evidence(self) -> tuple[float, float]:
        """Slope and intercept of ln(likelihood of one person / of two) by the cosine.

        Logistic regression with both kinds of pairs weighing the same (Bruemmer and du Preez,
        Computer Speech and Language 20, 2006), by Newton's method.
        """
        cosines = np.concatenate([self.same, self.different])
        wanted = np.repeat([1.0, 0.0], [len(self.same), len(self.different)])
        weights = np.where(wanted == 1, 0.5 / len(self.same), 0.5 / len(self.different))
        columns = np.stack([cosines, np.ones_like(cosines)], 1)
        found = np.zeros(2)
        for _ in range(NEWTON_STEPS):
            likely = 1 / (1 + np.exp(-columns @ found))
            slope = columns.T @ (weights * (likely - wanted))
            curve = (columns * (weights * likely * (1 - likely))[:, None]).T @ columns
            found -= np.linalg.solve(curve + 1e-9 * np.eye(2), slope)
        return float(found[0]), float(found[1])

    def _as_many(self) -> tuple[Numbers, NDArray[np.int64]]:
        """Pairs of two people within a fold, drawn once and for all."""
        within = np.flatnonzero(self.different_folds >= 0)
        count = min(len(self.same), len(within))
        chosen = np.random.default_rng(SEED).choice(within, count, replace=False)
        return self.different[chosen], self.different_folds[chosen]


def pairs_of(vectors: Vectors, people: NDArray[np.int64]) -> Pairs:
    """Every two of vectors [n, k] of people [n]. Nobody is in two folds."""
    first, second = np.triu_indices(len(vectors), 1)
    directions = unit(vectors)
    cosines = (directions @ directions.T)[first, second].astype(np.float64)
    folds = people % FOLDS
    shared = np.where(folds[first] == folds[second], folds[first], -1)
    same = people[first] == people[second]
    return Pairs(cosines[same], cosines[~same], shared[same], shared[~same])


def verification(answers: Answers, labels: Tensor) -> Share:
    """The accuracy on pairs, in the form that recipes take: labels are people [n]."""
    return pairs_of(answers[0].flatten(1).numpy(), labels.numpy()).accuracy()


def operating_points(
    pairs: Pairs, false_accepts: Sequence[float] = FALSE_ACCEPTS
) -> tuple[OperatingPoint, ...]:
    """One for each share of false accepts, the most lenient first."""
    return tuple(pairs.operating_point(each) for each in false_accepts)


def _best(same: Numbers, different: Numbers) -> float:
    """The threshold with the fewest errors, half way to the next lower cosine."""
    same, different = np.sort(same), np.sort(different)
    tried = np.sort(np.concatenate([same, different]))
    missed = np.searchsorted(same, tried) / len(same)
    let_in = 1 - np.searchsorted(different, tried) / len(different)
    place = int((missed + let_in).argmin())
    return float((tried[place] + tried[max(0, place - 1)]) / 2)
