"""Trains `face-id`: the stage ``call`` of recipes/face-id.toml.

The net learns a large net's embedding of every face, whatever was done to the crop; how alike the
faces of a batch are to the teacher (relational distillation, Park et al., arXiv 1904.05068); and to
tell every person from every other, with the teacher's mean of each as the fixed weights of a
classifier with a margin (CosFace, arXiv 1801.09414).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_runtime.compress.course import Course, Plan
from edge_runtime.compress.distortion import Random
from edge_runtime.compress.identity_samples import CALM, HARD, IdentitySamples
from edge_runtime.compress.layers import fix_seed
from edge_runtime.compress.origin import named_object
from edge_runtime.types import Clock

BATCH = 64
NEAR, ALIKE, APART = 2.0, 4.0, 0.25
"""Weights of the three losses."""
SHARPNESS, MARGIN = 20.0, 0.1
SOURCE = "edge_runtime.compress.identity_samples:identity_samples"


def trained(
    net: nn.Module,
    *,
    data: Path,
    work: Path,
    seed: int,
    on_progress: Callable[[float], None],
    minutes: float,
    calm_from: float = 1.0,
    rate: float = 3e-3,
    source: str = SOURCE,
    clock: Clock = time.monotonic,
) -> nn.Module:
    """The net after so many minutes on what ``source`` (module:factory) reads.

    ``calm_from``: the share of the time from which on less is done to the faces.
    """
    cv2.setNumThreads(1)
    fix_seed(seed)
    samples: IdentitySamples = named_object(source)(data)
    people = torch.from_numpy(samples.faces.people)
    reached = 0.0

    def note(share: float) -> None:
        nonlocal reached
        reached = share
        on_progress(share)

    def loss(net: nn.Module, rng: Random) -> Tensor:
        inputs, chosen = samples.draw(BATCH, rng, CALM if reached >= calm_from else HARD)
        vectors = functional.normalize(net(inputs.contiguous(memory_format=torch.channels_last)))
        taught = taught_loss(vectors, samples.targets[chosen])
        return taught + APART * told_apart(vectors, samples.means, people[chosen])

    plan = Plan(minutes=minutes, rate=rate, weight_decay=0.02, seed=seed)
    return Course(net, plan, work / "identity.pt", clock).run(loss, note)


def taught_loss(vectors: Tensor, targets: Tensor) -> Tensor:
    """How far vectors [n, k] are from where they belong, one by one and among each other."""
    near = 1 - (vectors * targets).sum(1).mean()
    difference = vectors @ vectors.T - targets @ targets.T
    pairs = len(vectors) * (len(vectors) - 1)
    alike = (difference - difference.diag().diag()).square().sum() / max(1, pairs)
    return NEAR * near + ALIKE * alike


def told_apart(vectors: Tensor, means: Tensor, people: Tensor) -> Tensor:
    """Cross entropy of vectors [n, k] against everybody's mean [people, k], with a margin."""
    cosines = vectors @ means.T
    cosines = cosines - MARGIN * functional.one_hot(people, len(means))
    return functional.cross_entropy(SHARPNESS * cosines, people)


def rounding_loss(inputs: Tensor, outputs: Tensor, labels: Tensor) -> Tensor:
    """The loss in the form that stages take: labels are targets and a person [n, k + 1]."""
    del inputs
    return taught_loss(functional.normalize(outputs), labels[:, :-1])
