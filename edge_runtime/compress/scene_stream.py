"""Batches of training scenes without end, drawn beside the training in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from edge_runtime.compress.face_scenes import Pools, Scene, Syllabus, compose, mirror, spoil
from edge_runtime.compress.photos import Boxes

BATCH = 32
KEPT_SCENES = 480
MOST_FACES, MOST_IGNORED = 20, 24


class Notice:
    """What the trainer tells the processes that draw scenes, through memory they share."""

    def __init__(self, empty: int) -> None:
        self._memory = torch.ones(1 + empty).share_memory_().numpy()
        self._memory[0] = 0

    def write(self, syllabus: Syllabus) -> None:
        """Put up another syllabus; one being read may be half old, which does no harm."""
        self._memory[0] = syllabus.calm
        if syllabus.difficulty is not None:
            self._memory[1:] = syllabus.difficulty

    def read(self) -> Syllabus:
        """The latest syllabus."""
        return Syllabus(float(self._memory[0]), self._memory[1:])


class SceneStream(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """Endless batches: images uint8 [b, 1, 120, 160], faces [b, 20, 4], ignore [b, 24, 4]."""

    def __init__(
        self, pools: Pools, seed: int, notice: Notice | None = None, batch: int = BATCH
    ) -> None:
        self._pools, self._seed, self._batch = pools, seed, batch
        self._notice = notice or Notice(len(pools.empty))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        cv2.setNumThreads(1)
        worker = get_worker_info()
        rng = np.random.default_rng((self._seed, worker.id if worker else 0))
        kept: list[Scene] = []
        while True:
            syllabus = self._notice.read()
            # Composing costs most: every scene is shown once more, mirrored and spoilt otherwise.
            half = (self._batch + 1) // 2
            fresh = [compose(self._pools, rng, syllabus) for _ in range(half)]
            kept += fresh
            rng.shuffle(kept)
            full = len(kept) >= KEPT_SCENES
            again = [mirror(scene) for scene in kept[:half]] if full else fresh
            kept = kept[half:] if full else kept
            scenes = (fresh + again)[: self._batch]
            yield batch_of([spoil(scene, rng, syllabus) for scene in scenes])


def batch_of(scenes: list[Scene]) -> tuple[Tensor, Tensor, Tensor]:
    """Scenes as tensors, boxes padded with zeros."""
    images = torch.from_numpy(np.stack([s.image for s in scenes])[:, None])
    faces = torch.from_numpy(np.stack([padded(s.faces, MOST_FACES) for s in scenes]))
    return (
        images,
        faces,
        torch.from_numpy(np.stack([padded(s.ignore, MOST_IGNORED) for s in scenes])),
    )


def without_padding(boxes: Tensor) -> Tensor:
    """Boxes [n, k, 4] without the last places that no picture of the batch uses; one stays."""
    return boxes[:, : max(1, int((boxes[..., 2] > 0).sum(1).max()))]


def padded(boxes: Boxes, rows: int) -> NDArray[np.float32]:
    """Boxes [n, 4] as [rows, 4], zeros behind."""
    out = np.zeros((rows, 4), np.float32)
    # Largest first: should there ever be more, the smallest are dropped.
    kept = boxes[np.argsort(-boxes[:, 2] * boxes[:, 3])][:rows]
    out[: len(kept)] = kept
    return out
