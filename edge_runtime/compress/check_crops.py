"""Recomputes every figure of a crop classifier's card from the shipped file.

python -m edge_runtime.compress.check_crops recipes/smile.toml --data DIR --model models/smile
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from edge_runtime.attention.overlap import iou_matrix
from edge_runtime.compress.check_glance import file_detector, invoke_ms
from edge_runtime.compress.crop_net import SIDE
from edge_runtime.compress.crop_samples import CropSamples, Group, Portrait, as_input
from edge_runtime.compress.examination import file_answers
from edge_runtime.compress.face_crops import plain_crop, random_crop
from edge_runtime.compress.glance_check import Detector, cornered, letterbox
from edge_runtime.compress.measure import balanced_accuracy
from edge_runtime.compress.origin import open_samples
from edge_runtime.compress.photos import Boxes, Luma, Photo, photo_of
from edge_runtime.compress.recipe import read_recipe
from edge_runtime.engine.engine import open_engine
from edge_runtime.store.manifest import read_manifest

SEED = 5
DETECTOR = "face-glance"
LEAST_IOU = 0.3
"""A detection that overlaps the teacher's box less is of something else."""

Crops = list[tuple[Luma, int]]
"""Each with its label."""


def report(samples: CropSamples, folder: Path) -> None:
    """Print the figures of the model in ``folder``."""
    manifest = read_manifest(folder / "manifest.json")
    model = (folder / manifest.model).read_bytes()
    with open_engine(folder / manifest.model) as engine:
        print(f"{folder / manifest.model}: {len(model)} bytes, {invoke_ms(engine):.3f} ms")
    groups = {"held back": Group(samples.held_back, 1.0), **samples.elsewhere}
    for name, group in groups.items():
        for view, crops in _views(group, folder.parent / DETECTOR):
            print(f"{name}, {view}: {_figures(model, crops, manifest.labels)}")


def boxes_found(photo: Photo, detect: Detector, threshold: float) -> Boxes:
    """[n, 4], n being 0 or 1: where a detector finds the photo's face, in its pixels."""
    image, scale, offset = letterbox(photo.image)
    (found,) = detect(image[None])
    boxes = found[found[:, 4] >= threshold, :4] - np.array([*offset, 0, 0], np.float32)
    boxes = (boxes / scale).astype(np.float32)
    overlaps = iou_matrix(cornered(boxes), cornered(photo.faces))[:, 0]
    return boxes[overlaps >= max(LEAST_IOU, overlaps.max(initial=0.0))][:1]


def _views(group: Group, detector: Path) -> Iterator[tuple[str, Crops]]:
    rng = np.random.default_rng(SEED)
    dressed = [Portrait(group.dress(p.photo, rng), p.label) for p in group.portraits]
    yield "exact", [(plain_crop(p.photo, SIDE), p.label) for p in dressed]
    yield "jittered", [(random_crop(p.photo, SIDE, rng), p.label) for p in dressed]
    seen = list(_as_detected(dressed, detector))
    missed = len(dressed) - len(seen)
    yield f"boxes of {detector.name}, which misses {missed}", seen


def _as_detected(portraits: list[Portrait], detector: Path) -> Iterator[tuple[Luma, int]]:
    manifest = read_manifest(detector / "manifest.json")
    with open_engine(detector / manifest.model) as engine:
        detect = file_detector(engine)
        for portrait in portraits:
            boxes = boxes_found(portrait.photo, detect, manifest.threshold)
            if len(boxes):
                yield plain_crop(photo_of(portrait.photo.image, boxes), SIDE), portrait.label


def _figures(model: bytes, crops: Crops, labels: tuple[str, ...]) -> str:
    inputs, wanted = as_input([crop for crop, _ in crops]), torch.tensor([k for _, k in crops])
    found = balanced_accuracy(file_answers(model, inputs, takes_bytes=True), wanted)
    there = [labels[int(label)] for label in wanted.unique()]
    each = "  ".join(
        f"{name} {share.right}/{share.total} {share.value:.4f}"
        for name, share in zip(there, found.recalls, strict=True)
    )
    if len(there) < len(labels):
        return each
    low, high = found.interval
    return f"balanced accuracy {found.value:.4f} ({low:.4f} to {high:.4f})  {each}"


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="Measure a crop classifier.")
    parser.add_argument("recipe", type=Path, help="says what the model is examined on")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    recipe = read_recipe(args.recipe)
    samples = open_samples(recipe.data, recipe.model, args.data)
    if not isinstance(samples, CropSamples):
        parser.error(f"{args.recipe} makes no crop classifier: its [data] are no CropSamples")
    report(samples, args.model)


if __name__ == "__main__":
    main()
