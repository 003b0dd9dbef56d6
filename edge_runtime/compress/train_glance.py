"""Trains `face-glance`.

    python -m edge_runtime.compress.train_glance --data DIR --work DIR --minutes 60

The schedule follows the clock, so a run ends when it was asked to however slow the machine; it can
be stopped and started again at any time (`--work` holds its checkpoint). `export_glance` then
writes the model.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from edge_runtime.compress.detection_loss import detection_loss
from edge_runtime.compress.face_pools import read_pools
from edge_runtime.compress.face_scenes import Pools, Scene, Syllabus, compose, mirror, spoil
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
from edge_runtime.compress.glance_net import GlanceNet, cells, decode, flatten_heads
from edge_runtime.compress.layers import fix_seed, parameter_count
from edge_runtime.compress.photos import Boxes, Luma, Photo

BATCH = 32
KEPT_SCENES = 480
MOST_FACES, MOST_IGNORED = 20, 24
PEAK_RATE, WARMUP_STEPS = 3e-3, 300
EMA_DECAY = 0.9995
CHECK_EVERY_S = 300.0
CALM_FROM, CALM_AT = 0.75, 0.85
"""Shares of the time between which scenes become calm."""


class Notice:
    """What the trainer tells the processes that draw scenes, through memory they share."""

    def __init__(self, empty: int) -> None:
        self._memory = torch.ones(1 + empty).share_memory_().numpy()
        self._memory[0] = 0

    def write(self, syllabus: Syllabus) -> None:
        """Put up another syllabus; one being read may be half old, which does no harm."""
        self._memory[0] = syllabus.calm
        if syllabus.difficulty is not None:
            self._memory[1:] = syllabus.difficulty

    def read(self) -> Syllabus:
        """The latest syllabus."""
        return Syllabus(float(self._memory[0]), self._memory[1:])


class SceneStream(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """Endless batches: images uint8 [b, 1, 120, 160], faces [b, 20, 4], ignore [b, 24, 4]."""

    def __init__(self, pools: Pools, seed: int, notice: Notice | None = None) -> None:
        self._pools, self._seed = pools, seed
        self._notice = notice or Notice(len(pools.empty))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        cv2.setNumThreads(1)
        worker = get_worker_info()
        rng = np.random.default_rng((self._seed, worker.id if worker else 0))
        kept: list[Scene] = []
        while True:
            # Composing costs most: every scene is shown once more, mirrored and spoilt otherwise.
            syllabus = self._notice.read()
            fresh = [compose(self._pools, rng, syllabus) for _ in range(BATCH // 2)]
            kept += fresh
            rng.shuffle(kept)
            again = (
                [mirror(scene) for scene in kept[: BATCH // 2]]
                if len(kept) >= KEPT_SCENES
                else fresh
            )
            kept = kept[BATCH // 2 :] if len(kept) >= KEPT_SCENES else kept
            yield batch_of([spoil(scene, rng, syllabus) for scene in fresh + again])


def batch_of(scenes: list[Scene]) -> tuple[Tensor, Tensor, Tensor]:
    """Scenes as tensors, boxes padded with zeros."""
    images = torch.from_numpy(np.stack([s.image for s in scenes])[:, None])
    faces = torch.from_numpy(np.stack([_padded(s.faces, MOST_FACES) for s in scenes]))
    return (
        images,
        faces,
        torch.from_numpy(np.stack([_padded(s.ignore, MOST_IGNORED) for s in scenes])),
    )


def without_padding(boxes: Tensor) -> Tensor:
    """Boxes [n, k, 4] without the last places that no picture of the batch uses; one stays."""
    return boxes[:, : max(1, int((boxes[..., 2] > 0).sum(1).max()))]


class Trainer:
    """A net, its optimizer, its slow average, and how far they are."""

    def __init__(self, net: GlanceNet, minutes: float) -> None:
        self.net = net.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).eval()
        self.optimizer = torch.optim.AdamW(net.parameters(), PEAK_RATE, weight_decay=5e-4)
        self.cells = cells()
        self.seconds, self.step, self._budget = 0.0, 0, minutes * 60

    @property
    def progress(self) -> float:
        """0 at the start, 1 when the time is used up."""
        return min(self.seconds / self._budget, 1.0)

    @property
    def calm(self) -> float:
        """How calm scenes are to be by now: 0 for three quarters of the time, then soon 1."""
        return float(np.clip((self.progress - CALM_FROM) / (CALM_AT - CALM_FROM), 0, 1))

    def learn(self, images: Tensor, faces: Tensor, ignore: Tensor) -> float:
        """One step; returns the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = (
                PEAK_RATE * min(1.0, (self.step + 1) / WARMUP_STEPS) * _cosine(self.progress)
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
            "optimizer": self.optimizer.state_dict(), "seconds": self.seconds,
        }  # fmt: skip

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.seconds, self.step = state["seconds"], state["step"]

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


def train(data: Path, work: Path, minutes: float, seed: int, workers: int) -> None:
    """Train until the time is up; `work/best.pt` is the averaged net that checked best."""
    fix_seed(seed)
    cv2.setNumThreads(1)  # threads of cv2 do not survive the fork of a loader process
    trainer = Trainer(GlanceNet(), minutes)
    latest = work / "latest.pt"
    if latest.exists():
        trainer.resume(torch.load(latest))
    held = read_pools(data, work, "val")
    exams = {"web": photo_exam(held.web), "hard": hard_exam(held)}
    pools = read_pools(data, work, "train")
    notice = Notice(len(pools.empty))
    stream = SceneStream(pools, seed + trainer.step, notice)
    loader = DataLoader(
        stream, batch_size=None, num_workers=workers, prefetch_factor=8 if workers else None
    )
    print(f"{parameter_count(trainer.net)} parameters, {workers} workers", flush=True)
    _run(trainer, loader, exams, work, lambda: notice.write(syllabus(trainer, pools.empty)))


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


def _run(
    trainer: Trainer,
    loader: DataLoader[Any],
    exams: dict[str, Exam],
    work: Path,
    tell: Callable[[], None],
) -> None:
    best, total, checked, clock = 0.0, 0.0, trainer.seconds, time.monotonic()
    for images, faces, ignore in loader:
        total += trainer.learn(images, faces, ignore)
        trainer.seconds += time.monotonic() - clock
        clock = time.monotonic()
        if trainer.seconds - checked < CHECK_EVERY_S and trainer.progress < 1:
            continue
        checked = trainer.seconds
        figures = check(torch_detector(trainer.average), exams)
        mean = float(np.mean(list(figures.values())))
        print(_line(trainer, total, mean, figures), flush=True)
        total = 0.0
        torch.save(trainer.state(), work / "latest.pt")
        tell()
        if mean > best:
            best = mean
            torch.save(
                {"average": trainer.average.state_dict(), "figures": figures}, work / "best.pt"
            )
        if trainer.progress >= 1:
            return


def _line(trainer: Trainer, total: float, mean: float, figures: dict[str, float]) -> str:
    each = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
    place = f"{trainer.seconds / 60:6.1f} min  step {trainer.step:6d}"
    return f"{place}  loss {total:.1f}  mean {mean:.4f}  {each}"


def _cosine(progress: float) -> float:
    return 0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2


def _padded(boxes: Boxes, rows: int) -> NDArray[np.float32]:
    out = np.zeros((rows, 4), np.float32)
    # Largest first: should there ever be more, the smallest are dropped.
    kept = boxes[np.argsort(-boxes[:, 2] * boxes[:, 3])][:rows]
    out[: len(kept)] = kept
    return out


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description="Train the face-glance detector.")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder with webfaces/, faces/, negatives/, teachers/",
    )
    parser.add_argument(
        "--work", type=Path, default=Path("build/glance"), help="checkpoints and teacher labels"
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes that draw scenes")
    parser.add_argument("--threads", type=int, default=2, help="torch threads")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    train(args.data, args.work, args.minutes, args.seed, args.workers)


if __name__ == "__main__":
    main()
