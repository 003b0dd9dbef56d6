"""Average precision of a detector: the area under its precision-recall curve.

Boxes are left, top, width, height. A detection is right when it overlaps an unclaimed face with
IoU >= 0.5 (Pascal VOC); detections on ignored boxes are neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime.attention.overlap import Boxes, Scores, iou_matrix, shared_areas

Found = npt.NDArray[np.float32]
"""[k, 5]: boxes and their scores."""

Shares = npt.NDArray[np.float64]
"""[k]: 0 to 1."""

LEAST_IOU = 0.5


class Judged(NamedTuple):
    """One picture's detections next to its truth."""

    found: Found
    faces: Boxes
    """[n, 4]: what should be found."""
    ignore: Boxes
    """[m, 4]: what may be found or not."""


class Curve(NamedTuple):
    """Precision and recall at every score, highest score first."""

    scores: Scores
    precision: Shares
    recall: Shares

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

    def threshold_for(self, precision: float) -> float | None:
        """The lowest score from which on so much of what is found is right; None: there is none."""
        # Equal scores pass a threshold together.
        last_of_equals = np.diff(self.scores, append=-np.inf) < 0
        good = np.flatnonzero(last_of_equals & (self.precision >= precision))
        return float(self.scores[good[-1]]) if good.size else None


class Verdicts(NamedTuple):
    """What became of the detections of all pictures, highest score first."""

    scores: Scores
    right: npt.NDArray[np.bool_]
    """[k]: on a face, or a false alarm."""
    pictures: npt.NDArray[np.intp]
    """[k]: the number of the picture it was made on."""
    faces: npt.NDArray[np.intp]
    """[pictures]: how many there are to be found."""

    def curve(self, times: npt.NDArray[np.integer] | None = None) -> Curve:
        """All pictures pooled, each counted so many ``times`` [pictures]; once when not given."""
        times = np.ones_like(self.faces) if times is None else times
        weights = times[self.pictures]
        counted, right = np.cumsum(weights), np.cumsum(weights * self.right)
        precision = np.divide(right, counted, out=np.ones(len(right)), where=counted > 0)
        return Curve(self.scores, precision, right / max(int(times @ self.faces), 1))

    def resampled(self, times: int, seed: int) -> Iterator[Curve]:
        """Curves of so many bootstrap samples: as many pictures, drawn with putting back."""
        pictures = len(self.faces)
        rng = np.random.default_rng(seed)
        for drawn in rng.multinomial(pictures, np.full(pictures, 1 / pictures), times):
            yield self.curve(drawn)


def verdicts(pictures: Iterable[Judged]) -> Verdicts:
    """Judge the detections of every picture."""
    scores, right = [np.empty(0, np.float32)], [np.empty(0, np.int8)]
    origin: list[int] = []
    faces: list[int] = []
    for picture in pictures:
        verdict = judge(picture)
        counted = verdict >= 0
        scores.append(picture.found[counted, 4])
        right.append(verdict[counted])
        origin += [len(faces)] * int(counted.sum())
        faces.append(len(picture.faces))
    score = np.concatenate(scores)
    order = np.argsort(-score, kind="stable")
    return Verdicts(
        score[order],
        np.concatenate(right)[order] > 0,
        np.array(origin, np.intp)[order],
        np.array(faces, np.intp),
    )


def judge(picture: Judged) -> npt.NDArray[np.int8]:
    """Each detection right (1), a false alarm (0) or not counted (-1); the best chooses first."""
    verdict = np.zeros(len(picture.found), np.int8)
    overlap = iou_matrix(picture.found[:, :4], picture.faces)
    for index in np.argsort(-picture.found[:, 4], kind="stable"):
        face = int(overlap[index].argmax()) if overlap.shape[1] else -1
        if face >= 0 and overlap[index, face] >= LEAST_IOU:
            verdict[index] = 1
            overlap[:, face] = 0.0
        elif _on_ignored(picture.found[index, :4], picture.ignore):
            verdict[index] = -1
    return verdict


def large_enough(picture: Judged, least: float) -> Judged:
    """The picture with faces below ``least`` (larger side, in box units) moved to ``ignore``."""
    large = picture.faces[:, 2:4].max(1, initial=0.0) >= least
    return Judged(
        picture.found, picture.faces[large], np.concatenate([picture.ignore, picture.faces[~large]])
    )


def _on_ignored(box: Boxes, ignore: Boxes) -> bool:
    """At least half of the detection [4], or IoU 0.5, lies on one ignored box."""
    inside = shared_areas(box[None], ignore) / max(box[2] * box[3], 1e-9)
    overlap = np.maximum(inside, iou_matrix(box[None], ignore))
    return bool(overlap.max(initial=0.0) >= LEAST_IOU)
