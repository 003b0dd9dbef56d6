"""A new classifier listens in on an old one's crops until it may take its place, or may not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from edge_runtime.attention.crop import cut
from edge_runtime.classify import Classifier
from edge_runtime.errors import ModelRejected
from edge_runtime.types import Clock, Picture, Region, Result

FEWEST: Final = 20
"""Crops below which nothing is said of an agreement."""


@dataclass(frozen=True, slots=True)
class CanaryRule:
    """When a candidate has been seen enough, and what it must reach."""

    crops: int = 200
    seconds: float = 60.0
    """Whichever of the two comes first ends the comparison."""
    least_agreement: float = 0.8
    """Share of crops whose best label is the same."""
    most_slowdown: float = 3.0
    """Median time for a crop, in times of the incumbent's."""


@dataclass(frozen=True, slots=True)
class CanaryReport:
    """What came of a comparison, or how it stands."""

    crops: int
    agreement: float | None
    """Share of crops with the same best label; None before the first."""
    candidate_ms: float | None
    incumbent_ms: float | None
    """Median milliseconds for a crop."""
    promoted: bool | None
    """None while it goes on."""
    reason: str


class Canary:
    """Runs a candidate on every crop that the model called ``incumbent`` is asked about.

    A Listener of the Labeller.
    """

    def __init__(
        self,
        candidate: Classifier,
        incumbent: str,
        rule: CanaryRule,
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self._candidate, self._incumbent, self._rule = candidate, incumbent, rule
        self._clock = clock
        self._began = clock()
        self._same: list[bool] = []
        self._candidate_s: list[float] = []
        self._incumbent_s: list[float] = []
        self._failure: str | None = None

    def hear(
        self,
        picture: Picture,
        regions: Sequence[Region],
        classifier: Classifier,
        results: Sequence[Result],
    ) -> None:
        """Compare the candidate's answers, if these are the incumbent's and all is still open."""
        if classifier.name != self._incumbent or self.report().promoted is not None:
            return
        crops = [cut(picture, region, self._candidate.crop_spec) for region in regions]
        try:
            answers = self._candidate.classify(crops)
        except ModelRejected as error:
            self._failure = str(error)
            return
        self._same += [_best(a) == _best(b) for a, b in zip(answers, results, strict=True)]
        self._candidate_s.append(self._candidate.classify_s / len(crops))
        self._incumbent_s.append(classifier.classify_s / len(crops))

    def report(self) -> CanaryReport:
        """How it stands by now."""
        promoted, reason = self._verdict()
        return CanaryReport(
            crops=len(self._same),
            agreement=self._agreement,
            candidate_ms=_median_ms(self._candidate_s),
            incumbent_ms=_median_ms(self._incumbent_s),
            promoted=promoted,
            reason=reason,
        )

    @property
    def _agreement(self) -> float | None:
        return sum(self._same) / len(self._same) if self._same else None

    def _verdict(self) -> tuple[bool | None, str]:
        rule, crops, seconds = self._rule, len(self._same), self._clock() - self._began
        if self._failure is not None:
            return False, f"it failed on a live crop: {self._failure}"
        if crops < rule.crops and seconds < rule.seconds:
            return None, f"{crops} of {rule.crops} crops in {seconds:.0f} of {rule.seconds:.0f} s"
        agreement = self._agreement
        if agreement is None or crops < min(FEWEST, rule.crops):
            return False, f"only {crops} crops in {seconds:.0f} s, too few to compare"
        if agreement < rule.least_agreement:
            return False, f"it agrees on {agreement:.0%}, expected {rule.least_agreement:.0%}"
        slowdown = median(self._candidate_s) / max(median(self._incumbent_s), 1e-9)
        if slowdown > rule.most_slowdown:
            return False, f"it takes {slowdown:.1f} times as long, at most {rule.most_slowdown:g}"
        return True, f"it agrees on {agreement:.0%} of {crops} crops"


def _best(result: Result) -> str:
    return max(result.scores, key=lambda label: result.scores[label])


def _median_ms(seconds: Sequence[float]) -> float | None:
    return median(seconds) * 1000 if seconds else None
