"""Trains `face-glance`: the stage ``call`` of recipes/face-glance.toml.

The schedule follows the clock, so a run ends when it was asked to however slow the machine; it can
be stopped and started again at any time.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from edge_runtime.compress.detection_loss import detection_loss
from edge_runtime.compress.face_pools import read_pools
from edge_runtime.compress.face_scenes import MASKED, NOBODYS_SHARE, Pools, Syllabus
from edge_runtime.compress.glance_check import (
    Detector,
    Exam,
    Found,
    detections,
    hard_exam,
    letterbox,
    photo_exam,
    score,
)
from edge_runtime.compress.glance_net import cells, decode, flatten_heads
from edge_runtime.compress.layers import fix_seed
from edge_runtime.compress.photos import Luma, Photo
from edge_runtime.compress.scene_stream import Notice, SceneStream, without_padding
from edge_runtime.types import Clock

PEAK_RATE, WARMUP_STEPS = 3e-3, 300
EMA_DECAY = 0.9995
CHECK_EVERY_S = 300.0
CALM_FROM, CALM_WITHIN = 0.75, 0.1
"""The share of the time from which on scenes become calm, and how soon they are."""


class Trainer:
    """A net, its optimizer, its slow average, and how far they are."""

    def __init__(
        self, net: nn.Module, minutes: float, rate: float = PEAK_RATE, calm_from: float = CALM_FROM
    ) -> None:
        self.net = net.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).eval()
        self.optimizer = torch.optim.AdamW(net.parameters(), rate, weight_decay=5e-4)
        self.cells = cells()
        self._rate, self._calm_from = rate, calm_from
        self.seconds, self.step, self.best, self._budget = 0.0, 0, -1.0, minutes * 60

    @property
    def progress(self) -> float:
        """0 at the start, 1 when the time is used up."""
        return min(self.seconds / self._budget, 1.0)

    @property
    def calm(self) -> float:
        """How calm scenes are to be by now: 0, and in a tenth of the time 1."""
        return float(np.clip((self.progress - self._calm_from) / CALM_WITHIN, 0, 1))

    def learn(self, images: Tensor, faces: Tensor, ignore: Tensor) -> float:
        """One step; returns the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = (
                self._rate * min(1.0, (self.step + 1) / WARMUP_STEPS) * _cosine(self.progress)
            )
        logits, raw = flatten_heads(self.net(as_input(images)))
        faces, ignore = without_padding(faces), without_padding(ignore)
        loss = detection_loss(logits, decode(raw, *self.cells), self.cells, faces, ignore)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 10.0)
        self.optimizer.step()
        self._follow()
        self.step += 1
        return float(loss.detach())

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later."""
        return {
            "net": self.net.state_dict(), "average": self.average.state_dict(), "step": self.step,
            "optimizer": self.optimizer.state_dict(), "seconds": self.seconds, "best": self.best,
        }  # fmt: skip

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.seconds, self.step, self.best = state["seconds"], state["step"], state["best"]

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(EMA_DECAY, (1 + self.step) / (10 + self.step))
        slow, fast = (
            [each for each in net.state_dict().values() if each.is_floating_point()]
            for net in (self.average, self.net)
        )
        torch._foreach_lerp_(slow, fast, 1 - decay)


def as_input(images: Tensor) -> Tensor:
    """Bytes [n, 1, 120, 160] as the net likes them: 0..1, channels last."""
    return (images.float() / 255).contiguous(memory_format=torch.channels_last)


def torch_detector(net: torch.nn.Module) -> Detector:
    """A net as the checks want it."""
    centres, strides = cells()

    @torch.no_grad()
    def detect(images: Luma) -> list[Found]:
        found: list[Found] = []
        for part in torch.from_numpy(images[:, None]).split(128):
            logits, raw = flatten_heads(net(as_input(part)))
            found += detections(logits.numpy(), decode(raw, centres, strides).numpy())
        return found

    return detect


def check(detect: Detector, exams: dict[str, Exam]) -> dict[str, float]:
    """Average precision on every exam, faces of at least a tenth and of at least a twentieth."""
    return {
        f"{name}@{part}": score(exam, detect, part).area
        for name, exam in exams.items()
        for part in (0.1, 0.05)
    }


def trained(
    net: nn.Module,
    *,
    data: Path,
    work: Path,
    seed: int,
    on_progress: Callable[[float], None],
    minutes: float,
    rate: float = PEAK_RATE,
    calm_from: float = CALM_FROM,
    masked: float = MASKED,
    nobody: float = NOBODYS_SHARE,
    last: bool = False,
    workers: int = 1,
    clock: Clock = time.monotonic,
) -> nn.Module:
    """The net after so many minutes: the average of its weights that checked best, or the ``last``.

    The rate falls from ``rate`` along a cosine; from the share ``calm_from`` of the time on scenes
    become calm. ``masked`` and ``nobody`` are shares, see Pools. ``workers`` processes draw scenes.
    A killed run goes on from what ``work`` holds.
    """
    fix_seed(seed)
    cv2.setNumThreads(1)  # threads of cv2 do not survive the fork of a loader process
    latest = work / "latest.pt"
    pools = replace(read_pools(data, "train"), masked_share=masked, nobodys_share=nobody)
    trainer = Trainer(net, minutes, rate, calm_from)
    if latest.exists():
        trainer.resume(torch.load(latest))
    if trainer.progress < 1:
        loop = Loop(trainer, pools, read_pools(data, "val"), work)
        loop.run(seed, workers, on_progress, clock)
    net.load_state_dict(torch.load(latest if last else work / "best.pt")["average"])
    return net.eval()


class Loop:
    """Trains on scenes until the time is up, and looks up every five minutes."""

    def __init__(self, trainer: Trainer, pools: Pools, held: Pools, work: Path) -> None:
        self._trainer, self._pools, self._work = trainer, pools, work
        self._exams = {"web": photo_exam(held.web), "hard": hard_exam(held)}
        self._notice = Notice(len(pools.empty))

    def run(
        self, seed: int, workers: int, on_progress: Callable[[float], None], clock: Clock
    ) -> None:
        """To the end of the trainer's time."""
        self._notice.write(syllabus(self._trainer, self._pools.empty))
        trainer, total, checked, began = self._trainer, 0.0, self._trainer.seconds, clock()
        for scenes in self._scenes(seed, workers):
            total += trainer.learn(*scenes)
            now = clock()
            trainer.seconds, began = trainer.seconds + now - began, now
            if trainer.progress >= 1 or trainer.seconds - checked >= CHECK_EVERY_S:
                checked = trainer.seconds
                self._look_up(total)
                total = 0.0
            on_progress(trainer.progress)
            if trainer.progress >= 1:
                return

    def _scenes(self, seed: int, workers: int) -> DataLoader[Any]:
        return DataLoader(
            SceneStream(self._pools, seed + self._trainer.step, self._notice),
            batch_size=None,
            num_workers=workers,
            prefetch_factor=8 if workers else None,
        )

    def _look_up(self, loss: float) -> None:
        """Check, keep, and choose what the next scenes are to be like."""
        trainer = self._trainer
        figures = check(torch_detector(trainer.average), self._exams)
        mean = float(np.mean(list(figures.values())))
        if mean > trainer.best:
            trainer.best = mean
            best = {"average": trainer.average.state_dict(), "figures": figures}
            torch.save(best, self._work / "best.pt")
        torch.save(trainer.state(), self._work / "latest.pt")
        self._write_down({"loss": loss, "mean": mean, **figures})
        self._notice.write(syllabus(trainer, self._pools.empty))

    def _write_down(self, figures: dict[str, float]) -> None:
        line = {"minutes": self._trainer.seconds / 60, "step": self._trainer.step, **figures}
        with (self._work / "checks.jsonl").open("a", encoding="utf-8") as checks:
            checks.write(json.dumps({key: round(value, 4) for key, value in line.items()}) + "\n")


def syllabus(trainer: Trainer, empty: list[Photo]) -> Syllabus:
    """What scenes are to be like from here on: empty pictures that fool the net come more often."""
    images = np.stack([letterbox(photo.image)[0] for photo in empty])
    difficulty = [
        _worst(found, photo)
        for found, photo in zip(torch_detector(trainer.average)(images), empty, strict=True)
    ]
    return Syllabus(trainer.calm, np.array(difficulty, np.float32))


def _worst(found: Found, photo: Photo) -> float:
    """The highest score outside what is to be ignored, squared; a little for every picture."""
    _, scale, offset = letterbox(photo.image)
    ignore = photo.ignore * scale + np.array([*offset, 0, 0], np.float32)
    apart = np.abs(found[:, None, :2] - ignore[None, :, :2]) / (ignore[None, :, 2:] + 1e-6)
    asked = np.all(apart.max(2, initial=0.0) >= 0.625, axis=1)
    return 0.005 + float(found[asked, 4].max(initial=0.0)) ** 2


def _cosine(progress: float) -> float:
    return 0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2
