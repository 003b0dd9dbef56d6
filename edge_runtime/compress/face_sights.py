"""Faces with a teacher's five points: what `face-points` and `face-id` learn from."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.compress.lfw import MIDDLE_PX
from edge_runtime.compress.photos import Boxes, Photo, photo_of, read_luma, web_files
from edge_runtime.compress.teacher import CACHE, SURE_FACE, YunetTeacher, read_colour

Points = NDArray[np.float32]
"""[5, 2]: both eyes, the nose, both corners of the mouth, x and y; the picture's left first."""

SURE_POINTS = 0.75
"""The teacher's score from which on it is taken at its word."""
SMALLEST_PX = 36
"""The larger side of the smallest face to learn from."""
BARE = "without_mask"


@dataclass(frozen=True)
class Sight:
    """A face somewhere."""

    file: str
    """Under the data folder."""
    photo: Photo
    """Its one face is the one meant."""
    points: Points
    """In pixels of the photo."""
    person: str
    """Who it is; empty where nobody said."""


def read_sights(data: Path, split: str) -> list[Sight]:
    """LFW's portraits of a split, and for "train" whatever other faces there are."""
    found = list(lfw_sights(data, split))
    if split == "train":
        found += _all_sights(data, web_files(data, "train"), "web-points")
        found += _all_sights(data, _bare_files(data), "bare-points")
    return found


def lfw_sights(data: Path, split: str) -> Iterator[Sight]:
    """The middle face of every portrait in which the teacher is sure of one."""
    with (data / "faces" / f"lfw_{split}.csv").open(encoding="utf-8") as table:
        people = {f"faces/{row['file']}": row["person"] for row in csv.DictReader(table)}
    for file, (boxes, points) in _looked_at(data, people, f"lfw-{split}-points").items():
        sure = boxes[:, 4] >= SURE_FACE
        if sure.any():
            away = np.abs(boxes[:, :2] - MIDDLE_PX).sum(1) + np.where(sure, 0, np.inf)
            yield _sight(data, file, boxes, points, int(away.argmin()), people[file])


def _all_sights(data: Path, files: Iterable[str], cache: str) -> Iterator[Sight]:
    for file, (boxes, points) in _looked_at(data, files, cache).items():
        good = (boxes[:, 4] >= SURE_POINTS) & (boxes[:, 2:4].max(1, initial=0.0) >= SMALLEST_PX)
        for which in np.flatnonzero(good):
            yield _sight(data, file, boxes, points, int(which), "")


def _sight(data: Path, file: str, boxes: Boxes, points: Points, which: int, person: str) -> Sight:
    photo = photo_of(read_luma(data / file), boxes[which : which + 1, :4])
    return Sight(file, photo, points[which], person)


def _looked_at(data: Path, files: Iterable[str], cache: str) -> dict[str, tuple[Boxes, Points]]:
    """By file what the teacher sees there: computed once, kept as rows of 5 + 10 numbers."""
    kept = CACHE / f"{cache}.npz"
    if not kept.exists():
        teacher = YunetTeacher(data)
        seen = {file: teacher.find_points(read_colour(data / file)) for file in files}
        kept.parent.mkdir(parents=True, exist_ok=True)
        rows = {f: np.hstack([b, p.reshape(-1, 10)]) for f, (b, p) in seen.items()}
        with kept.open("wb") as out:
            np.savez_compressed(out, allow_pickle=False, **rows)
    with np.load(kept) as stored:
        return {f: (r[:, :5], r[:, 5:].reshape(-1, 5, 2)) for f in stored if len(r := stored[f])}


def _bare_files(data: Path) -> list[str]:
    """Faces without a mask: nobody sees the mouth under one, the teacher neither."""
    with (data / "faces" / "mask.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    return [f"faces/{row['file']}" for row in rows if row["label"] == BARE]
