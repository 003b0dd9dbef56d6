"""Recomputes every figure of `face-id`'s card from the shipped files, and what a cosine means.

python -m edge_runtime.compress.check_identity models --data DIR [--write] [--teacher]

Pairs are every two pictures of LFW's held-back people. The folder of models must hold the
detector and `face-points` too. ``--write`` puts thresholds and evidence into the manifest;
``--teacher`` asks the teacher about every row as well, which takes minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from edge_runtime.compress.check_glance import invoke_ms
from edge_runtime.compress.check_points import DETECTOR, PointsFinder, detected
from edge_runtime.compress.check_points import NAME as POINTS_NAME
from edge_runtime.compress.crop_samples import as_input
from edge_runtime.compress.examination import file_answers
from edge_runtime.compress.face_align import PLACES, aligned
from edge_runtime.compress.face_covers import MASK, SUNGLASSES, Cover, covered
from edge_runtime.compress.face_sights import Sight, lfw_sights
from edge_runtime.compress.identity_net import SIDE
from edge_runtime.compress.known_faces import TEACHER, TEACHER_PX, Vectors, numbered
from edge_runtime.compress.onnx_teacher import OnnxTeacher
from edge_runtime.compress.photos import photo_of
from edge_runtime.compress.verification import FALSE_ACCEPTS, Pairs, operating_points, pairs_of
from edge_runtime.engine.engine import open_engine
from edge_runtime.store.manifest import FILE_NAME, read_manifest

NAME = "face-id"
SIZES_PX = (64, 48, 32, 24)
"""Of the larger side of the teacher's box; portraits have 70 to 90."""
BLURS_PX = (1.0, 2.0)
"""Standard deviations of a blur, in pixels of the portrait."""
SEED = 5
HEAD = "| view | accuracy | TAR at FAR 1e-3 | at 1e-4 |\n|---|---|---|---|"

Embed = Callable[[Sequence[Sight]], Vectors]
View = tuple[str, list[Sight]]


def views(sights: list[Sight], models: Path) -> Iterator[View]:
    """The same people as a camera might show them, each view with its name."""
    rng = np.random.default_rng(SEED)
    yield "as they are", sights
    yield from ((f"{size} px", [shrunk(each, size) for each in sights]) for size in SIZES_PX)
    yield from ((f"blur {blur} px", [blurred(each, blur) for each in sights]) for blur in BLURS_PX)
    yield "masks drawn on", [dressed(each, MASK, rng) for each in sights]
    yield "sunglasses drawn on", [dressed(each, SUNGLASSES, rng) for each in sights]
    yield from _own_views(sights, models)


def _own_views(sights: list[Sight], models: Path) -> Iterator[View]:
    finder = PointsFinder(models / POINTS_NAME)
    smaller = {f"{size} px, ": [shrunk(each, size) for each in sights] for size in SIZES_PX}
    for name, some in {"": sights, **smaller}.items():
        seen = list(detected(some, models / DETECTOR))
        points = finder.find([photo for _, photo in seen])
        mine = [replace(each, points=p) for (each, _), p in zip(seen, points, strict=True)]
        yield f"{name}our boxes and points, {len(some) - len(mine)} not found", mine


def shrunk(sight: Sight, size_px: int) -> Sight:
    """The picture made so small that the face's larger side has so many pixels."""
    factor = size_px / float(sight.photo.faces[0, 2:].max())
    if factor >= 1:
        return sight
    small = cv2.resize(sight.photo.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    # What the new size really is, for sizes are whole.
    real = np.array(small.shape[::-1]) / np.array(sight.photo.image.shape[::-1])
    photo = photo_of(
        np.asarray(small, np.uint8), (sight.photo.faces * np.tile(real, 2)).astype(np.float32)
    )
    return replace(sight, photo=photo, points=(sight.points * real).astype(np.float32))


def blurred(sight: Sight, deviation_px: float) -> Sight:
    """Out of focus."""
    image = cv2.GaussianBlur(sight.photo.image, (0, 0), deviation_px)
    return replace(sight, photo=photo_of(np.asarray(image, np.uint8), sight.photo.faces))


def dressed(sight: Sight, cover: Cover, rng: np.random.Generator) -> Sight:
    """With something before the face; where its points are is known all the same."""
    return replace(sight, photo=covered(sight.photo, cover, rng))


def embedder(model: bytes) -> Embed:
    """The shipped file."""

    def embed(sights: Sequence[Sight]) -> Vectors:
        crops = [aligned(each.photo, each.points, SIDE) for each in sights]
        (found,) = file_answers(model, as_input(crops), takes_bytes=True)
        answers: Vectors = found.flatten(1).numpy()
        return answers

    return embed


def taught(data: Path) -> Embed:
    """The teacher, which here sees grey pictures too."""
    ask = OnnxTeacher(data / TEACHER)

    def embed(sights: Sequence[Sight]) -> Vectors:
        rows = []
        for each in sights:
            crop = aligned(each.photo, each.points, TEACHER_PX).astype(np.float32)
            rows.append(ask(torch.from_numpy(np.stack([crop] * 3)[None])).flatten(1).numpy())
        return np.concatenate(rows)

    return embed


def row(pairs: Pairs) -> str:
    """A line of the table: accuracy, and true accepts at two shares of false ones."""
    accuracy, strict, stricter = (
        pairs.accuracy(), pairs.true_accepts(1e-3), pairs.true_accepts(1e-4),
    )  # fmt: skip
    low, high = accuracy.interval
    return (
        f"{accuracy.value:.4f} ({low:.4f} to {high:.4f}) | {strict.value:.4f} | "
        f"{stricter.value:.4f}"
    )


def spec_of(pairs: Pairs) -> dict[str, Any]:
    """The section ``embedding`` of the manifest."""
    slope, intercept = pairs.evidence()
    return {
        "size": 128,
        "points": PLACES.tolist(),
        "evidence": {"slope": round(slope, 3), "intercept": round(intercept, 3)},
        "operating_points": [
            {
                "false_accepts": each.false_accepts,
                "threshold": round(each.threshold, 4),
                "true_accepts": round(each.true_accepts, 4),
            }
            for each in operating_points(pairs, FALSE_ACCEPTS)
        ],
    }


def report(models: Path, data: Path, *, write: bool, teacher: bool) -> None:
    """Print the figures; perhaps write what a cosine means."""
    file = models / NAME / FILE_NAME
    path = models / NAME / read_manifest(file).model
    embed, sights = embedder(path.read_bytes()), list(lfw_sights(data, "val"))
    with open_engine(path) as engine:
        print(f"{path}: {path.stat().st_size} bytes, {invoke_ms(engine):.3f} ms")
    print(f"{len(sights)} pictures\n\n{HEAD}")
    ask = taught(data) if teacher else None
    for name, some in views(sights, models):
        pairs = pairs_of(embed(some), numbered(some))
        print(f"| {name} | {row(pairs)} |", flush=True)
        if ask is not None:
            print(f"| {name}, teacher | {row(pairs_of(ask(some), numbered(some)))} |", flush=True)
        if name.startswith("our boxes and points"):
            spec = spec_of(pairs)
    print(json.dumps(spec, indent=2))
    if write:
        fields = json.loads(file.read_text("utf-8")) | {"embedding": spec}
        file.write_text(json.dumps(fields, indent=2) + "\n", "utf-8")


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="Measure a net that tells faces apart.")
    parser.add_argument("models", type=Path, help="the folder of the models' folders")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help="write thresholds to the manifest")
    parser.add_argument("--teacher", action="store_true", help="measure the teacher as well")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    report(args.models, args.data, write=args.write, teacher=args.teacher)


if __name__ == "__main__":
    main()
