"""Overlap of many boxes at once: the arithmetic that suppression and tracking share."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from edge_runtime.types import Box

Boxes = npt.NDArray[np.float32]
"""Shape (n, 4): left, top, width, height."""

Scores = npt.NDArray[np.float32]
"""Shape (n,): 0 to 1."""

FEW: Final = 16
"""Up to so many boxes are compared one by one: that takes 17 us for the ten of one face and numpy,
which costs by the call, 35 (one core of an EPYC).
"""


def iou_matrix(one: Boxes, other: Boxes) -> npt.NDArray[np.float32]:
    """Intersection over union of each box in ``one`` (n) with each in ``other`` (m): (n, m)."""
    shared = shared_areas(one, other)
    areas = (one[:, 2] * one[:, 3])[:, None] + (other[:, 2] * other[:, 3])[None]
    return np.asarray(shared / np.maximum(areas - shared, 1e-9), np.float32)


def shared_areas(one: Boxes, other: Boxes) -> npt.NDArray[np.float32]:
    """What each box in ``one`` (n) has in common with each in ``other`` (m): (n, m)."""
    return _shared(one, other, 0) * _shared(one, other, 1)


def _shared(one: Boxes, other: Boxes, axis: int) -> npt.NDArray[np.float32]:
    """What they have in common along one axis. Both axes in one array take twice as long."""
    start, end = one[:, axis], one[:, axis] + one[:, axis + 2]
    other_start, other_end = other[:, axis], other[:, axis] + other[:, axis + 2]
    shared = np.minimum.outer(end, other_end)
    shared -= np.maximum.outer(start, other_start)
    return np.asarray(np.maximum(shared, 0, out=shared), np.float32)


def suppress(boxes: Boxes, scores: Scores, iou_threshold: float) -> npt.NDArray[np.intp]:
    """Greedy non-maximum suppression: indices of the boxes to keep, best first."""
    order = np.argsort(-scores, kind="stable")
    if order.size < 2:
        return order
    if order.size <= FEW:
        kept = _apart(list(map(Box._make, boxes.tolist())), order.tolist(), iou_threshold)
    else:
        kept = first_of_each(iou_matrix(boxes, boxes) > iou_threshold, order)
    return np.asarray(kept, np.intp)


def _apart(boxes: list[Box], order: list[int], iou_threshold: float) -> list[int]:
    kept: list[int] = []
    for index in order:
        box = boxes[index]
        for other in kept:
            if box.iou(boxes[other]) > iou_threshold:
                break
        else:
            kept.append(index)
    return kept


def first_of_each(same: npt.NDArray[np.bool_], order: npt.NDArray[np.intp]) -> list[int]:
    """Greedily in ``order``: indices that are not the ``same`` (n, n) as one kept before them."""
    alive = np.ones(len(order), np.bool_)
    kept: list[int] = []
    for index in order.tolist():
        if alive[index]:
            kept.append(index)
            alive &= ~same[index]
    return kept
