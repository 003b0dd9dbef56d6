"""Handwritten digits from digits/mnist.npz."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

KEYS = ("x_train", "y_train", "x_test", "y_test")
HELD_OUT = 10_000
"""Training pictures kept aside while settings are being chosen."""


@dataclass(frozen=True)
class Digits:
    """Pictures [n, 1, 28, 28] in 0 to 1 and labels [n], to learn from and to be examined on."""

    pictures: Tensor
    labels: Tensor
    exam_pictures: Tensor
    exam_labels: Tensor

    def held_out(self) -> Digits:
        """The exam replaced by the last training pictures: for choosing settings."""
        return Digits(
            self.pictures[:-HELD_OUT],
            self.labels[:-HELD_OUT],
            self.pictures[-HELD_OUT:],
            self.labels[-HELD_OUT:],
        )


def read_digits(folder: Path) -> Digits:
    """Read ``mnist.npz`` in a folder. Raises FileNotFoundError or ValueError saying what lacks."""
    file = folder / "mnist.npz"
    with np.load(file) as stored:
        missing = [key for key in KEYS if key not in stored]
        if missing:
            raise ValueError(f"{file} lacks {', '.join(missing)}; expected {', '.join(KEYS)}")
        x, y, exam_x, exam_y = (torch.from_numpy(stored[key]) for key in KEYS)
    return Digits(_scaled(x), y.long(), _scaled(exam_x), exam_y.long())


def _scaled(pictures: Tensor) -> Tensor:
    return pictures[:, None].float() / 255
