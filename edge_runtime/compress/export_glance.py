"""Quantizes the trained detector and writes `models/face-glance`.

python -m edge_runtime.compress.export_glance --data DIR --work DIR --out models/face-glance
--tune-minutes 8
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from edge_runtime.compress.detection_loss import detection_loss
from edge_runtime.compress.export import export
from edge_runtime.compress.face_pools import read_pools
from edge_runtime.compress.glance_check import hard_exam, photo_exam
from edge_runtime.compress.glance_net import HEIGHT, WIDTH, GlanceNet, cells, decode, flatten_heads
from edge_runtime.compress.layers import fix_seed
from edge_runtime.compress.quantize import QuantizedNet
from edge_runtime.compress.shipping import describe, ship
from edge_runtime.compress.train_glance import SceneStream, as_input, check, torch_detector

CALIBRATION_BATCHES = 8
TUNE_RATE = 2e-4
DESCRIPTION = "Finds faces in one 160 x 120 luma glance; int8, anchor-free, strides 8, 16 and 32."

Batches = Iterator[tuple[Tensor, Tensor, Tensor]]


def quantized(net: GlanceNet, scenes: Batches) -> QuantizedNet:
    """The net with ranges watched on a few batches of scenes."""
    made = QuantizedNet(net.eval())
    made.calibrate(as_input(next(scenes)[0]) for _ in range(CALIBRATION_BATCHES))
    return made


def tune(net: QuantizedNet, scenes: Batches, minutes: float) -> None:
    """Quantization-aware fine-tuning: the rounding stays in place while the weights adapt to it."""
    optimizer = torch.optim.AdamW(net.parameters(), TUNE_RATE, weight_decay=0.0)
    places, started, progress = cells(), time.monotonic(), 0.0
    for images, faces, ignore in scenes:
        progress = (time.monotonic() - started) / (60 * minutes)
        if progress >= 1:
            return
        for group in optimizer.param_groups:
            group["lr"] = TUNE_RATE * (1 + math.cos(math.pi * progress)) / 2
        logits, raw = flatten_heads(net(as_input(images)))
        loss = detection_loss(logits, decode(raw, *places), places, faces, ignore)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def main() -> None:
    """Read the command line, quantize, perhaps tune, and ship."""
    parser = argparse.ArgumentParser(description="Quantize and export the face-glance detector.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--work", type=Path, default=Path("build/glance"), help="where train_glance left best.pt"
    )
    parser.add_argument("--out", type=Path, default=Path("models/face-glance"))
    parser.add_argument(
        "--tune-minutes", type=float, default=0.0, help="fine-tune with rounding in place"
    )
    parser.add_argument(
        "--threshold", type=float, default=0.5, help="lowest score that counts as a face"
    )
    args = parser.parse_args()
    fix_seed(2)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    held = read_pools(args.data, args.work, "val")
    exams = {"web": photo_exam(held.web), "hard": hard_exam(held)}
    scenes = iter(SceneStream(read_pools(args.data, args.work, "train"), 77))
    net = GlanceNet()
    net.load_state_dict(torch.load(args.work / "best.pt")["average"])
    print("float    ", _figures(check(torch_detector(net.eval()), exams)), flush=True)
    made = quantized(net, scenes)
    print("quantized", _figures(check(torch_detector(made), exams)), flush=True)
    if args.tune_minutes:
        tune(made, scenes, args.tune_minutes)
        print("tuned    ", _figures(check(torch_detector(made), exams)), flush=True)
    model = export(made, torch.zeros(1, 1, HEIGHT, WIDTH))
    ship(args.out, model, _manifest(args.threshold))
    print(f"{len(model)} bytes in {args.out}")


def _manifest(threshold: float) -> dict[str, object]:
    return {
        **describe("face-glance", "face-detector", DESCRIPTION),
        "input": {"width": WIDTH, "height": HEIGHT, "color": "luma"},
        "head": {"type": "centre-log-size", "strides": [8, 16, 32]},
        "threshold": threshold,
        "iou_threshold": 0.45,
    }


def _figures(figures: dict[str, float]) -> str:
    mean = float(np.mean(list(figures.values())))
    return "  ".join(
        [f"mean {mean:.4f}", *(f"{name} {value:.4f}" for name, value in figures.items())]
    )


if __name__ == "__main__":
    main()
