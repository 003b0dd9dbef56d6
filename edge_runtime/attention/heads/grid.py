"""Heads that speak for each cell of a few grids: the cells, and boxes coded relative to them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from edge_runtime.attention.heads.head import Reals, Size
from edge_runtime.attention.overlap import Boxes


class Raised(NamedTuple):
    """Cells that are sure enough of something."""

    values: Reals
    """(n,): how sure, as a logit or a probability."""
    shift: Reals
    """(n, 4): dx, dy, log w, log h."""
    cells: Reals
    """(n, 3): column, row, stride."""


def grid_of(size: Size, stride: int) -> tuple[int, int]:
    """Rows and columns of the grid with one cell for each ``stride`` pixels."""
    return math.ceil(size[1] / stride), math.ceil(size[0] / stride)


def cells_of(size: Size, stride: int, *, offset: float) -> Reals:
    """(rows * columns, 3): column + offset, row + offset, stride; row after row."""
    rows, columns = grid_of(size, stride)
    down, across = np.divmod(np.arange(rows * columns), columns)
    cells = np.stack([across + offset, down + offset, np.full(down.shape, stride)], axis=1)
    return cells.astype(np.float32)


def together(found: Iterable[Raised | None]) -> Raised | None:
    """The cells of all strides as one; None when there are none."""
    raised = [each for each in found if each is not None]
    if len(raised) < 2:
        return raised[0] if raised else None
    # One pass over the cells of all strides: numpy costs by the call, not by the cell.
    return Raised(*map(np.concatenate, zip(*raised, strict=True)))


def boxes_of(raised: Raised) -> Boxes:
    """Boxes from YuNet's coding, in pixels of the input.

    With stride s, column c and row r (their offset included):

        centre x = (c + dx) s      width  = s exp(log w)
        centre y = (r + dy) s      height = s exp(log h)

    (Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector", 2023.)
    """
    # Rows that lie together in memory: numpy takes three times as long for a few columns.
    shift, cells = raised.shift.T.copy(), raised.cells.T.copy()
    stride = cells[2]
    sizes = np.exp(shift[2:]) * stride
    centres = (cells[:2] + shift[:2]) * stride
    return np.concatenate([centres - sizes / 2, sizes]).T
