"""Marks on pictures: boxes with names, and a sentence over a faded picture. In place, nothing else.

Every mark is light on dark, so it reads on any picture. Sizes follow the picture's height.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from edge_runtime.types import Bgr, Box, Face

Letters = npt.NDArray[np.uint8]
"""Brightness of written words, (height, width)."""

# Drawn by scripts/draw-letters, because OpenCV 5 unpacks 9 MB of fonts at the first putText.
_LETTERS: Final = Path(__file__).with_name("letters.png")
_FIRST, _UNKNOWN = " ", "?"
_CELL_WIDTH: Final = 26
_GAP: Final = 2
"""Between two letters of the file, pixels."""
_BLANK: Final = 4
_DARK: Final = (32, 24, 16)
# Colours of tracks, BGR: neighbours differ in hue, all are bright.
_TRACKS: Final = (
    (196, 212, 45),
    (80, 190, 255),
    (214, 140, 255),
    (120, 230, 130),
    (255, 180, 90),
    (140, 140, 255),
)


def draw_faces(bgr: Bgr, faces: Iterable[Face], scale: float = 1.0) -> None:
    """Draw each face's box, track number and best label of each classifier.

    ``scale``: pixels of ``bgr`` per pixel of the full picture, in which the boxes are given.
    """
    for face in faces:
        _draw_face(bgr, face, scale)


def caption(face: Face) -> str:
    """``#3 smile 93%``; with no classifier's word the detector's own score, ``#3 face 88%``.

    Whoever was recognized is called by name: ``#3 Ann, smile 93%``.
    """
    best = [max(scores.items(), key=lambda item: item[1]) for scores in face.labels.values()]
    words = [f"{label} {share:.0%}" for label, share in best] or [f"face {face.score:.0%}"]
    if face.identity is not None and face.identity.verdict != "unsure":
        words = [face.identity.name or "unknown", *(words if best else [])]
    return f"#{face.track} {', '.join(words)}"


def fade(bgr: Bgr, sentence: str) -> None:
    """Turn the picture grey and dim, with ``sentence`` across its middle: it is not live."""
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    cv2.cvtColor(cv2.convertScaleAbs(grey, alpha=0.45, beta=40), cv2.COLOR_GRAY2BGR, dst=bgr)
    words = _written(sentence, _text_height(bgr))
    height, width = words.shape
    shrink = min(1.0, 0.92 * bgr.shape[1] / width)
    words = _written(sentence, max(1, round(height * shrink)))
    height, width = words.shape
    _write(bgr, words, (bgr.shape[1] - width) // 2, (bgr.shape[0] - height) // 2)


def _draw_face(bgr: Bgr, face: Face, scale: float) -> None:
    box = Box(*(side * scale for side in face.box)).clipped(bgr.shape[1], bgr.shape[0])
    if box.area <= 0:
        return
    left, top, right, bottom = (round(side) for side in (box.x, box.y, box.right, box.bottom))
    line = max(1, round(bgr.shape[0] / 240))
    colour = _TRACKS[face.track % len(_TRACKS)]
    cv2.rectangle(bgr, (left, top), (right, bottom), _DARK, line + 2, cv2.LINE_AA)
    cv2.rectangle(bgr, (left, top), (right, bottom), colour, line, cv2.LINE_AA)
    _draw_caption(bgr, caption(face), left, top, bottom)


def _draw_caption(bgr: Bgr, text: str, left: int, top: int, bottom: int) -> None:
    words = _written(text, _text_height(bgr))
    height, width = words.shape
    pad = max(2, height // 8)
    # Above the box; below it where there is no room; never over the picture's right edge.
    y = top - height if top >= height else min(bottom, bgr.shape[0] - height)
    x = max(0, min(left, bgr.shape[1] - width - 2 * pad))
    cv2.rectangle(bgr, (x, y), (x + width + 2 * pad, y + height), _DARK, cv2.FILLED)
    _write(bgr, words, x + pad, y)


def _write(bgr: Bgr, words: Letters, x: int, y: int) -> None:
    """Lighten ``bgr`` where ``words`` are; what reaches over its edges is left out."""
    words = words[max(0, -y) :, max(0, -x) :]
    under = bgr[max(0, y) :, max(0, x) :][: words.shape[0], : words.shape[1]]
    np.maximum(under, words[: under.shape[0], : under.shape[1], None], out=under)


def _written(text: str, height: int) -> Letters:
    """``text`` in one line of ``height`` pixels, room above and below included."""
    letters = _letters()
    blank = np.zeros((letters[_UNKNOWN].shape[0], _GAP), np.uint8)
    parts = [part for each in text for part in (letters.get(each, letters[_UNKNOWN]), blank)]
    line = np.hstack(parts[:-1] or [blank])
    size = max(1, round(line.shape[1] * height / line.shape[0])), height
    how = cv2.INTER_AREA if height < line.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(line, size, interpolation=how), np.uint8)


@cache
def _letters() -> dict[str, Letters]:
    """Every letter of the file, cut to its own width: 40 kB."""
    strip = np.asarray(cv2.imread(str(_LETTERS), cv2.IMREAD_GRAYSCALE), np.uint8)
    cells = np.split(strip, strip.shape[1] // _CELL_WIDTH, axis=1)
    return {chr(ord(_FIRST) + number): _trimmed(cell) for number, cell in enumerate(cells)}


def _trimmed(cell: Letters) -> Letters:
    inked = np.flatnonzero(cell.any(axis=0))
    return cell[:, inked[0] : inked[-1] + 1] if inked.size else cell[:, :_BLANK]


def _text_height(bgr: Bgr) -> int:
    """A line of about a 23rd of the picture's height, never below 16 px: capitals of 10."""
    height = int(bgr.shape[0])
    return max(16, round(height / 23))
