"""What the recipes of test_compression.py name: a net, a loss, and data that kills once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from edge_runtime.compress.confidence import Share
from edge_runtime.compress.layers import ConvUnit, Residual
from edge_runtime.compress.measure import Answers
from edge_runtime.compress.samples import ArraySamples, read_arrays

FATAL_SEED = 1004
"""Of the fifth epoch with a recipe's seed of 1."""


def small_net() -> nn.Module:
    """Left or right; the lean writer can write it."""
    pooled = nn.Sequential(ConvUnit(1, 8, 3, 2), Residual(8), ConvUnit(8, 12, 3, 2))
    return nn.Sequential(pooled, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 2))


def nan_loss(inputs: Tensor, outputs: Tensor, labels: Tensor) -> Tensor:
    """Never a number."""
    return outputs.sum() * float("nan")


@dataclass(frozen=True)
class Mortal(ArraySamples):
    """Kills the process in the middle of its fifth epoch, if a file ``die`` is there; once."""

    sign: Path = Path("die")

    def batches(self, batch: int, seed: int) -> Iterator[Any]:
        for number, each in enumerate(super().batches(batch, seed)):
            if seed == FATAL_SEED and number == 2 and self.sign.exists():
                self.sign.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            yield each


def mortal(folder: Path) -> Mortal:
    """The samples of the folder, with its sign."""
    plain = read_arrays(folder / "sides.npz", (1, 8, 8), 255.0)
    arrays = (plain.inputs, plain.labels, plain.held_inputs, plain.held_labels)
    return Mortal(*arrays, folder / "die")


def sown(
    net: nn.Module,
    *,
    data: Path,
    work: Path,
    seed: int,
    on_progress: Callable[[float], None],
    seed_only: bool,
) -> nn.Module:
    """A training that only writes down what it was called with."""
    (work / "notes.txt").write_text(f"{data} {seed} {seed_only}", "utf-8")
    on_progress(1.0)
    return net


def reaped(net: nn.Module, **_: Any) -> None:
    """Forgets to return the net."""


def share_of_ones(answers: Answers, labels: Tensor) -> Share:
    """How often the second label is given."""
    return Share(int((answers[0].argmax(1) == 1).sum()), len(labels))
