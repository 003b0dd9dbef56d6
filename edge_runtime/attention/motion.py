"""Did anything move, and where: a coarse grid of brightness held against its own recent past."""

from __future__ import annotations

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


class Motion(NamedTuple):
    """What changed since the recent past."""

    share: float
    """Of the view, 0 to 1."""
    cells: npt.NDArray[np.bool_]
    """(rows, columns) of the grid; valid until the next update."""

    def within(self, box: Box) -> bool:
        """Whether anything moves in or beside a box of the glance, by half a cell at least."""
        if not self.share:
            return False
        rows, columns = self.cells.shape
        x, y, w, h = box
        near = Box(x / CELL - 0.5, y / CELL - 0.5, w / CELL + 1, h / CELL + 1)
        left, top, right, bottom = imaging.whole_pixels(near, columns, rows)
        return np.count_nonzero(self.cells[top:bottom, left:right]) > 0

    def shares(self, spans: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """The share of each span (n, 4) of cells that moves, see ``spans_of``: four look-ups in
        the table of sums.
        """
        if not self.share:
            return np.zeros(len(spans))
        sums = np.zeros((self.cells.shape[0] + 1, self.cells.shape[1] + 1), np.int32)
        np.cumsum(np.cumsum(self.cells, axis=0), axis=1, out=sums[1:, 1:])
        left, top, right, bottom = spans.T
        count = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return np.asarray(count / np.maximum((right - left) * (bottom - top), 1))


def spans_of(boxes: Boxes, fit: imaging.Fit, view: tuple[int, int]) -> npt.NDArray[np.intp]:
    """The motion grid's cells under boxes (n, 4) of a picture fitted into a ``view`` (width,
    height): (n, 4) of left, top, right, bottom.
    """
    scale = np.array([fit.scale_x, fit.scale_y], np.float32) / CELL
    offset = np.array([fit.offset_x, fit.offset_y], np.float32) / CELL
    start = np.floor(boxes[:, :2] * scale + offset)
    end = np.ceil((boxes[:, :2] + boxes[:, 2:]) * scale + offset)
    most = (view[0] // CELL, view[1] // CELL)
    return np.concatenate([np.clip(start, 0, most), np.clip(end, 0, most)], axis=1).astype(np.intp)


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
