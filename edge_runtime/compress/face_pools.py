"""Reads the data folder into pools of photographs, training and validation apart."""

from __future__ import annotations

import csv
import functools
import itertools
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.compress.face_scenes import Pools
from edge_runtime.compress.photos import (
    Boxes,
    Luma,
    Photo,
    pyramid,
    read_luma,
    read_plain_photos,
    read_web_photos,
)
from edge_runtime.compress.teacher import CACHE, SURE_FACE, YunetTeacher, label_all

SURE_PET = 0.88
"""The teacher's score from which on a pet picture perhaps shows its owner."""
CLIPS = ("classroom", "store-aisle-detection", "worker-zone-detection")
"""What cameras under a ceiling see: small faces, and people from above and from behind."""
CLIP_STEP, CLIP_LONG_SIDE_PX = 3, 960
"""Every third frame; the teacher looks at twice the clip's size."""
BACKS, BACKS_UNTIL, BACKS_STEP = "empty-room", 900, 6
"""Two men seen from behind, nobody's face; the third, from frame 900 on, is to be checked with."""


@functools.cache
def read_pools(data: Path, split: str) -> Pools:
    """The pools of `split` ("train" or "val"); they take most of a GiB, so they are read once."""
    mine = splitter(split)
    frames = _clip_photos(data) if split == "train" else []
    return Pools(
        web=read_web_photos(data, split) + [frame for frame in frames if len(frame.faces)],
        portraits=_taught(data, _rows(data, f"lfw_{split}.csv"), CACHE / f"lfw-{split}.npz"),
        masked=list(
            _taught(data, filter(mine, _rows(data, "mask.csv")), CACHE / f"mask-{split}.npz")
        ),
        empty=read_plain_photos(
            filter(lambda p: mine(p.name), _pictures(data / "negatives/scenes"))
        )
        + _pets(data, [n for n in _pet_names(data) if mine(n)], CACHE / f"pets-{split}.npz")
        + [frame for frame in frames if not len(frame.faces)]
        + (_backs(data) if split == "train" else []),
    )


def splitter(split: str) -> Callable[[str], bool]:
    """One name in ten is for validation, chosen by its checksum so that it never changes sides."""
    return lambda name: (zlib.crc32(name.encode()) % 10 == 0) == (split == "val")


def _taught(data: Path, names: filter[str] | list[str], cache: Path) -> list[Photo]:
    """Pictures with the teacher's boxes; those where it is sure of no face are left out."""
    labels = label_all(data, names, cache)
    return [
        _photo(data / name, boxes, SURE_FACE)
        for name, boxes in labels.items()
        if np.any(boxes[:, 4] >= SURE_FACE)
    ]


def _pets(data: Path, names: list[str], cache: Path) -> list[Photo]:
    """Pets have no faces here; where the teacher is very sure it may be their owner: look away."""
    nobody = np.zeros((0, 5), np.float32)
    labels = label_all(data, names, cache)
    return [
        _photo(data / name, boxes[boxes[:, 4] >= SURE_PET] if len(boxes) else nobody, 2.0)
        for name, boxes in labels.items()
    ]


def _clip_photos(data: Path) -> list[Photo]:
    teacher = YunetTeacher(data, long_side_px=CLIP_LONG_SIDE_PX)
    pictures = (each for name in CLIPS for each in clip_frames(data / "videos" / f"{name}.mp4"))
    return [_seen(grey(picture), teacher.find(picture), SURE_FACE) for picture in pictures]


def _backs(data: Path) -> list[Photo]:
    pictures = clip_frames(data / "videos" / f"{BACKS}.mp4", BACKS_STEP)
    nobody = np.zeros((0, 5), np.float32)
    chosen = itertools.islice(pictures, BACKS_UNTIL // BACKS_STEP)
    return [_seen(grey(picture), nobody, SURE_FACE) for picture in chosen]


def clip_frames(clip: Path, step: int = CLIP_STEP) -> Iterator[NDArray[np.uint8]]:
    """Every ``step``-th frame in colour. Raises FileNotFoundError."""
    capture = cv2.VideoCapture(str(clip))
    if not capture.isOpened():
        raise FileNotFoundError(f"not a readable clip: {clip}")
    while True:
        good, picture = capture.read()
        if not good:
            return
        yield np.asarray(picture, np.uint8)
        for _ in range(step - 1):
            capture.grab()


def grey(picture: NDArray[np.uint8]) -> Luma:
    """A picture in blue, green and red as luma."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _photo(path: Path, boxes: Boxes, sure: float) -> Photo:
    return _seen(read_luma(path), boxes, sure)


def _seen(image: Luma, boxes: Boxes, sure: float) -> Photo:
    """A picture whose boxes [n, 5] are faces from score `sure` on, below to be looked away from."""
    is_face = boxes[:, 4] >= sure
    return Photo(pyramid(image), boxes[is_face, :4], boxes[~is_face, :4])


def _rows(data: Path, name: str) -> list[str]:
    with (data / "faces" / name).open(encoding="utf-8") as table:
        return [f"faces/{row['file']}" for row in csv.DictReader(table)]


def _pet_names(data: Path) -> list[str]:
    return [f"negatives/pets/{path.name}" for path in _pictures(data / "negatives/pets")]


def _pictures(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jpg"))
