"""Everybody who is enrolled, as one matrix: a face is held against all of them in one product."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime.people.encoder import OperatingPoint
from edge_runtime.people.sight import Vector

Vectors = npt.NDArray[np.float32]
"""(n, size), each of length 1."""


class Gallery:
    """People and their templates; several of each, for a face does not always look the same."""

    def __init__(self, people: Mapping[str, Vectors]) -> None:
        """By name. Somebody without a template is nobody."""
        known = {name: vectors for name, vectors in people.items() if len(vectors)}
        self.names = tuple(known)
        counts = [len(vectors) for vectors in known.values()]
        self._first = np.cumsum([0, *counts[:-1]]) if counts else np.zeros(0, np.intp)
        self._templates: Vectors | None = np.concatenate(list(known.values())) if known else None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def templates(self) -> int:
        """Of all people together."""
        return 0 if self._templates is None else len(self._templates)

    def cosines(self, vector: Vector) -> npt.NDArray[np.float32]:
        """How near the face is to each person, by the nearest of their templates: (people,)."""
        if self._templates is None:
            return np.zeros(0, np.float32)
        return np.asarray(np.maximum.reduceat(self._templates @ vector, self._first), np.float32)


class Bar(NamedTuple):
    """What a cosine must reach, so that a stranger is let in as seldom as was asked for."""

    threshold: float
    false_accepts: float
    """Share of strangers' looks that some template lets through at that threshold, at most."""


def bar(points: Sequence[OperatingPoint], templates: int, wanted: float) -> Bar:
    """The threshold at which ``templates`` together let through a ``wanted`` share of strangers.

    Each template is one more chance: n of them let through at most n times as many as one
    (Bonferroni). Between two operating points the threshold is linear in the logarithm of the
    share; beyond the strictest nothing was measured, so its own threshold and share are returned.
    """
    share = wanted / max(templates, 1)
    strictest = points[-1]
    if share <= strictest.false_accepts:
        return Bar(strictest.threshold, min(1.0, strictest.false_accepts * max(templates, 1)))
    if share >= points[0].false_accepts:
        return Bar(points[0].threshold, min(1.0, points[0].false_accepts * max(templates, 1)))
    for lenient, strict in pairwise(points):
        if share >= strict.false_accepts:
            part = math.log(lenient.false_accepts / share) / math.log(
                lenient.false_accepts / strict.false_accepts
            )
            rise = strict.threshold - lenient.threshold
            return Bar(lenient.threshold + part * rise, share * max(templates, 1))
    raise AssertionError("the points fall, so one of the pairs holds the share")
