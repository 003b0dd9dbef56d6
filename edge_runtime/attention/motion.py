"""Did anything move, and where: a coarse grid of brightness held against its own recent past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime import imaging
from edge_runtime.attention.overlap import Boxes
from edge_runtime.types import Box, Luma

CELL: Final = 4
"""Glance pixels per grid cell and axis: averaging 16 pixels quarters the sensor's noise."""

STEP: Final = 6.0
"""Grey levels a cell must differ by. Noise of 8 levels a pixel averages to 2 a cell."""

FORGET: Final = 0.25
"""Weight of the newest frame in the remembered past: in ~10 frames a new object is background."""


FEW: Final = 6
"""Up to so many boxes are asked about one by one: 3 us each, numpy takes 30 for any number."""


class Motion(NamedTuple):
    """What changed since the recent past."""

    share: float
    """Of the view, 0 to 1."""
    cells: npt.NDArray[np.bool_]
    """(rows, columns) of the grid; valid until the next update."""

    def within(self, boxes: Sequence[Box]) -> list[bool]:
        """Whether anything moves in or beside each box of the glance, by half a cell at least."""
        if not self.share:
            return [False] * len(boxes)
        if len(boxes) <= FEW:
            return [self._within(box) for box in boxes]
        rows, columns = self.cells.shape
        edges = np.array(boxes, np.float32).T / CELL
        edges[2:] += edges[:2]
        most = np.array([columns, rows], np.float32)[:, None]
        left, top = np.clip(np.floor(edges[:2] - 0.5), 0, most).astype(np.intp)
        right, bottom = np.clip(np.ceil(edges[2:] + 0.5), 0, most).astype(np.intp)
        spans = np.stack([left, top, np.maximum(left, right), np.maximum(top, bottom)], axis=1)
        return [bool(share > 0) for share in Spans(spans, (rows, columns)).shares(self.cells)]

    def _within(self, box: Box) -> bool:
        rows, columns = self.cells.shape
        x, y, w, h = box
        near = Box(x / CELL - 0.5, y / CELL - 0.5, w / CELL + 1, h / CELL + 1)
        left, top, right, bottom = imaging.whole_pixels(near, columns, rows)
        return bool(np.count_nonzero(self.cells[top:bottom, left:right]))


class Spans:
    """Parts of the motion grid that are asked about again and again: how much of each moves.

    Four look-ups in the table of sums (Crow, "Summed-area tables for texture mapping", SIGGRAPH
    1984).
    """

    def __init__(self, spans: npt.NDArray[np.intp], grid: tuple[int, int]) -> None:
        """``spans`` (n, 4) of left, top, right, bottom; ``grid``: its rows and columns."""
        left, top, right, bottom = spans.T
        width = grid[1] + 1
        self._corners = np.stack(
            [bottom * width + right, top * width + left, top * width + right, bottom * width + left]
        )
        cells = np.maximum((right - left) * (bottom - top), 1)
        self._each = (1 / cells).astype(np.float32)

    def shares(self, cells: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """The share of each span that is set in ``cells`` (rows, columns): (n,)."""
        at = imaging.summed(cells).take(self._corners)
        return np.asarray((at[0] + at[1] - at[2] - at[3]) * self._each)


def spans_of(boxes: Boxes, fit: imaging.Fit, view: tuple[int, int]) -> npt.NDArray[np.intp]:
    """The motion grid's cells under boxes (n, 4) of a picture fitted into a ``view`` (width,
    height): (n, 4) of left, top, right, bottom.
    """
    edges = boxes.T.copy()  # rows: numpy takes three times as long for a few columns
    edges[2:] += edges[:2]
    edges *= np.array([fit.scale_x, fit.scale_y] * 2, np.float32)[:, None] / CELL
    edges += np.array([fit.offset_x, fit.offset_y] * 2, np.float32)[:, None] / CELL
    most = np.array([view[0] // CELL, view[1] // CELL] * 2)[:, None]
    outward = np.concatenate([np.floor(edges[:2]), np.ceil(edges[2:])])
    return np.asarray(np.minimum(np.maximum(outward, 0), most).T, np.intp)


class MotionGate:
    """Compares each glance with a running average of those before it."""

    def __init__(self, *, width: int, height: int) -> None:
        shape = (height // CELL, width // CELL)
        self._grid: Luma = np.empty(shape, np.uint8)
        self._past: npt.NDArray[np.float32] | None = None
        self._change = np.empty(shape, np.float32)
        self._cells = np.empty(shape, np.bool_)

    def update(self, glance: Luma) -> Motion:
        """Motion in ``glance`` (height, width); the first glance is all motion."""
        imaging.resize(glance, self._grid)
        if self._past is None:
            self._past = self._grid.astype(np.float32)
            self._cells.fill(True)
            return Motion(1.0, self._cells)
        change = np.subtract(self._grid, self._past, out=self._change)
        self._past += FORGET * change
        # A lamp or the camera's exposure shifts everything alike: that is no motion.
        # (The sum by hand: numpy's mean costs as much as all the rest.)
        change -= np.add.reduce(change, axis=None) / change.size
        np.greater(np.abs(change, out=change), STEP, out=self._cells)
        return Motion(np.count_nonzero(self._cells) / self._cells.size, self._cells)
