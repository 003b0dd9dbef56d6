"""What a recipe learns from and is examined on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_runtime.errors import DataMissing

Batch = tuple[Tensor, Tensor]
"""Inputs [n, ...] and labels [n]."""

KEYS = ("x_train", "y_train", "x_test", "y_test")


class Samples(Protocol):
    """Labelled inputs; a recipe's ``module:factory`` returns one, made from the data folder."""

    def steps(self, batch: int) -> int:
        """Batches in an epoch."""

    def batches(self, batch: int, seed: int) -> Iterator[Batch]:
        """One epoch; the same seed draws the same batches."""

    def held(self) -> Batch:
        """Inputs and labels never learnt from."""


@dataclass(frozen=True)
class ArraySamples:
    """Samples that lie in memory."""

    inputs: Tensor
    labels: Tensor
    held_inputs: Tensor
    held_labels: Tensor

    def steps(self, batch: int) -> int:
        return max(1, len(self.labels) // batch)

    def batches(self, batch: int, seed: int) -> Iterator[Batch]:
        order = torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(seed))
        for chosen in order[: self.steps(batch) * batch].split(batch):
            yield self.inputs[chosen], self.labels[chosen]

    def held(self) -> Batch:
        return self.held_inputs, self.held_labels


def read_arrays(file: Path, shape: tuple[int, ...], divisor: float) -> ArraySamples:
    """An .npz with x_train, y_train, x_test and y_test; inputs are brought to [n, *shape].

    Raises DataMissing saying what is not there or does not fit.
    """
    try:
        with np.load(file, allow_pickle=False) as stored:
            missing = [key for key in KEYS if key not in stored]
            arrays = [] if missing else [stored[key] for key in KEYS]
    except (OSError, ValueError) as error:
        raise DataMissing(f"{file} cannot be read as .npz: {error}") from None
    if missing:
        raise DataMissing(f"{file} lacks {', '.join(missing)}; expected {', '.join(KEYS)}")
    x, y, held_x, held_y = arrays
    return ArraySamples(
        _inputs(file, x, shape, divisor),
        torch.from_numpy(y.astype(np.int64)),
        _inputs(file, held_x, shape, divisor),
        torch.from_numpy(held_y.astype(np.int64)),
    )


def _inputs(file: Path, values: NDArray[Any], shape: tuple[int, ...], divisor: float) -> Tensor:
    if values[0].size != int(np.prod(shape)):
        found = values.shape[1:]
        raise DataMissing(f"{file} holds inputs of shape {found}, the model takes {shape}")
    return torch.from_numpy(values.reshape(-1, *shape).astype(np.float32)) / divisor
