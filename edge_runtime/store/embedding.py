"""What a manifest says of vectors that are compared: how to cut for them, what a cosine means."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from edge_runtime.store.fields import Fields

POINTS: Final = 5
"""Eye, eye, nose, mouth corner, mouth corner; the picture's left before its right."""
LONGEST: Final = 4096
STEEPEST: Final = 1e4
_POINTS_EXPECTED: Final = f"{POINTS} places [x, y] as shares of the crop's side, 0 to 1"

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Two pictures count as one person from a cosine on: what that lets in and through."""

    false_accepts: float
    """Share of pairs of different people at or above the threshold, 0 to 1."""
    threshold: float
    """Cosine, -1 to 1."""
    true_accepts: float
    """Share of pairs of one person at or above the threshold, 0 to 1."""


@dataclass(frozen=True, slots=True)
class EmbeddingSpec:
    """How a face is laid out for an embedding, and how its cosines are read."""

    size: int
    """Numbers in a vector."""
    points: tuple[Place, ...]
    """Where a face's five points belong, as shares of the crop's side."""
    slope: float
    intercept: float
    """ln(likelihood of one person / of two) of a pair of pictures = slope * cosine + intercept."""
    operating_points: tuple[OperatingPoint, ...]
    """The most lenient first."""


def read_embedding(fields: Fields) -> EmbeddingSpec:
    """The section ``embedding`` of a manifest. Raises ManifestInvalid."""
    evidence = fields.section("evidence")
    spec = EmbeddingSpec(
        size=fields.whole("size", 2, LONGEST),
        points=_points(fields),
        slope=evidence.number("slope", 0, STEEPEST),
        intercept=evidence.number("intercept", -STEEPEST, STEEPEST),
        operating_points=_operating_points(fields),
    )
    evidence.finish()
    fields.finish()
    return spec


def _points(fields: Fields) -> tuple[Place, ...]:
    found = fields.items("points", list, _POINTS_EXPECTED, repeats=True)
    if len(found) != POINTS or not all(map(_is_place, found)):
        fields.refuse("points", list(found), _POINTS_EXPECTED)
    return tuple((float(x), float(y)) for x, y in found)


def _is_place(found: list[object]) -> bool:
    return len(found) == 2 and all(
        isinstance(each, int | float) and not isinstance(each, bool) and 0 <= each <= 1
        for each in found
    )


def _operating_points(fields: Fields) -> tuple[OperatingPoint, ...]:
    """Falling false accepts, rising thresholds."""
    expected = "a list of objects with false_accepts, threshold and true_accepts"
    found = fields.items("operating_points", dict, expected, repeats=True)
    points = tuple(
        _operating_point(fields.part("operating_points", place, each))
        for place, each in enumerate(found)
    )
    for one, next_one in pairwise(points):
        if not _stricter(next_one, one):
            fields.refuse(
                "operating_points",
                list(found),
                "each with fewer false accepts and a higher threshold than the one before",
            )
    return points


def _operating_point(fields: Fields) -> OperatingPoint:
    point = OperatingPoint(
        false_accepts=fields.number("false_accepts", 1e-9, 1),
        threshold=fields.number("threshold", -1, 1),
        true_accepts=fields.number("true_accepts", 0, 1),
    )
    fields.finish()
    return point


def _stricter(one: OperatingPoint, other: OperatingPoint) -> bool:
    return one.false_accepts < other.false_accepts and one.threshold > other.threshold
