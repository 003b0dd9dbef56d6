"""Trains, quantizes and ships `smile`.

python -m edge_runtime.compress.train_smile --data DIR --work DIR --out models/smile --minutes 20
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_runtime.compress.face_crops import (
    MARGIN,
    Portrait,
    plain_crop,
    random_crop,
    read_portraits,
)
from edge_runtime.compress.layers import fix_seed, parameter_count
from edge_runtime.compress.lean_writer import lean_tflite
from edge_runtime.compress.photos import Luma
from edge_runtime.compress.quantize import QuantizedNet
from edge_runtime.compress.shipping import describe, ship
from edge_runtime.compress.smile_net import LABELS, SIDE, SmileNet

BATCH = 64
PEAK_RATE, TUNE_RATE = 3e-3, 2e-4
SMOOTHING = 0.08
EMA_DECAY = 0.998
DESCRIPTION = "Tells a smiling from a neutral face in a 48 x 48 luma crop; int8."

Net = Callable[[Tensor], Tensor]
Crops = Iterator[tuple[Tensor, Tensor]]


def batches(portraits: list[Portrait], seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless crops in 0..1 [64, 1, 48, 48] and labels [64], both classes equally often."""
    rng = np.random.default_rng(seed)
    sides = [[p for p in portraits if p.label == label] for label in range(len(LABELS))]
    while True:
        chosen = [sides[i % 2][int(rng.integers(len(sides[i % 2])))] for i in range(BATCH)]
        crops = np.stack([random_crop(p, SIDE, rng) for p in chosen])
        yield as_input(crops), torch.tensor([p.label for p in chosen])


def as_input(crops: Luma) -> Tensor:
    """Bytes [n, 48, 48] as the net likes them."""
    return (torch.from_numpy(crops[:, None]).float() / 255).contiguous(
        memory_format=torch.channels_last
    )


def learn(net: nn.Module, average: nn.Module, stream: Crops, minutes: float, rate: float) -> None:
    """Train by the clock along a cosine; `average` follows slowly (or is the net itself)."""
    optimizer = torch.optim.AdamW(net.parameters(), rate, weight_decay=0.01)
    started, progress = time.monotonic(), 0.0
    for step, (crops, labels) in enumerate(stream):
        progress = (time.monotonic() - started) / (60 * minutes)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 200) * (1 + math.cos(math.pi * progress)) / 2
        loss = functional.cross_entropy(net(crops), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        _follow(average, net, min(EMA_DECAY, (1 + step) / (10 + step)))


def balanced_accuracy(net: Net, crops: Tensor, labels: Tensor) -> float:
    """The mean of both classes' recalls."""
    with torch.no_grad():
        right = net(crops).argmax(1) == labels
    return float(
        np.mean([float(right[labels == label].float().mean()) for label in range(len(LABELS))])
    )


def held_crops(portraits: list[Portrait], jitter: int | None) -> tuple[Tensor, Tensor]:
    """Validation crops: exact, or drawn as in training with the seed `jitter`."""
    rng = np.random.default_rng(jitter)
    crops = [
        plain_crop(p, SIDE) if jitter is None else random_crop(p, SIDE, rng) for p in portraits
    ]
    return as_input(np.stack(crops)), torch.tensor([p.label for p in portraits])


def train(data: Path, work: Path, out: Path, minutes: float, seed: int) -> None:
    """Float training (reused if in `work`), quantization, tuning with rounding, export."""
    fix_seed(seed)
    held = read_portraits(data, work, "val")
    exams = {"exact": held_crops(held, None), "jittered": held_crops(held, 5)}
    portraits = read_portraits(data, work, "train")
    stream = batches(portraits, seed)
    net = SmileNet().to(memory_format=torch.channels_last)
    print(
        f"{parameter_count(net)} parameters, {len(portraits)} + {len(held)} portraits", flush=True
    )
    slow, kept = copy.deepcopy(net), work / "smile.pt"
    if kept.exists():
        slow.load_state_dict(torch.load(kept))
    else:
        learn(net, slow, stream, minutes * 0.85, PEAK_RATE)
        torch.save(slow.state_dict(), kept)
    _print("float", slow, exams)
    made = QuantizedNet(slow)
    made.calibrate(next(stream)[0] for _ in range(8))
    _print("quantized", made, exams)
    learn(made, made, stream, minutes * 0.15, TUNE_RATE)
    _print("tuned", made, exams)
    model = lean_tflite(made, torch.zeros(1, 1, SIDE, SIDE))
    ship(out, model, _manifest())
    print(f"{len(model)} bytes in {out}")


def _manifest() -> dict[str, object]:
    return {
        **describe("smile", "crop-classifier", DESCRIPTION),
        "input": {"width": SIDE, "height": SIDE, "color": "luma"},
        "labels": list(LABELS),
        "activation": "logits",
        "crop": {"margin": MARGIN, "square": True},
        "threshold": 0.5,
    }


@torch.no_grad()
def _follow(average: nn.Module, net: nn.Module, decay: float) -> None:
    for slow, fast in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, 1 - decay)


def _print(stage: str, net: nn.Module, exams: dict[str, tuple[Tensor, Tensor]]) -> None:
    net.eval()
    each = "  ".join(f"{name} {balanced_accuracy(net, *exam):.4f}" for name, exam in exams.items())
    print(f"{stage:10} {each}", flush=True)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description="Train the smile classifier.")
    parser.add_argument("--data", type=Path, required=True, help="folder with faces/ and teachers/")
    parser.add_argument(
        "--work", type=Path, default=Path("build/smile"), help="teacher labels, float weights"
    )
    parser.add_argument("--out", type=Path, default=Path("models/smile"))
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    args.work.mkdir(parents=True, exist_ok=True)
    train(args.data, args.work, args.out, args.minutes, args.seed)


if __name__ == "__main__":
    main()
