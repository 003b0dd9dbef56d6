"""Photographs with face boxes, held in memory as small grey pyramids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Boxes = NDArray[np.float32]

SMALLEST_LEVEL_PX = 12


@dataclass(frozen=True)
class Photo:
    """One picture and what is known about it."""

    levels: tuple[Luma, ...]
    """The picture, then halves of it (area-averaged, so a strong reduction does not alias)."""
    faces: Boxes
    """[n, 4]: centre x, centre y, width, height in pixels of `levels[0]`."""
    ignore: Boxes
    """[m, 4], same form: perhaps a face; neither reward nor punish a detection there."""

    @property
    def image(self) -> Luma:
        """The picture at its own size, [height, width]."""
        return self.levels[0]


def centred(boxes: Iterable[Iterable[float]]) -> Boxes:
    """Boxes given as left, top, width, height turned into centre x, centre y, width, height."""
    array = np.array(list(boxes), np.float32).reshape(-1, 4)
    array[:, :2] += array[:, 2:] / 2
    return array


def pyramid(image: Luma) -> tuple[Luma, ...]:
    """The picture and its halves down to about 12 px."""
    levels = [image]
    while min(levels[-1].shape) >= 2 * SMALLEST_LEVEL_PX:
        height, width = levels[-1].shape
        half = ((width + 1) // 2, (height + 1) // 2)
        smaller = cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(smaller, np.uint8))
    return tuple(levels)


def photo_of(image: Luma, faces: Boxes) -> Photo:
    """A picture with its faces [n, 4], nothing in it to be looked away from."""
    return Photo(pyramid(image), faces, np.zeros((0, 4), np.float32))


def read_luma(path: Path) -> Luma:
    """A picture file as grey bytes; raises FileNotFoundError rather than handing on None."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(f"not a readable picture: {path}")
    return np.asarray(image, np.uint8)


def read_web_photos(data: Path, split: str) -> list[Photo]:
    """The labelled photographs of `webfaces/<split>.jsonl` under the data folder."""
    return [
        _web_photo(data / "webfaces", row)
        for row in _json_lines(data / "webfaces" / f"{split}.jsonl")
    ]


def web_files(data: Path, split: str) -> list[str]:
    """The files of `webfaces/<split>.jsonl`, as paths under the data folder."""
    rows = _json_lines(data / "webfaces" / f"{split}.jsonl")
    return [f"webfaces/{row['file']}" for row in rows]


def read_plain_photos(paths: Iterable[Path]) -> list[Photo]:
    """Pictures without any face."""
    nothing = np.zeros((0, 4), np.float32)
    return [photo_of(read_luma(path), nothing) for path in paths]


def _web_photo(folder: Path, row: dict[str, list[list[float]]]) -> Photo:
    image = read_luma(folder / str(row["file"]))
    return Photo(pyramid(image), centred(row["faces"]), centred(row["ignore"]))


def _json_lines(path: Path) -> Iterator[dict[str, list[list[float]]]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
