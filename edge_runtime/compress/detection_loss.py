"""What the detector is taught: which cells answer for which face, and how wrong they are.

Assignment is task-aligned (TOOD, arXiv 2108.07755) with a dynamic number of cells per face
(SimOTA, arXiv 2107.08430); the score learns the box's quality (quality focal loss, arXiv
2006.04388); boxes learn by complete IoU (arXiv 1911.08287).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

CENTRE_REACH = 1.3
"""A cell may answer for a face when its centre is nearer than this many strides along both axes."""
MOST_CELLS = 7
NATURAL_SIZE = 2.1
"""A stride is best at faces of this many strides across."""


class Assignment(NamedTuple):
    """For every cell of every picture, [n, 400] each."""

    face: Tensor
    """Index of the face it answers for."""
    target: Tensor
    """Wanted score: 0 for background, up to 1 for the best cell of a face."""
    counted: Tensor
    """False where neither face nor background is asked for (ignore boxes)."""


def detection_loss(
    logits: Tensor, boxes: Tensor, cells: tuple[Tensor, Tensor], faces: Tensor, ignore: Tensor
) -> Tensor:
    """Scalar loss.

    `logits` [n, 400]; `boxes` [n, 400, 4], `faces` [n, g, 4], `ignore` [n, i, 4]: pixels.
    Rows of `faces` and `ignore` with zero width are padding.
    """
    with torch.no_grad():
        found = assign(logits.sigmoid(), boxes, cells, faces, ignore)
    weight = found.target.sum().clamp(min=1.0)
    score = (quality_focal(logits, found.target) * found.counted).sum() / weight
    chosen = found.target > 0
    if not bool(chosen.any()):
        return score
    wanted = faces.gather(1, found.face.unsqueeze(-1).expand(-1, -1, 4))[chosen]
    overlap = complete_iou(boxes[chosen], wanted)
    return score + 2.0 * ((1 - overlap) * found.target[chosen]).sum() / weight


def quality_focal(logits: Tensor, target: Tensor) -> Tensor:
    """Cross entropy to a soft target, weighed by the squared error of the score."""
    error = (logits.sigmoid() - target).abs().pow(2)
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="none") * error


def assign(
    scores: Tensor, boxes: Tensor, cells: tuple[Tensor, Tensor], faces: Tensor, ignore: Tensor
) -> Assignment:
    """Choose each face's cells by how well they already score and fit."""
    centres, strides = cells
    real = faces[..., 2] > 0
    overlap = iou(faces.unsqueeze(2), boxes.unsqueeze(1)) * real.unsqueeze(-1)
    far = (faces[:, :, None, :2] - centres).abs().amax(-1) / strides
    size = (faces[..., 2] * faces[..., 3]).clamp(min=1e-3).sqrt().unsqueeze(-1)
    misfit = torch.log2(size / (NATURAL_SIZE * strides)).abs()
    may = (far < CENTRE_REACH) & (misfit < 1.6) & real.unsqueeze(-1)
    # Before the boxes mean anything the prior of place and size decides; later the overlap does.
    fit = (overlap + 0.02 * torch.exp(-misfit - far)) * may
    metric = scores.unsqueeze(1).sqrt() * fit.pow(3)
    chosen = _top_cells(metric, overlap * may)
    metric = metric * chosen
    best, face = metric.max(1)
    share = metric / metric.amax(2, keepdim=True).clamp(min=1e-12)
    quality = (overlap * chosen).amax(2, keepdim=True).clamp(min=0.1).sqrt()
    target = (share * quality).gather(1, face.unsqueeze(1)).squeeze(1) * (best > 0)
    return Assignment(face, target, ~_inside(centres, ignore) | (target > 0))


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of centre-size boxes, broadcast over all but the last axis."""
    low = torch.maximum(a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2)
    high = torch.minimum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2)
    common = (high - low).clamp(min=0).prod(-1)
    return common / (a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - common + 1e-6)


def complete_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU less the centres' distance and the aspect's difference."""
    low = torch.minimum(a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2)
    high = torch.maximum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2)
    diagonal = (high - low).pow(2).sum(-1) + 1e-6
    apart = (a[..., :2] - b[..., :2]).pow(2).sum(-1) / diagonal
    shape = (4 / math.pi**2) * (
        torch.atan(b[..., 2] / b[..., 3]) - torch.atan(a[..., 2] / a[..., 3])
    ).pow(2)
    overlap = iou(a, b)
    with torch.no_grad():
        alpha = shape / (1 - overlap + shape + 1e-6)
    return overlap - apart - alpha * shape


def _top_cells(metric: Tensor, overlap: Tensor) -> Tensor:
    """[n, g, 400] bool: each face's best cells, as many as its overlaps add up to (2 at least)."""
    top = overlap.topk(10, dim=2).values.sum(2).round().clamp(2, MOST_CELLS)
    values, places = metric.topk(MOST_CELLS, dim=2)
    rank = torch.arange(MOST_CELLS, device=metric.device)
    keep = (rank < top.unsqueeze(-1)) & (values > 0)
    return torch.zeros_like(metric, dtype=torch.bool).scatter_(2, places, keep)


def _inside(centres: Tensor, boxes: Tensor) -> Tensor:
    """[n, 400] bool: the cell's centre lies in one of the boxes [n, i, 4], grown by a quarter."""
    near = (centres[None, None] - boxes[:, :, None, :2]).abs() < boxes[:, :, None, 2:] * 0.625
    return near.all(-1).any(1)
