"""How good a detector's answers are, as recipes ask: average precision with its uncertainty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edge_runtime.average_precision import Judged, Verdicts, large_enough, verdicts
from edge_runtime.compress.glance_check import Found, cornered, detections
from edge_runtime.compress.glance_net import GRIDS, cells, decode
from edge_runtime.compress.glance_samples import Truth
from edge_runtime.compress.measure import Answers
from edge_runtime.types import JsonObject

LEAST_PART = 0.05
"""Of the picture's long side: smaller faces are neither asked for nor punished."""
RESAMPLES, SEED = 500, 1


@dataclass(frozen=True)
class AveragePrecision:
    """The area under precision and recall; its interval by drawing the pictures anew."""

    judged: Verdicts

    def as_json(self) -> JsonObject:
        """Percentiles 2.5 and 97.5 of 500 seeded bootstrap resamples of the pictures."""
        areas = [curve.area for curve in self.judged.resampled(RESAMPLES, SEED)]
        low, high = np.percentile(areas, (2.5, 97.5))
        return {
            "value": round(self.judged.curve().area, 5),
            "low95": round(float(low), 5),
            "high95": round(float(high), 5),
            "total": int(self.judged.faces.sum()),
        }


def average_precision(answers: Answers, labels: Tensor) -> AveragePrecision:
    """AP@0.5 of faces of at least a twentieth of the picture's long side; labels as in Truth."""
    return AveragePrecision(verdicts(_judged(answers, Truth.of(labels))))


def _judged(answers: Answers, truth: Truth) -> Iterator[Judged]:
    for found, side, faces, ignore in zip(found_in(answers), *truth, strict=True):
        boxes = (each[each[:, 2] > 0].numpy() for each in (faces, ignore))
        yield large_enough(Judged(*map(cornered, (found, *boxes))), LEAST_PART * float(side))


def found_in(answers: Answers) -> list[Found]:
    """Each picture's detections [k, 5] from a net's or a file's maps, which come in any order."""
    by_shape = {tuple(each.shape[1:]): each for each in answers}
    logits = torch.cat([by_shape[1, *grid].flatten(1) for grid in GRIDS], 1)
    raw = torch.cat([by_shape[4, *grid].flatten(2) for grid in GRIDS], 2).transpose(1, 2)
    return detections(logits.numpy(), decode(raw, *cells()).numpy())
