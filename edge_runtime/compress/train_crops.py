"""Trains a crop classifier: the stage ``call`` of recipes/smile.toml and recipes/mask.toml.

Where labels are wrong, large nets learn first, each from one fold of the people; the small net then
learns from what they say of the faces they have not learnt from (see crop_teacher.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_runtime.compress.course import Course, Loss, Plan
from edge_runtime.compress.crop_samples import UNKNOWN, CropSamples, Drawn, Group, draw
from edge_runtime.compress.crop_teacher import FOLDS, Faculty, TeacherNet
from edge_runtime.compress.distill import soft_loss
from edge_runtime.compress.distortion import Random
from edge_runtime.compress.layers import fix_seed
from edge_runtime.compress.origin import named_object
from edge_runtime.types import Clock

BATCH = 64
SMOOTHING = 0.08
TEMPERATURE, SOFT_SHARE = 2.0, 0.7
DOUBT = 0.4
"""The net's own part of a target while rounding is learnt; the rest is the label's."""


@dataclass(frozen=True, kw_only=True)
class _Studies:
    """What all courses of a run have in common."""

    groups: list[Group]
    work: Path
    seed: int
    on_progress: Callable[[float], None]
    clock: Clock
    minutes: float
    """Of all courses together."""

    def take(
        self, name: str, net: nn.Module, loss: Loss, *, minutes: float, rate: float, before: float
    ) -> nn.Module:
        """One course of so many ``minutes``, ``before`` of the run's being gone."""
        plan = Plan(minutes=minutes, rate=rate, weight_decay=0.01, seed=self.seed)
        course = Course(net, plan, self.work / f"{name}.pt", self.clock)
        return course.run(
            loss, lambda share: self.on_progress((before + share * minutes) / self.minutes)
        )


def trained(
    net: nn.Module,
    *,
    data: Path,
    work: Path,
    seed: int,
    on_progress: Callable[[float], None],
    source: str,
    minutes: float,
    teacher_minutes: float = 0.0,
    rate: float = 3e-3,
    doubt: float = 0.0,
    clock: Clock = time.monotonic,
) -> nn.Module:
    """The net after so many minutes on the samples that ``source`` (module:factory) reads.

    ``teacher_minutes``: for each of the two teachers, before that. ``doubt``: what the net's own
    opinion weighs against a label, 0 to 1, where no teachers are asked.
    """
    cv2.setNumThreads(1)
    fix_seed(seed)
    samples: CropSamples = named_object(source)(data)
    studies = _Studies(
        groups=samples.groups,
        work=work,
        seed=seed,
        on_progress=on_progress,
        clock=clock,
        minutes=minutes + FOLDS * teacher_minutes,
    )
    if teacher_minutes:
        loss = _taught(studies, teacher_minutes)
    else:
        loss = _labelled(samples.groups, doubt)
    before = FOLDS * teacher_minutes
    return studies.take("student", net, loss, minutes=minutes, rate=rate, before=before)


def doubting_loss(
    inputs: Tensor, outputs: Tensor, labels: Tensor, doubt: float = DOUBT, smoothing: float = 0.0
) -> Tensor:
    """Cross entropy with targets that are partly the net's own opinion.

    Soft bootstrapping (arXiv 1412.6596, equation 6): a label the net firmly denies weighs less.
    """
    del inputs
    own = functional.cross_entropy(outputs, outputs.detach().softmax(1))
    said = functional.cross_entropy(outputs, labels, label_smoothing=smoothing)
    return doubt * own + (1 - doubt) * said


def _taught(studies: _Studies, minutes: float) -> Loss:
    """The loss of a net that listens to teachers, which learn first."""
    teachers = [
        studies.take(
            f"teacher-{fold}",
            TeacherNet(),
            _labelled(_without(fold, studies.groups), 0.0),
            minutes=minutes,
            rate=2e-3,
            before=fold * minutes,
        )
        for fold in range(FOLDS)
    ]
    faculty = Faculty(teachers)

    def loss(net: nn.Module, rng: Random) -> Tensor:
        drawn = _drawn(studies.groups, rng)
        said = faculty(drawn.inputs, drawn.folds)
        labels = torch.where(drawn.labels == UNKNOWN, said.argmax(1), drawn.labels)
        return soft_loss(net(drawn.inputs), said, labels, temperature=TEMPERATURE, share=SOFT_SHARE)

    return loss


def _labelled(groups: list[Group], doubt: float) -> Loss:
    """The loss of a net that learns from labels, trusting them or not."""
    known = [g for g in groups if all(p.label != UNKNOWN for p in g.portraits)]

    def loss(net: nn.Module, rng: Random) -> Tensor:
        drawn = _drawn(known, rng)
        return doubting_loss(drawn.inputs, net(drawn.inputs), drawn.labels, doubt, SMOOTHING)

    return loss


def _drawn(groups: list[Group], rng: Random) -> Drawn:
    drawn = draw(groups, BATCH, rng)
    return drawn._replace(inputs=drawn.inputs.contiguous(memory_format=torch.channels_last))


def _without(fold: int, groups: list[Group]) -> list[Group]:
    """The same groups, lacking the people of a fold."""
    return [
        Group([p for p in group.portraits if p.fold != fold], group.share, group.dress)
        for group in groups
    ]
