"""Smiling and neutral faces as a recipe's data: ``source = "…smile_samples:smile_samples"``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from edge_runtime.compress.face_crops import Portrait, plain_crop, random_crop, read_portraits
from edge_runtime.compress.photos import Luma
from edge_runtime.compress.samples import Batch
from edge_runtime.compress.smile_net import LABELS, SIDE

CACHE = Path("build/smile")
"""Where the teacher's boxes are kept: finding 10,000 faces takes minutes."""


@dataclass(frozen=True)
class PortraitSamples:
    """Crops drawn anew every epoch, both classes equally often; exact ones to be examined on."""

    learnt: list[Portrait]
    held_back: list[Portrait]

    def steps(self, batch: int) -> int:
        return max(1, len(self.learnt) // batch)

    def batches(self, batch: int, seed: int) -> Iterator[Batch]:
        rng = np.random.default_rng(seed)
        kinds = [[p for p in self.learnt if p.label == label] for label in range(len(LABELS))]
        for _ in range(self.steps(batch)):
            chosen = [kinds[i % len(kinds)] for i in range(batch)]
            picked = [kind[int(rng.integers(len(kind)))] for kind in chosen]
            yield _batch([random_crop(p, SIDE, rng) for p in picked], picked)

    def held(self) -> Batch:
        return _batch([plain_crop(p, SIDE) for p in self.held_back], self.held_back)


def smile_samples(data: Path) -> PortraitSamples:
    """The portraits under a data folder that has ``faces/`` and ``teachers/``."""
    cv2.setNumThreads(1)
    CACHE.mkdir(parents=True, exist_ok=True)
    return PortraitSamples(read_portraits(data, CACHE, "train"), read_portraits(data, CACHE, "val"))


def _batch(crops: list[Luma], portraits: list[Portrait]) -> Batch:
    inputs = torch.from_numpy(np.stack(crops)[:, None]).float() / 255
    return inputs, torch.tensor([p.label for p in portraits])
