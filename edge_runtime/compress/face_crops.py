"""Training crops for face classifiers: squares as the runtime will cut them, and worse."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.compress.distortion import Random, blur, darken, grain, recompress, relight, shade
from edge_runtime.compress.photos import Boxes, Luma, Photo, pyramid, read_luma
from edge_runtime.compress.placement import Placement, warp
from edge_runtime.compress.teacher import label_all

MARGIN = 0.2
"""Share of the box's larger side added around it in all; part of the model's contract."""
CLASSES = {"neutral": 0, "happiness": 1}
PADDING = 114
SPOILERS = (
    (0.2, shade),
    (0.12, blur),
    (0.7, relight),
    (0.03, darken),
    (0.2, grain),
    (0.12, recompress),
)
"""How often each happens: a crop has few pixels, and a smile is in few of them."""


@dataclass(frozen=True)
class Portrait:
    """A labelled face."""

    photo: Photo
    """Its one face is the one to classify."""
    label: int


def read_portraits(data: Path, work: Path, split: str) -> list[Portrait]:
    """LFW portraits labelled neutral or happy; nobody is in both splits."""
    labels = label_all(data, _names(data, split), work / f"teacher-lfw-{split}.npz")
    found: list[Portrait] = []
    for name, label in _labelled(data, split):
        box = _middle_face(labels[name])
        if box is not None:
            photo = Photo(pyramid(read_luma(data / name)), box, np.zeros((0, 4), np.float32))
            found.append(Portrait(photo, label))
    return found


def plain_crop(portrait: Portrait, side: int) -> Luma:
    """The crop exactly as the contract says."""
    return _cut(portrait, side, (0.0, 0.0), 1.0, 0.0, 1)


def random_crop(portrait: Portrait, side: int, rng: Random) -> Luma:
    """A crop as a worse detector, a worse camera and a moving head would give it."""
    shift = (rng.uniform(-0.08, 0.08), rng.uniform(-0.08, 0.08))
    angle = rng.normal(0, np.radians(7))
    # A far face has few pixels: cut it small, then enlarge.
    taken = side if rng.random() < 0.65 else int(rng.integers(20, side))
    grow = float(np.exp(rng.uniform(-0.12, 0.12)))
    crop = _cut(portrait, taken, shift, grow, float(angle), 1 if rng.random() < 0.5 else -1)
    if taken != side:
        crop = np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    return _spoil(crop, rng)


def _cut(
    portrait: Portrait, side: int, shift: tuple[float, float], grow: float, angle: float, flip: int
) -> Luma:
    x, y, w, h = (float(v) for v in portrait.photo.faces[0])
    size = max(w, h) * (1 + MARGIN) * grow
    pivot = (x + shift[0] * max(w, h), y + shift[1] * max(w, h))
    place = Placement(pivot, (side / 2, side / 2), (flip * side / size, side / size), angle)
    return warp(portrait.photo, place.affine, (side, side), PADDING)


def _spoil(crop: Luma, rng: Random) -> Luma:
    for chance, change in SPOILERS:
        if rng.random() < chance:
            crop = change(crop, rng)
    if rng.random() < 0.15:
        crop = crop.copy()
        size, left, top = rng.integers(6, 16, 2), *rng.integers(0, crop.shape[0] - 6, 2)
        crop[top : top + size[0], left : left + size[1]] = rng.integers(0, 256)
    return crop


def _middle_face(boxes: Boxes) -> Boxes | None:
    """[1, 4]: the sure face nearest to the middle of a 112 px portrait."""
    sure = boxes[boxes[:, 4] >= 0.5]
    if not len(sure):
        return None
    return sure[np.abs(sure[:, :2] - 56).sum(1).argmin()][None, :4]


def _names(data: Path, split: str) -> list[str]:
    return [name for name, _ in _rows(data, split)]


def _labelled(data: Path, split: str) -> list[tuple[str, int]]:
    return [(name, CLASSES[label]) for name, label in _rows(data, split) if label in CLASSES]


def _rows(data: Path, split: str) -> list[tuple[str, str]]:
    with (data / "faces" / f"lfw_{split}.csv").open(encoding="utf-8") as table:
        return [(f"faces/{row['file']}", row["expression"]) for row in csv.DictReader(table)]
