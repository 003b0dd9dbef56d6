"""Faces with a teacher's embeddings: what `face-id` learns from."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from edge_runtime.compress.face_align import PLACES, similarity
from edge_runtime.compress.face_crops import PADDING
from edge_runtime.compress.face_sights import Sight, read_sights
from edge_runtime.compress.onnx_teacher import OnnxTeacher
from edge_runtime.compress.teacher import CACHE, read_colour

TEACHER = "teachers/face_embedding.onnx"
TEACHER_PX = 128
BATCH = 32
KEPT_NUMBERS = 128
"""Of the teacher's 256: the others carry nothing that tells people apart."""

Vectors = NDArray[np.float32]
"""[n, k], of length 1 each."""


@dataclass(frozen=True)
class KnownFaces:
    """Faces and what the teacher makes of them."""

    sights: Sequence[Sight]
    vectors: Vectors
    """[n, 128] in the teacher's strongest directions."""
    people: NDArray[np.int64]
    """[n]: a number for each person; who is not named is nobody else."""


@functools.cache
def read_known_faces(data: Path) -> KnownFaces:
    """Everybody there is to learn from, under a data folder with ``teachers/``."""
    sights = read_sights(data, "train")
    vectors = teacher_vectors(data, sights, CACHE / "train-embeddings.npy")
    named = np.array([bool(sight.person) for sight in sights])
    return KnownFaces(sights, unit(vectors @ strongest(vectors[named])), numbered(sights))


def strongest(vectors: Vectors) -> Vectors:
    """[256, 128]: the directions in which the vectors [n, 256] are longest (PCA about zero)."""
    rising = np.linalg.eigh(vectors.T @ vectors)[1]
    return np.asarray(rising[:, : -KEPT_NUMBERS - 1 : -1], np.float32)


def teacher_vectors(data: Path, sights: Sequence[Sight], kept: Path) -> Vectors:
    """[n, 256], computed once: a quarter of an hour for 20,000 faces."""
    if kept.exists():
        found: Vectors = np.load(kept)
        if len(found) == len(sights):
            return found
    found = np.concatenate(list(_taught(data, sights)))
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.save(kept, found)
    return found


def numbered(sights: Sequence[Sight]) -> NDArray[np.int64]:
    """[n]: equal for faces of the same named person, and for no others."""
    names = [sight.person or f"{number}" for number, sight in enumerate(sights)]
    return np.asarray(np.unique(names, return_inverse=True)[1], np.int64)


def unit(vectors: Vectors) -> Vectors:
    """The same directions, of length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def _taught(data: Path, sights: Sequence[Sight]) -> Iterator[Vectors]:
    teacher = OnnxTeacher(data / TEACHER)
    for start in range(0, len(sights), BATCH):
        some = sights[start : start + BATCH]
        crops = np.stack([_colour_crop(data, sight) for sight in some]).transpose(0, 3, 1, 2)
        said = teacher(torch.from_numpy(crops.astype(np.float32)))
        yield unit(said.flatten(1).numpy())


def _colour_crop(data: Path, sight: Sight) -> NDArray[np.uint8]:
    """[128, 128, 3] as the teacher takes it."""
    affine = similarity(sight.points, PLACES * TEACHER_PX)
    affine[:, 2] += affine[:, :2] @ (0.5, 0.5) - 0.5  # cv2 counts from the first pixel's centre
    crop = cv2.warpAffine(
        read_colour(data / sight.file),
        affine,
        (TEACHER_PX, TEACHER_PX),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(PADDING,) * 3,
    )
    return np.asarray(crop, np.uint8)
