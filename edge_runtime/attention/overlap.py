"""Overlap of many boxes at once: the arithmetic that suppression and tracking share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float32]
"""Shape (n, 4): left, top, width, height."""

Scores = npt.NDArray[np.float32]
"""Shape (n,): 0 to 1."""


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
    overlaps = iou_matrix(boxes[order], boxes[order]) > iou_threshold
    alive = np.ones(order.size, np.bool_)
    kept = []
    for rank in range(order.size):
        if alive[rank]:
            kept.append(rank)
            alive &= ~overlaps[rank]
    return np.asarray(order[kept], np.intp)
