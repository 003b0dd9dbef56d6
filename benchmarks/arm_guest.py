"""What runs inside the emulator: work between marks that the counting plugin understands.

Started by arm_instructions.py with the ARM Python; not for people.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_runtime.app.assembly import Assembly
from edge_runtime.bench.latency import fill_with_noise
from edge_runtime.capture.picture import BgrPicture
from edge_runtime.config import load_config
from edge_runtime.engine.engine import open_engine
from edge_runtime.mailbox import Mailbox
from edge_runtime.types import Frame

WARM_UP = 5
"""Runs before the count: caches fill, and a face is confirmed by its third sight."""


def count(name: str, runs: int, work: Callable[[int], object]) -> None:
    """Say the name once for each run; the plugin prints what has been executed at both marks."""
    for index in range(runs):
        print(f"work {name if index >= WARM_UP else '-'}", file=sys.stderr, flush=True)
        os.getpriority(os.PRIO_PROCESS, 0)
        work(index)
        os.getpriority(os.PRIO_PROCESS, 0)


def count_invoke(file: Path, runs: int) -> None:
    """A model's bare invoke on seeded noise."""
    with open_engine(file) as engine:
        fill_with_noise(engine)
        name = file.parent.name if file.name == "model.tflite" else file.stem
        count(f"{name}, bare invoke", runs, lambda _: engine.invoke())


def count_frame(file: Path) -> None:
    """The whole pipeline on frames in memory, with one face followed."""
    stored = np.load(file)
    frames = [
        Frame(index, index / 30, luma, BgrPicture(bgr))
        for index, (luma, bgr) in enumerate(zip(stored["luma"], stored["bgr"], strict=True))
    ]
    now = 0.0  # the time of the film: by the emulator's every frame would renew the percentiles
    pipeline = Assembly(load_config(None, {}, {}), clock=lambda: now).pipeline(Mailbox())

    def process(index: int) -> None:
        nonlocal now
        now = index / 30
        snapshot = pipeline.process(frames[index])
        if index >= WARM_UP and [len(face.labels) for face in snapshot.faces] != [1]:
            raise SystemExit(f"frame {index}: {snapshot.faces}, expected one face with its label")

    count("whole frame, one face", len(frames), process)


def main() -> None:
    frames, *models = map(Path, sys.argv[1:])
    count_frame(frames)
    for model in models:
        count_invoke(model, WARM_UP + 3)


if __name__ == "__main__":
    main()
