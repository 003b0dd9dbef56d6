"""Scenes with faces as a recipe's data, the detector's loss and its measure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edge_runtime.compress.detection_loss import detection_loss
from edge_runtime.compress.face_pools import read_pools
from edge_runtime.compress.face_scenes import Syllabus
from edge_runtime.compress.glance_check import Exam, photo_exam
from edge_runtime.compress.glance_net import cells, decode, flatten_heads
from edge_runtime.compress.samples import Batch
from edge_runtime.compress.scene_stream import (
    MOST_FACES,
    MOST_IGNORED,
    Notice,
    SceneStream,
    padded,
    without_padding,
)

STEPS = 200
"""Batches that count as an epoch: scenes never repeat, so any number would do."""


class Truth(NamedTuple):
    """What a tensor of labels [n, 1 + 20 + 24, 4] says of n pictures."""

    long_sides: Tensor
    """[n]: each picture's long side in canvas pixels."""
    faces: Tensor
    """[n, 20, 4]: centre x, centre y, width, height in canvas pixels; rows of zeros are padding."""
    ignore: Tensor
    """[n, 24, 4], same form."""

    def as_labels(self) -> Tensor:
        """One tensor, as recipes hand labels on."""
        first = self.faces.new_zeros(len(self.faces), 1, 4)
        first[:, 0, 0] = self.long_sides
        return torch.cat([first, self.faces, self.ignore], 1)

    @classmethod
    def of(cls, labels: Tensor) -> Truth:
        """The reverse of ``as_labels``."""
        _, faces, ignore = labels.split([1, MOST_FACES, MOST_IGNORED], 1)
        return cls(labels[:, 0, 0], faces, ignore)


class GlanceSamples:
    """Scenes drawn anew for every batch; whole photographs to be examined on."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._held = held_batch(photo_exam(read_pools(data, "val").web))

    def steps(self, batch: int) -> int:
        """However large the batch."""
        del batch
        return STEPS

    def batches(self, batch: int, seed: int) -> Iterator[Batch]:
        """Images / 255 [batch, 1, 120, 160] and labels as in Truth."""
        pools = read_pools(self._data, "train")
        calm = Notice(len(pools.empty))
        calm.write(Syllabus(calm=1.0))  # what follows a training goes on where that ended
        stream = SceneStream(pools, seed, calm, batch)
        for images, faces, ignore in itertools.islice(stream, STEPS):
            sides = torch.full((len(images),), float(images.shape[-1]))
            yield images.float() / 255, Truth(sides, faces, ignore).as_labels()

    def held(self) -> Batch:
        """561 photographs of WebFaces, letterboxed."""
        return self._held


def glance_loss(inputs: Tensor, outputs: list[tuple[Tensor, Tensor]], labels: Tensor) -> Tensor:
    """The detector's loss in the form that stages take."""
    del inputs
    truth, places = Truth.of(labels), cells()
    logits, raw = flatten_heads(outputs)
    return detection_loss(
        logits,
        decode(raw, *places),
        places,
        without_padding(truth.faces),
        without_padding(truth.ignore),
    )


def held_batch(exam: Exam) -> Batch:
    """An exam as inputs and labels."""
    faces, ignore = (
        torch.from_numpy(np.stack([padded(truth[which], most) for truth in exam.truths]))
        for which, most in ((0, MOST_FACES), (1, MOST_IGNORED))
    )
    sides = torch.tensor(exam.long_sides)
    return torch.from_numpy(exam.images[:, None]).float() / 255, Truth(
        sides, faces, ignore
    ).as_labels()
