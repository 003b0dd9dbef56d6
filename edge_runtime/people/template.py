"""What is kept of people: names and vectors, never a picture."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from edge_runtime.errors import EnrolmentRefused
from edge_runtime.people.gallery import Vectors
from edge_runtime.people.sight import Vector

MOST_PEOPLE: Final = 1000
MOST_TEMPLATES: Final = 8
"""Of one person: more of them raise the chance that a stranger is near one."""

LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One view of a face, as a vector."""

    vector: Vector
    model: str
    """SHA-256 of the model that made it: vectors of two models are not to be compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody who is enrolled."""

    name: str
    added: str
    """UTC, as ``2026-11-25T11:02:03Z``."""
    templates: tuple[Template, ...]

    def vectors(self, model: str) -> Vectors:
        """Those that this model made: (n, size)."""
        return vectors_of([each for each in self.templates if each.model == model])

    def outdated(self, model: str) -> bool:
        """Whether all templates are another model's, so that the person must be enrolled anew."""
        return all(each.model != model for each in self.templates)

    def renamed(self, name: str) -> Person:
        return replace(self, name=name)


def vectors_of(templates: list[Template]) -> Vectors:
    """(n, size); (0, 0) of none."""
    if not templates:
        return np.empty((0, 0), np.float32)
    return np.stack([each.vector for each in templates])


def checked_name(text: str) -> str:
    """A name as it is kept. Raises EnrolmentRefused for what cannot be one."""
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise EnrolmentRefused(
            f"{text!r} is no name: expected 1 to {LONGEST_NAME} letters, digits or signs, one line"
        )
    return name


def same_name(one: str, other: str) -> bool:
    """Whether two names would be confused: upper and lower case do not tell people apart."""
    return one.casefold() == other.casefold()


def spread(vectors: Vectors, most: int) -> list[int]:
    """Which ``most`` of the vectors (n, size) to keep, so that they are as different as they come.

    The one nearest to all others first, then each time the one farthest from those taken (Gonzalez,
    "Clustering to minimize the maximum intercluster distance", 1985).
    """
    cosines = vectors @ vectors.T
    taken = [int(cosines.sum(axis=1).argmax())]
    while len(taken) < min(most, len(vectors)):
        nearest = cosines[:, taken].max(axis=1)
        nearest[taken] = np.inf
        taken.append(int(nearest.argmin()))
    return taken
