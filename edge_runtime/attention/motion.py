"""Did anything move, and where: a coarse grid of brightness held against its own recent past."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime import imaging
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
        near = Box(box.x / CELL - 0.5, box.y / CELL - 0.5, box.w / CELL + 1, box.h / CELL + 1)
        left, top, right, bottom = imaging.whole_pixels(near, columns, rows)
        return bool(self.cells[top:bottom, left:right].any())


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
        change -= change.mean()
        np.greater(np.abs(change, out=change), STEP, out=self._cells)
        return Motion(np.count_nonzero(self._cells) / self._cells.size, self._cells)
