"""Pictures with as many faces as asked for, at any size, held or moving slowly."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from edge_runtime.types import Bgr, Box

Size = tuple[int, int]

COLUMNS, ROWS = 10, 5
"""Places in a picture: fifty."""
ASPECT: Final = 1.5
"""A portrait's height over its width: fifty fill a picture, as in the gallery of a video call."""
LESS: Final = 18
"""Pixels taken off a portrait's left and right: what is left is a head."""
SENSOR_NOISE: Final = 2.5
"""Standard deviation, grey levels: a small sensor indoors."""
CIRCLE: Final = 0.003
"""Radius of a face's slow circle, of the picture's width: it moves, and is easily followed."""


def portraits(data: Path, count: int) -> list[Bgr]:
    """Different people from ``faces/lfw_val.csv``, the first ``count`` of them."""
    with (data / "faces" / "lfw_val.csv").open() as lines:
        rows = {row["person"]: row["file"] for row in csv.DictReader(lines)}
    files = sorted(rows.values())[:count]
    if len(files) < count:
        raise SystemExit(f"faces/lfw_val.csv shows {len(files)} people, {count} are needed")
    return [_head(data / "faces" / file) for file in files]


def _head(file: Path) -> Bgr:
    picture = cv2.imread(str(file))
    if picture is None:
        raise SystemExit(f"{file} cannot be read as a picture")
    return np.asarray(picture[:, LESS:-LESS], np.uint8)


def places(count: int, size: Size, share: float) -> list[Box]:
    """Where the heads are, the middle first; ``share`` is a portrait's width of the picture's."""
    width, height = size
    cells = [(column, row) for row in range(ROWS) for column in range(COLUMNS)]
    middle = (COLUMNS - 1) / 2, (ROWS - 1) / 2
    cells.sort(key=lambda cell: (cell[0] - middle[0]) ** 2 + (cell[1] - middle[1]) ** 2)
    w, h = share * width, ASPECT * share * width
    return [
        Box(
            (column + 0.5) * width / COLUMNS - w / 2,
            (row + 0.5) * height / ROWS - h / 2,
            w,
            h,
        )
        for column, row in cells[:count]
    ]


def crowd(heads: list[Bgr], boxes: list[Box], size: Size, frames: int) -> list[Bgr]:
    """One round of a slow circle, after which the first frame may come again."""
    ground, noise = background(size), _noise(size)
    shown = []
    for index in range(frames):
        picture = ground.copy()
        for number, (head, box) in enumerate(zip(heads, boxes, strict=False)):
            angle = 2 * np.pi * (index / frames + number / 7)
            reach = CIRCLE * size[0]
            place = box._replace(x=box.x + reach * np.cos(angle), y=box.y + reach * np.sin(angle))
            paste(picture, head, place)
        shown.append(noisy(picture, noise, index))
    return shown


def stirred(size: Size, frames: int) -> list[Bgr]:
    """Nobody, but a grey thing circles: reason enough to look."""
    ground, noise = background(size), _noise(size)
    shown = []
    for index in range(frames):
        picture = ground.copy()
        angle = 2 * np.pi * index / frames
        x = round(size[0] * (0.5 + 0.3 * np.cos(angle)))
        y = round(size[1] * (0.5 + 0.3 * np.sin(angle)))
        cv2.circle(picture, (x, y), size[0] // 10, (60, 60, 60), -1)
        shown.append(noisy(picture, noise, index))
    return shown


def background(size: Size) -> Bgr:
    """A wall, lighter on top."""
    shades = np.linspace(170, 90, size[1], dtype=np.float32)[:, None, None]
    return np.broadcast_to(shades, (size[1], size[0], 3)).astype(np.uint8)


def paste(picture: Bgr, head: Bgr, place: Box) -> None:
    """Put a portrait into the picture, in place."""
    left, top, w, h = map(round, place)
    way = cv2.INTER_AREA if w < head.shape[1] else cv2.INTER_LINEAR
    picture[top : top + h, left : left + w] = cv2.resize(head, (w, h), interpolation=way)


def _noise(size: Size) -> npt.NDArray[np.int16]:
    """One field, larger than the picture: each frame sees another part of it."""
    field = np.random.default_rng(7).normal(0, SENSOR_NOISE, (size[1] + 64, size[0] + 64, 1))
    return field.astype(np.int16)


def noisy(picture: Bgr, noise: npt.NDArray[np.int16], index: int) -> Bgr:
    down, across = (index * 37) % 64, (index * 23) % 64
    part = noise[down : down + picture.shape[0], across : across + picture.shape[1]]
    return np.asarray(np.clip(picture + part, 0, 255), np.uint8)
