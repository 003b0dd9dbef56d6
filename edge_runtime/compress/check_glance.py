"""How a shipped detector does on hard scenes, on what was held back of the negatives, and on clips.

python -m edge_runtime.compress.check_glance --data DIR --model models/face-glance

On whole photographs ``edge-runtime bench accuracy`` measures it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.compress.face_pools import read_pools
from edge_runtime.compress.glance_check import (
    Detector,
    Found,
    detections,
    false_alarms,
    hard_exam,
    letterbox,
    score,
)
from edge_runtime.compress.glance_net import GRIDS, cells
from edge_runtime.compress.photos import Luma
from edge_runtime.engine.engine import Engine, open_engine
from edge_runtime.engine.tensor import dequantize

CLIPS = "videos/person_*.mkv"
OTHER_CLIPS = (
    "head-pose-face-detection-female",
    "head-pose-face-detection-male",
    "face-demographics-walking-and-pause",
    "classroom",
    "store-aisle-detection",
    "worker-zone-detection",
)
EMPTY_CLIP = "videos/empty-room.mp4"


def file_detector(engine: Engine) -> Detector:
    """A loaded .tflite as the checks want it."""
    centres, strides = (each.numpy() for each in cells())

    def detect(images: Luma) -> list[Found]:
        logits, raw = zip(*(_run(engine, image) for image in images), strict=True)
        boxes = np.stack(raw)
        middle = centres + boxes[..., :2] * strides[:, None]
        sized = np.concatenate([middle, np.exp(boxes[..., 2:]) * strides[:, None]], -1)
        return detections(np.stack(logits), sized)

    return detect


def frames(path: Path, every: int = 1) -> Iterator[Luma]:
    """A clip's frames as 160 x 120 letterboxed luma."""
    clip = cv2.VideoCapture(str(path))
    index = 0
    while True:
        good, picture = clip.read()
        if not good:
            return
        if index % every == 0:
            yield letterbox(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8))[0]
        index += 1


def clip_recall(
    path: Path, detect: Detector, threshold: float, every: int = 1
) -> tuple[float, float]:
    """The part of a clip's frames with at least one face found, and faces per frame."""
    counts = [
        int((found[:, 4] >= threshold).sum())
        for found in detect(np.stack(list(frames(path, every))))
    ]
    return float(np.mean(np.array(counts) > 0)), float(np.mean(counts))


def invoke_ms(engine: Engine, runs: int = 1000) -> float:
    """Median milliseconds of one invocation."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        engine.invoke()
        times.append(time.perf_counter() - started)
    return float(np.median(times) * 1e3)


def report(data: Path, folder: Path, threshold: float | None) -> None:
    """Print the figures."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    threshold = manifest["threshold"] if threshold is None else threshold
    file = folder / manifest["model"]
    engine = open_engine(file)
    detect = file_detector(engine)
    print(f"{file}: {file.stat().st_size} bytes, {invoke_ms(engine):.3f} ms, threshold {threshold}")
    held = read_pools(data, "val")
    exam = hard_exam(held)
    for part in (0.1, 0.05):
        curve = score(exam, detect, part)
        precision, recall = curve.at(threshold)
        print(
            f"hard  faces >= {part:.0%}: AP {curve.area:.4f}  "
            f"precision {precision:.4f}  recall {recall:.4f}"
        )
    nobody = np.stack([letterbox(photo.image)[0] for photo in held.empty if not len(photo.ignore)])
    print(
        f"false alarms on {len(nobody)} held-out scenes and pets: "
        f"{false_alarms(nobody, detect, threshold)}"
    )
    _report_clips(data, detect, threshold)


def _report_clips(data: Path, detect: Detector, threshold: float) -> None:
    empty = np.stack(list(frames(data / EMPTY_CLIP)))
    print(
        f"empty room: {false_alarms(empty, detect, threshold)} false alarms in {len(empty)} frames"
    )
    for clip in sorted(data.glob(CLIPS)):
        part, count = clip_recall(clip, detect, threshold)
        print(f"{clip.stem:36} face in {part:.4f} of frames, {count:.2f} a frame")
    for name in OTHER_CLIPS:
        part, count = clip_recall(data / "videos" / f"{name}.mp4", detect, threshold)
        print(f"{name:36} face in {part:.4f} of frames, {count:.2f} a frame")


def _run(engine: Engine, image: Luma) -> tuple[Found, Found]:
    engine.input()[0, ..., 0] = (image ^ 0x80).view(np.int8)
    engine.invoke()
    real = [dequantize(engine.output(i), each) for i, each in enumerate(engine.outputs)]
    by_shape = {each.shape[1:]: each for each in real}
    logits = np.concatenate([by_shape[*grid, 1].reshape(-1) for grid in GRIDS])
    return logits, np.concatenate([by_shape[*grid, 4].reshape(-1, 4) for grid in GRIDS])


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="Measure a face-glance model.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--model", type=Path, default=Path("models/face-glance"), help="folder of the model"
    )
    parser.add_argument("--threshold", type=float, help="instead of the manifest's")
    args = parser.parse_args()
    report(args.data, args.model, args.threshold)


if __name__ == "__main__":
    main()
