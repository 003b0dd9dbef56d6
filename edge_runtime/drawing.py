"""Marks on pictures: boxes with names, and a sentence over a faded picture. In place, nothing else.

Every mark is light on dark, so it reads on any picture. Sizes follow the picture's height.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import cv2

from edge_runtime.types import Bgr, Box, Face

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_LIGHT: Final = (255, 255, 255)
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
    """``#3 smile 93%``; with no classifier's word the detector's own score, ``#3 face 88%``."""
    best = [max(scores.items(), key=lambda item: item[1]) for scores in face.labels.values()]
    words = [f"{label} {share:.0%}" for label, share in best] or [f"face {face.score:.0%}"]
    return f"#{face.track} {', '.join(words)}"


def fade(bgr: Bgr, sentence: str) -> None:
    """Turn the picture grey and dim, with ``sentence`` across its middle: it is not live."""
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    cv2.cvtColor(cv2.convertScaleAbs(grey, alpha=0.45, beta=40), cv2.COLOR_GRAY2BGR, dst=bgr)
    size = _text_size(bgr)
    (width, height), _ = cv2.getTextSize(sentence, _FONT, size, 1)
    size *= min(1.0, 0.92 * bgr.shape[1] / max(1, width))
    (width, height), _ = cv2.getTextSize(sentence, _FONT, size, 1)
    _write(bgr, sentence, (bgr.shape[1] - width) // 2, (bgr.shape[0] + height) // 2, size)


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
    size = _text_size(bgr)
    (width, height), below = cv2.getTextSize(text, _FONT, size, 1)
    pad = max(3, height // 3)
    tall = height + below + pad
    # Above the box; below it where there is no room; never over the picture's right edge.
    y = top - tall if top >= tall else min(bottom, bgr.shape[0] - tall)
    x = max(0, min(left, bgr.shape[1] - width - 2 * pad))
    cv2.rectangle(bgr, (x, y), (x + width + 2 * pad, y + tall), _DARK, cv2.FILLED)
    _write(bgr, text, x + pad, y + height + pad // 2, size)


def _write(bgr: Bgr, text: str, x: int, y: int, size: float) -> None:
    cv2.putText(bgr, text, (x, y), _FONT, size, _LIGHT, 1, cv2.LINE_AA)


def _text_size(bgr: Bgr) -> float:
    """OpenCV's font scale: text of about a thirtieth of the picture's height, never below 10 px."""
    return max(0.42, float(bgr.shape[0]) / 900)
