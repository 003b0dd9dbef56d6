"""Crops with five points as a recipe's data, the loss on them and how far answers are off."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from edge_runtime.compress.confidence import MeanValue
from edge_runtime.compress.crop_samples import as_input
from edge_runtime.compress.distortion import Random
from edge_runtime.compress.face_covers import PARTS, covered
from edge_runtime.compress.face_crops import plain_affine, plain_crop, random_view
from edge_runtime.compress.face_sights import Sight, read_sights
from edge_runtime.compress.measure import Answers
from edge_runtime.compress.photos import Luma
from edge_runtime.compress.placement import Affine
from edge_runtime.compress.points_net import SIDE
from edge_runtime.compress.samples import Batch

REACH = 1.25
"""The detector's boxes are not the teacher's: cut worse than the classifiers' crops are."""
COVERED = 0.12
MIRRORED = (1, 0, 2, 4, 3)
"""A mirrored face's left eye is the picture's right one."""
BEND = 0.01
"""Of the side: errors below it weigh by their square, above it by themselves."""

Places = NDArray[np.float32]
"""[10]: x and y of each point as shares of the crop's side."""


@dataclass(frozen=True)
class PointsSamples:
    """Faces to learn from and faces of other people."""

    learnt: Sequence[Sight]
    held_back: Sequence[Sight]

    def steps(self, batch: int) -> int:
        return max(1, len(self.learnt) // batch)

    def batches(self, batch: int, seed: int) -> Iterator[Batch]:
        """Crops / 255 [batch, 1, 48, 48] and places [batch, 10]."""
        rng = np.random.default_rng(seed)
        for _ in range(self.steps(batch)):
            yield self.draw(batch, rng)

    def draw(self, batch: int, rng: Random) -> Batch:
        """The same as a batch of ``batches``."""
        chosen = rng.integers(len(self.learnt), size=batch)
        return _batch([random_points(self.learnt[int(which)], rng) for which in chosen])

    def held(self) -> Batch:
        return _batch([plain_points(sight) for sight in self.held_back])


@functools.cache
def points_samples(data: Path) -> PointsSamples:
    """Under a data folder that has ``faces/``, ``webfaces/`` and ``teachers/``."""
    return PointsSamples(read_sights(data, "train"), read_sights(data, "val"))


def plain_points(sight: Sight) -> tuple[Luma, Places]:
    """The crop as the contract says, and where its points are."""
    return plain_crop(sight.photo, SIDE), places_under(plain_affine(sight.photo, SIDE), sight)


def random_points(sight: Sight, rng: Random) -> tuple[Luma, Places]:
    """A crop as a worse detector and camera give it; a part of the face may be hidden."""
    photo = sight.photo
    if rng.random() < COVERED:
        photo = covered(photo, PARTS[int(rng.integers(len(PARTS)))], rng)
    crop, affine = random_view(photo, SIDE, rng, REACH)
    return crop, places_under(affine, sight)


def places_under(affine: Affine, sight: Sight) -> Places:
    """The points where a map to the crop's pixels takes them."""
    points = (sight.points @ affine[:, :2].T + affine[:, 2]) / SIDE
    if np.linalg.det(affine[:, :2]) < 0:
        points = points[list(MIRRORED)]
    return np.asarray(points.reshape(-1), np.float32)


def points_loss(inputs: Tensor, outputs: Tensor, labels: Tensor) -> Tensor:
    """Distances in shares of the side, all points alike."""
    del inputs
    return functional.smooth_l1_loss(outputs, labels, beta=BEND) * 10


def eye_distances_off(answers: Answers, labels: Tensor) -> MeanValue:
    """The mean distance of the five points from where they belong, by the eyes' distance."""
    off = point_errors(answers[0].flatten(1).numpy(), labels.numpy())
    return MeanValue.of([float(each) for each in off])


def point_errors(found: NDArray[np.float32], true: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n] of places [n, 10]: mean distance over the eyes' distance (NME, inter-ocular)."""
    ours, theirs = found.reshape(-1, 5, 2), true.reshape(-1, 5, 2)
    eyes = np.linalg.norm(theirs[:, 0] - theirs[:, 1], axis=1)
    return np.asarray(np.linalg.norm(ours - theirs, axis=2).mean(1) / eyes, np.float32)


def _batch(made: list[tuple[Luma, Places]]) -> Batch:
    crops, places = zip(*made, strict=True)
    return as_input(list(crops)), torch.from_numpy(np.stack(places))
