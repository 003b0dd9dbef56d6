"""Trains `face-points`: the stage ``call`` of recipes/face-points.toml."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn

from edge_runtime.compress.course import Course, Plan
from edge_runtime.compress.distortion import Random
from edge_runtime.compress.layers import fix_seed
from edge_runtime.compress.origin import named_object
from edge_runtime.compress.points_samples import PointsSamples, points_loss
from edge_runtime.types import Clock

BATCH = 32
SOURCE = "edge_runtime.compress.points_samples:points_samples"


def trained(
    net: nn.Module,
    *,
    data: Path,
    work: Path,
    seed: int,
    on_progress: Callable[[float], None],
    minutes: float,
    rate: float = 3e-3,
    source: str = SOURCE,
    clock: Clock = time.monotonic,
) -> nn.Module:
    """The net after so many minutes on what ``source`` (module:factory) reads."""
    cv2.setNumThreads(1)
    fix_seed(seed)
    samples: PointsSamples = named_object(source)(data)

    def loss(net: nn.Module, rng: Random) -> Tensor:
        inputs, places = samples.draw(BATCH, rng)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        return points_loss(inputs, net(inputs), places)

    plan = Plan(minutes=minutes, rate=rate, weight_decay=0.01, seed=seed)
    return Course(net, plan, work / "points.pt", clock).run(loss, on_progress)
