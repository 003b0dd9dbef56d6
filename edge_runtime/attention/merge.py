"""What several looks at one picture found, as if it were one look.

Windows overlap, so a face may be found several times; and a window may cut a face in two, of which
it then finds a part. A part loses to the whole face, and alone it is doubtful. Where looks disagree
whether there is a face, the one that shows the place best decides: the back of a head may look like
a face from afar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime.attention.overlap import Boxes, Scores, first_of_each, shared_areas
from edge_runtime.attention.window import Views
from edge_runtime.types import Box, Detection

BORDER: Final = 0.02
"""A box that comes nearer to a window's border than this share of its width is cut by it."""

CUT: Final = 0.5
"""What is left of the score of a cut face: it may continue a face, and starts none by itself."""

BETTER: Final = 0.1
"""Looks that are less fit than the fittest by more than this have no say."""

PART_OF: Final = 0.6
"""A box is a part of another when this share of the smaller lies in the larger."""


class Seen(NamedTuple):
    """What one look found."""

    window: Box
    """Picture pixels; may reach over the picture's edge."""
    found: Sequence[Detection]
    """In picture pixels, overlapping ones of the same look suppressed."""


def merged(
    looks: Sequence[Seen],
    picture: tuple[int, int],
    *,
    view_width: int,
    iou_threshold: float,
    threshold: float,
    lowest: float = 0.0,
) -> tuple[Detection, ...]:
    """Each face once, best score first. ``picture`` is (width, height) in pixels, ``view_width``
    that of the detector's input.

    What several looks found with a score of ``threshold`` says so in its ``sights``: to look again
    from elsewhere is worth as much as to look again later. What comes out below ``lowest`` is none.
    """
    every = [found for look in looks for found in look.found]
    if not every:
        return ()
    boxes = np.array([found.box for found in every], np.float32)
    scores = np.array([found.score for found in every], np.float32)
    cut = np.concatenate([cut_by(look, picture) for look in looks])
    if len(looks) == 1 and not cut.any():
        return tuple(every)
    scores[cut] *= CUT
    same = _same(boxes, iou_threshold)
    views = Views(np.array([look.window for look in looks], np.float32), view_width)
    counts = [len(look.found) for look in looks]
    scores = _judged(same, scores, counts, views.fitness(boxes))
    sights = np.maximum(np.add.reduce(same & (scores >= threshold), axis=1), 1).tolist()
    kept = [index for index in _distinct(same, scores, cut) if scores[index] >= lowest]
    return tuple(Detection(every[i].box, float(scores[i]), sights[i]) for i in kept)


def cut_by(look: Seen, picture: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which of the boxes a look found are cut by its window, where the picture goes on: (n,)."""
    window, near = look.window, BORDER * look.window.w
    left = window.x + near if window.x > 0.5 else -np.inf
    top = window.y + near if window.y > 0.5 else -np.inf
    right = window.right - near if window.right < picture[0] - 0.5 else np.inf
    bottom = window.bottom - near if window.bottom < picture[1] - 0.5 else np.inf
    return np.array(
        [
            box.x < left or box.y < top or box.right > right or box.bottom > bottom
            for box, *_ in look.found
        ],
        np.bool_,
    )


def _same(boxes: Boxes, iou_threshold: float) -> npt.NDArray[np.bool_]:
    """Which boxes are of one face (n, n): they overlap, or one is a part of the other."""
    areas = boxes[:, 2] * boxes[:, 3]
    shared = shared_areas(boxes, boxes)
    # IoU above t is shared above t / (1 + t) of both areas together.
    overlap = shared > np.add.outer(areas, areas) * (iou_threshold / (1 + iou_threshold))
    part = shared > PART_OF * np.minimum.outer(areas, areas)
    return np.asarray(overlap | part)


def _judged(
    same: npt.NDArray[np.bool_],
    scores: Scores,
    counts: Sequence[int],
    fit: npt.NDArray[np.float32],
) -> Scores:
    """The scores, lowered to the mean of what the fittest looks say; silence says 0.

    ``counts``: how many boxes each look found, in the boxes' order; ``fit`` (looks, n): how well
    each look shows them.
    """
    said = np.zeros_like(fit)
    finders = [look for look, count in enumerate(counts) if count]
    firsts = [sum(counts[:look]) for look in finders]
    said[finders] = np.maximum.reduceat(same * scores, firsts, axis=1).T
    judges = (fit > 0) & (fit >= np.maximum.reduce(fit) - BETTER)
    count = np.add.reduce(judges)
    mean = np.add.reduce(said * judges) / np.maximum(count, 1)
    return np.where(count > 0, np.minimum(scores, mean), scores).astype(np.float32)


def _distinct(same: npt.NDArray[np.bool_], scores: Scores, cut: npt.NDArray[np.bool_]) -> list[int]:
    """Indices to keep, best first: whole faces suppress their parts whatever the scores."""
    kept = first_of_each(same, np.lexsort((-scores, cut)))
    return sorted(kept, key=lambda index: -scores[index])
