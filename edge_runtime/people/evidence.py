"""Looks at one face, added up until they say who it is: Wald's sequential test.

Each look adds, for every person, the natural logarithm of how much likelier its cosine is for that
person than for somebody else (the model's manifest: slope * cosine + intercept). The sum starts
below 0, for most faces are not that person's. Above one bound the answer is a name, below another
it is nobody who is enrolled, between them one more look is worth having (Wald, "Sequential Tests of
Statistical Hypotheses", Ann. Math. Stat. 1945). Looks at one face in one light are alike, so each
counts less than an independent one would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from edge_runtime.identity import Identity, Verdict
from edge_runtime.people.encoder import EmbeddingDescription
from edge_runtime.people.gallery import Bar, Gallery, bar
from edge_runtime.people.sight import Vector

ALIKE: Final = 0.5
"""What a further look at the same face is worth, of an independent one."""

STRANGERS: Final = 10.0
"""Strangers that come for each person who is enrolled: where the sum starts."""

LEAST_SIGHTS: Final = 2
"""A name needs so many looks: one may be the one in a thousand that fools the model."""

MOST_SIGHTS: Final = 12
"""Then a face that nobody is surely the owner of is nobody's."""


@dataclass(frozen=True, slots=True)
class Terms:
    """When a face gets a name."""

    gallery: Gallery
    bar: Bar
    """What the mean of its looks must reach."""
    slope: float
    intercept: float
    accept: float
    """Evidence of a name."""
    refuse: float
    """Evidence of nobody."""

    @classmethod
    def of(cls, gallery: Gallery, meaning: EmbeddingDescription, false_accepts: float) -> Terms:
        """``false_accepts``: share of strangers who may get a name, 0 to 1."""
        return cls(
            gallery,
            bar(meaning.operating_points, gallery.templates, false_accepts),
            meaning.slope,
            meaning.intercept,
            accept=math.log(1 / false_accepts),
            refuse=math.log(false_accepts),
        )


class Evidence:
    """What was seen of one face so far."""

    def __init__(self) -> None:
        self.sights = 0
        self._sum: npt.NDArray[np.float64] | None = None
        self._cosines: npt.NDArray[np.float64] | None = None

    def add(self, vector: Vector, terms: Terms) -> None:
        """One more look that counts."""
        self.sights += 1
        cosines = terms.gallery.cosines(vector).astype(np.float64)
        gained = terms.slope * cosines + terms.intercept
        if self._sum is None or self._cosines is None:
            self._sum, self._cosines = gained - math.log(STRANGERS), cosines
            return
        self._sum = self._sum + ALIKE * gained
        self._cosines = self._cosines + (cosines - self._cosines) / self.sights

    def says(self, terms: Terms) -> Identity:
        """Who it is, as far as the looks tell."""
        if self._sum is None or self._cosines is None:
            return Identity("unsure")
        if not len(self._sum):
            return Identity("unknown", sights=self.sights)
        best = int(self._sum.argmax())
        score, evidence = float(self._cosines[best]), float(self._sum[best])
        verdict = self._verdict(evidence, score, terms)
        name = terms.gallery.names[best] if verdict == "known" else None
        return Identity(verdict, name, round(score, 4), round(evidence, 3), self.sights)

    def of(self, name: str, terms: Terms) -> float:
        """The evidence that it is that person, who is in the gallery."""
        return 0.0 if self._sum is None else float(self._sum[terms.gallery.names.index(name)])

    def _verdict(self, evidence: float, score: float, terms: Terms) -> Verdict:
        near = score >= terms.bar.threshold
        if evidence >= terms.accept and near and self.sights >= LEAST_SIGHTS:
            return "known"
        if evidence <= terms.refuse or self.sights >= MOST_SIGHTS:
            return "unknown"
        return "unsure"
