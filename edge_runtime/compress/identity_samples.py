"""Aligned faces as a recipe's data, drawn as our own detector and points cut them, and worse."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_runtime.compress.crop_samples import as_input
from edge_runtime.compress.distortion import Random, blur, darken, grain, recompress, relight, shade
from edge_runtime.compress.face_align import PLACES, aligned, similarity
from edge_runtime.compress.face_covers import PARTS, covered
from edge_runtime.compress.face_crops import PADDING
from edge_runtime.compress.face_sights import Sight, read_sights
from edge_runtime.compress.identity_net import SIDE
from edge_runtime.compress.known_faces import KnownFaces, Vectors, numbered, read_known_faces, unit
from edge_runtime.compress.photos import Luma
from edge_runtime.compress.placement import warp
from edge_runtime.compress.samples import Batch

SMALLEST_PX = 26
SPOILERS = (
    (0.15, shade),
    (0.12, blur),
    (0.45, relight),
    (0.01, darken),
    (0.1, grain),
    (0.1, recompress),
)
TWINS = 1 / 3
"""Share of a batch that is two pictures of one person each."""
OWN = 0.6
"""What a picture's own vector weighs in its target; the rest is its person's mean."""


@dataclass(frozen=True)
class Hardship:
    """How much is done to faces before they are shown."""

    covered: float
    """Share of faces of which a part is hidden."""
    points_off: tuple[float, ...]
    """How far points are off, in shares of the crop's side: good ones, ours, bad ones."""
    whole: float
    """Share of crops that have all the pixels they can have."""
    spoilt: float
    """How often spoilers come, 1 being as often as they say."""


HARD = Hardship(0.12, (0.01, 0.02, 0.035), 0.7, 1.0)
CALM = Hardship(0.06, (0.01, 0.018, 0.024), 0.85, 0.5)


@dataclass(frozen=True)
class IdentitySamples:
    """Faces to learn from, where each belongs, and faces of other people."""

    faces: KnownFaces
    targets: Tensor
    """[n, 128]: the teacher's vector, drawn towards the mean of the person's."""
    means: Tensor
    """[people, 128]: each person's mean vector, of length 1."""
    repeated: tuple[NDArray[np.int64], ...]
    """The faces of each person with several."""
    held_back: list[Sight]

    def steps(self, batch: int) -> int:
        return max(1, len(self.faces.sights) // batch)

    def batches(self, batch: int, seed: int) -> Iterator[Batch]:
        """Crops / 255 [batch, 1, 64, 64] and each one's target with its person [batch, 129]."""
        rng = np.random.default_rng(seed)
        for _ in range(self.steps(batch)):
            inputs, chosen = self.draw(batch, rng)
            people = torch.from_numpy(self.faces.people)[chosen]
            yield inputs, torch.cat([self.targets[chosen], people[:, None].float()], 1)

    def draw(self, batch: int, rng: Random, hardship: Hardship = HARD) -> tuple[Tensor, Tensor]:
        """Crops / 255, and which faces [batch] they are of."""
        chosen: list[int] = []
        while self.repeated and len(chosen) < batch * TWINS:
            of_one = self.repeated[int(rng.integers(len(self.repeated)))]
            chosen += [int(face) for face in rng.choice(of_one, 2, replace=False)]
        rest = rng.integers(len(self.faces.sights), size=batch - len(chosen))
        chosen += [int(face) for face in rest]
        crops = [random_face(self.faces.sights[face], rng, hardship) for face in chosen]
        return as_input(crops), torch.tensor(chosen)

    def held(self) -> Batch:
        """Crops as the contract says, and a number for each person."""
        crops = [aligned(sight.photo, sight.points, SIDE) for sight in self.held_back]
        return as_input(crops), torch.from_numpy(numbered(self.held_back))


@functools.cache
def identity_samples(data: Path) -> IdentitySamples:
    """Under a data folder that has ``faces/``, ``webfaces/`` and ``teachers/``."""
    return samples_of(read_known_faces(data), read_sights(data, "val"))


def samples_of(faces: KnownFaces, held_back: list[Sight]) -> IdentitySamples:
    """Where the faces belong: to themselves, and to their person."""
    means = _means(faces)
    targets = unit(OWN * faces.vectors + (1 - OWN) * means[faces.people])
    counts = np.bincount(faces.people)
    repeated = tuple(np.flatnonzero(faces.people == who) for who in np.flatnonzero(counts > 1))
    return IdentitySamples(
        faces, torch.from_numpy(targets), torch.from_numpy(means), repeated, held_back
    )


def random_face(sight: Sight, rng: Random, hardship: Hardship = HARD) -> Luma:
    """[64, 64]: a face as a worse detector, worse points and a worse camera give it."""
    photo = sight.photo
    if rng.random() < hardship.covered:
        photo = covered(photo, PARTS[int(rng.integers(len(PARTS)))], rng)
    # A far face has few pixels: cut it small, then enlarge.
    taken = SIDE if rng.random() < hardship.whole else int(rng.integers(SMALLEST_PX, SIDE))
    off = rng.normal(0, hardship.points_off[int(rng.integers(len(hardship.points_off)))], (5, 2))
    places = _moved(PLACES + off, rng)
    crop = warp(photo, similarity(sight.points, places * taken), (taken, taken), PADDING)
    if taken != SIDE:
        crop = np.asarray(cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)
    for chance, change in SPOILERS:
        if rng.random() < chance * hardship.spoilt:
            crop = change(crop, rng)
    return np.ascontiguousarray(crop[:, ::-1]) if rng.random() < 0.5 else crop


def _moved(places: NDArray[np.float64], rng: Random) -> NDArray[np.float64]:
    """All places together turned, enlarged and shifted a little."""
    angle, scale = rng.normal(0, 0.05), float(np.exp(rng.normal(0, 0.04)))
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    turn = np.array([[cos, sin], [-sin, cos]])
    moved: NDArray[np.float64] = (places - 0.5) @ turn + 0.5 + rng.normal(0, 0.012, 2)
    return moved


def _means(faces: KnownFaces) -> Vectors:
    sums = np.zeros((faces.people.max() + 1, faces.vectors.shape[1]), np.float32)
    np.add.at(sums, faces.people, faces.vectors)
    return unit(sums)
