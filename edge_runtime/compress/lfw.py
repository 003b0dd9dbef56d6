"""LFW's portraits with the teacher's boxes; nobody is in both splits."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.compress.photos import Boxes, Photo, photo_of, read_luma
from edge_runtime.compress.teacher import CACHE, SURE_FACE, label_all

MIDDLE_PX = 56


@dataclass(frozen=True)
class LfwFace:
    """A portrait and what its table says."""

    photo: Photo
    """112 px; its one face is the one in the middle."""
    person: str
    expression: str
    """Empty where nobody said."""


def read_lfw(data: Path, split: str) -> Iterator[LfwFace]:
    """Every portrait of `split` ("train" or "val") in which the teacher is sure of a face."""
    with (data / "faces" / f"lfw_{split}.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    names = [f"faces/{row['file']}" for row in rows]
    labels = label_all(data, names, CACHE / f"lfw-{split}.npz")
    for name, row in zip(names, rows, strict=True):
        box = _middle_face(labels[name])
        if box is not None:
            photo = photo_of(read_luma(data / name), box)
            yield LfwFace(photo, row["person"], row["expression"])


def _middle_face(boxes: Boxes) -> Boxes | None:
    """[1, 4]: the sure face nearest to the middle."""
    sure = boxes[boxes[:, 4] >= SURE_FACE]
    if not len(sure):
        return None
    return sure[abs(sure[:, :2] - MIDDLE_PX).sum(1).argmin()][None, :4]
