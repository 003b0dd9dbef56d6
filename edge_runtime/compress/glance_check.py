"""Measures a face detector on what it was not trained on, be it a torch net or a .tflite."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime import imaging
from edge_runtime.attention.overlap import suppress
from edge_runtime.average_precision import Curve, Judged, large_enough, verdicts
from edge_runtime.compress.face_scenes import HEIGHT, WIDTH, Pools, Scene, draw_scene
from edge_runtime.compress.photos import Luma, Photo

Found = NDArray[np.float32]
Detector = Callable[[Luma], list[Found]]
"""Pictures [n, 120, 160] to each one's detections [k, 5], scores from 0.05, without doubles."""

HARD_SEED, HARD_SCENES = 20_000, 800
MOST_IOU = 0.45
"""Detections that overlap more are one face."""


class Exam(NamedTuple):
    """One validation set: pictures and truth, and what counts as a large and as a small face."""

    images: Luma
    truths: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
    long_sides: list[float]
    """Each picture's long side in canvas pixels; face sizes are judged relative to it."""


def photo_exam(photos: list[Photo]) -> Exam:
    """Whole photographs, letterboxed."""
    images, truths, sides = [], [], []
    for photo in photos:
        image, scale, offset = letterbox(photo.image)
        images.append(image)
        truths.append((_fitted(photo.faces, scale, offset), _fitted(photo.ignore, scale, offset)))
        sides.append(max(photo.image.shape) * scale)
    return Exam(np.stack(images), truths, sides)


def hard_exam(pools: Pools) -> Exam:
    """Scenes from validation pictures, fixed seed: small, dark, turned, hidden faces."""
    rng = np.random.default_rng(HARD_SEED)
    scenes: list[Scene] = [draw_scene(pools, rng) for _ in range(HARD_SCENES)]
    truths = [(scene.faces, scene.ignore) for scene in scenes]
    return Exam(np.stack([s.image for s in scenes]), truths, [float(WIDTH)] * len(scenes))


def score(exam: Exam, detect: Detector, least_part: float) -> Curve:
    """The curve for faces whose larger side is at least `least_part` of the picture's long side."""
    rows = zip(detect(exam.images), exam.truths, exam.long_sides, strict=True)
    return verdicts(
        large_enough(Judged(*map(cornered, (found, faces, ignore))), least_part * side)
        for found, (faces, ignore), side in rows
    ).curve()


def false_alarms(images: Luma, detect: Detector, threshold: float) -> int:
    """Detections on pictures [n, 120, 160] that show no face."""
    return sum(int((found[:, 4] >= threshold).sum()) for found in detect(images))


def letterbox(image: Luma) -> tuple[Luma, float, tuple[int, int]]:
    """A picture fitted into 160 x 120 with grey bars; the scale, and its top left corner."""
    height, width = image.shape
    canvas = np.empty((HEIGHT, WIDTH), np.uint8)
    fit = imaging.letterbox(image, (width, height), canvas, by_area=True)
    scale = min(WIDTH / width, HEIGHT / height)
    return canvas, scale, (int(fit.offset_x), int(fit.offset_y))


def detections(
    logits: NDArray[np.floating], boxes: NDArray[np.floating], lowest: float = 0.05
) -> list[Found]:
    """Logits [n, 400] and centre-size boxes [n, 400, 4] to each picture's detections [k, 5]."""
    scores = 1 / (1 + np.exp(-logits))
    rows = np.concatenate([boxes, scores[..., None]], -1).astype(np.float32)
    return [_without_doubles(row[row[:, 4] >= lowest]) for row in rows]


def cornered(boxes: Found) -> Found:
    """Boxes [k, 4 or more] from centre x, centre y, width, height to left, top, width, height."""
    corners = boxes.copy()
    corners[:, :2] -= boxes[:, 2:4] / 2
    return corners


def _without_doubles(found: Found) -> Found:
    return found[suppress(cornered(found)[:, :4], found[:, 4], MOST_IOU)]


def _fitted(
    boxes: NDArray[np.float32], scale: float, offset: tuple[int, int]
) -> NDArray[np.float32]:
    return (boxes * scale + np.array([*offset, 0, 0])).astype(np.float32)
