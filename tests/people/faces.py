"""Made-up people: vectors near one direction each, and the points of a head in the round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_runtime.people.evidence import Terms
from edge_runtime.people.gallery import Gallery, Vectors
from edge_runtime.people.layout import Points
from edge_runtime.people.sight import Quality, Sight, Vector

SIZE = 64
MODEL = "a" * 64

GOOD = Quality(eyes_px=40.0, sharpness=500.0, yaw=0.0, pitch=0.5, misfit=0.05)

# Eyes, nose, mouth of a head in the round: x to the right, y down, z towards the camera; the eyes
# are 1 apart (Farkas, "Anthropometry of the Head and Face", 1994: the nose stands out by a third).
HEAD = np.array(
    [[-0.5, 0, 0], [0.5, 0, 0], [0, 0.55, 0.45], [-0.4, 1.0, 0.05], [0.4, 1.0, 0.05]], np.float64
)
FLAT = HEAD * (1, 1, 0)


@dataclass(frozen=True)
class Point:
    false_accepts: float
    threshold: float
    true_accepts: float = 0.9


@dataclass(frozen=True)
class Meaning:
    """As a manifest says it; the figures are near those of face-id."""

    size: int = SIZE
    points: tuple[tuple[float, float], ...] = (
        (0.3156, 0.4616),
        (0.6826, 0.4616),
        (0.5003, 0.6405),
        (0.3495, 0.8247),
        (0.6534, 0.8233),
    )
    slope: float = 30.0
    intercept: float = -10.0
    operating_points: tuple[Point, ...] = (
        Point(1e-2, 0.30),
        Point(1e-3, 0.40),
        Point(1e-4, 0.50),
        Point(1e-5, 0.60),
    )


def somebody(seed: int) -> Vector:
    """The direction of one person."""
    return unit(np.random.default_rng(seed).normal(size=SIZE))


def unit(numbers: np.ndarray) -> Vector:
    return np.asarray(numbers / np.linalg.norm(numbers), np.float32)


def view(person: Vector, seed: int, cosine: float = 0.8) -> Vector:
    """Another look at a person, at that cosine from their direction."""
    noise = np.random.default_rng(seed).normal(size=SIZE)
    noise -= (noise @ person) * person
    return unit(cosine * person + np.sqrt(1 - cosine**2) * noise / np.linalg.norm(noise))


def views(person: Vector, count: int, cosine: float = 0.9) -> Vectors:
    return np.stack([view(person, 1000 + seed, cosine) for seed in range(count)])


def good(vector: Vector, **quality: float) -> Sight:
    return Sight(Quality(**{**vars_of(GOOD), **quality}), vector)


def vars_of(quality: Quality) -> dict[str, float]:
    return {name: getattr(quality, name) for name in quality.__slots__}


def terms(people: dict[str, Vectors], false_accepts: float = 0.001) -> Terms:
    return Terms.of(Gallery(people), Meaning(), false_accepts)


def seen(head: np.ndarray, turn: float, nod: float = 0.0, far: float = 12.0) -> Points:
    """The points of a head that is turned and nods, in degrees, in the picture of a camera ``far``
    eye distances away.
    """
    a, b = np.radians([turn, nod])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    x, y, z = (head @ about_y.T @ about_x.T).T
    return np.stack([x, y], axis=1) * (far / (far - z))[:, None] * 40 + 200
