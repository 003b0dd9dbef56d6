"""Average precision of a detector: the area under its precision-recall curve. Plain numpy.

All boxes are centre x, centre y, width, height. A detection is right when it overlaps an unclaimed
face with IoU >= 0.5 (Pascal VOC); detections on ignored boxes are neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


class Judged(NamedTuple):
    """One picture's detections next to its truth."""

    found: Floats
    """[k, 5]: box and score."""
    faces: Floats
    """[n, 4]: what should be found."""
    ignore: Floats
    """[m, 4]: what may be found or not."""


class Curve(NamedTuple):
    """Precision and recall at every score, highest score first."""

    scores: Floats
    precision: Floats
    recall: Floats

    @property
    def area(self) -> float:
        """Average precision: precision made monotone, all points, no interpolation grid."""
        best = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float(np.sum(best * np.diff(self.recall, prepend=0.0)))

    def at(self, threshold: float) -> tuple[float, float]:
        """Precision and recall when only scores >= threshold count; (1, 0) when there are none."""
        count = int((self.scores >= threshold).sum())
        return (
            (float(self.precision[count - 1]), float(self.recall[count - 1]))
            if count
            else (1.0, 0.0)
        )


def curve(pictures: Iterable[Judged], least_iou: float = 0.5) -> Curve:
    """Judge all pictures and pool their detections."""
    scores, right, faces = [], [], 0
    for picture in pictures:
        verdict = judge(picture, least_iou)
        counted = verdict >= 0
        scores.append(picture.found[counted, 4])
        right.append(verdict[counted])
        faces += len(picture.faces)
    score, hit = np.concatenate([[], *scores]), np.concatenate([[], *right])
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(hit[order])
    return Curve(score[order], hits / np.arange(1, len(hits) + 1), hits / max(faces, 1))


def judge(picture: Judged, least_iou: float = 0.5) -> NDArray[np.int8]:
    """Each detection right (1), a false alarm (0) or not counted (-1); the best chooses first."""
    verdict = np.zeros(len(picture.found), np.int8)
    overlap = iou_matrix(picture.found, picture.faces)
    for index in np.argsort(-picture.found[:, 4], kind="stable"):
        face = int(overlap[index].argmax()) if overlap.shape[1] else -1
        if face >= 0 and overlap[index, face] >= least_iou:
            verdict[index] = 1
            overlap[:, face] = 0.0
        elif _on_ignored(picture.found[index], picture.ignore):
            verdict[index] = -1
    return verdict


def iou_matrix(a: Floats, b: Floats) -> Floats:
    """[len(a), len(b)] intersection over union."""
    common = _common(a, b)
    return common / np.maximum(_areas(a)[:, None] + _areas(b)[None] - common, 1e-9)


def large_enough(picture: Judged, least: float) -> Judged:
    """The picture with faces less than `least` (larger side, in box units) moved to `ignore`."""
    large = picture.faces[:, 2:4].max(1, initial=0.0) >= least
    return Judged(
        picture.found, picture.faces[large], np.concatenate([picture.ignore, picture.faces[~large]])
    )


def without_doubles(found: Floats, most_iou: float = 0.45) -> Floats:
    """Greedy suppression: of detections [k, 5] overlapping over `most_iou` the best stays."""
    found = found[np.argsort(-found[:, 4], kind="stable")]
    overlap = iou_matrix(found, found)
    keep: list[int] = []
    for index in range(len(found)):
        if not keep or overlap[index, keep].max() <= most_iou:
            keep.append(index)
    return found[keep]


def _on_ignored(box: Floats, ignore: Floats) -> bool:
    """At least half of the detection, or IoU 0.5, lies on one ignored box."""
    if not len(ignore):
        return False
    inside = _common(box[None], ignore)[0] / max(box[2] * box[3], 1e-9)
    return bool(max(inside.max(), iou_matrix(box[None], ignore).max()) >= 0.5)


def _common(a: Floats, b: Floats) -> Floats:
    low = np.maximum(a[:, None, :2] - a[:, None, 2:4] / 2, b[None, :, :2] - b[None, :, 2:4] / 2)
    high = np.minimum(a[:, None, :2] + a[:, None, 2:4] / 2, b[None, :, :2] + b[None, :, 2:4] / 2)
    result: Floats = np.clip(high - low, 0, None).prod(-1)
    return result


def _areas(boxes: Floats) -> Floats:
    result: Floats = boxes[:, 2] * boxes[:, 3]
    return result
