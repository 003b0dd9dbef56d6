"""Faces with labels as a recipe's data: crops drawn anew every time, exact ones for the exam."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edge_runtime.compress.crop_net import SIDE
from edge_runtime.compress.distortion import Random
from edge_runtime.compress.face_crops import plain_crop, random_crop
from edge_runtime.compress.photos import Luma, Photo
from edge_runtime.compress.samples import Batch

UNKNOWN = -1
Dress = Callable[[Photo, Random], Photo]
"""What happens to a face before it is cut out."""


@dataclass(frozen=True)
class Portrait:
    """A face and what is said of it."""

    photo: Photo
    """Its one face is the one to classify."""
    label: int
    """The class, or UNKNOWN."""
    fold: int = 0
    """Which part of the people it belongs to (see crop_teacher.py)."""


def as_it_is(photo: Photo, rng: Random) -> Photo:
    """The dress that changes nothing."""
    del rng
    return photo


@dataclass(frozen=True)
class Group:
    """Portraits that are drawn from equally often."""

    portraits: list[Portrait]
    share: float
    """Of all crops, relative to the other groups'."""
    dress: Dress = as_it_is


class Drawn(NamedTuple):
    """Crops to learn from."""

    inputs: Tensor
    """[n, 1, 48, 48], 0..1."""
    labels: Tensor
    """[n], UNKNOWN where nobody said."""
    folds: Tensor
    """[n]."""


@dataclass(frozen=True)
class CropSamples:
    """Groups to learn from and portraits never learnt from."""

    groups: list[Group]
    held_back: list[Portrait]
    elsewhere: Mapping[str, Group] = field(default_factory=dict)
    """Other portraits never learnt from, by name, to look at apart."""

    def steps(self, batch: int) -> int:
        return max(1, sum(len(group.portraits) for group in self.groups) // batch)

    def batches(self, batch: int, seed: int) -> Iterator[Batch]:
        """Crops with a label; the unlabelled are for those who ask a teacher."""
        rng = np.random.default_rng(seed)
        known = [g for g in self.groups if any(p.label != UNKNOWN for p in g.portraits)]
        for _ in range(self.steps(batch)):
            drawn = draw(known, batch, rng)
            yield drawn.inputs, drawn.labels

    def held(self) -> Batch:
        crops = [plain_crop(portrait.photo, SIDE) for portrait in self.held_back]
        return as_input(crops), torch.tensor([portrait.label for portrait in self.held_back])


def draw(groups: list[Group], count: int, rng: Random) -> Drawn:
    """Crops as a worse detector and a worse camera give them; every group has its share."""
    reach = np.cumsum([group.share for group in groups])
    chosen = np.searchsorted(reach, (np.arange(count) + 0.5) / count * reach[-1])
    picked, crops = [], []
    for group in (groups[which] for which in chosen):
        portrait = group.portraits[int(rng.integers(len(group.portraits)))]
        picked.append(portrait)
        crops.append(random_crop(group.dress(portrait.photo, rng), SIDE, rng))
    labels, folds = ([getattr(p, name) for p in picked] for name in ("label", "fold"))
    return Drawn(as_input(crops), torch.tensor(labels), torch.tensor(folds))


def as_input(crops: list[Luma]) -> Tensor:
    """[n, 1, side, side], 0..1."""
    return torch.from_numpy(np.stack(crops)[:, None]).float() / 255
