"""Recomputes every figure of `face-points`' card from the shipped file.

python -m edge_runtime.compress.check_points models --data DIR

Distances are from YuNet's points on LFW's held-back people, in distances between the eyes. The
folder of models must hold the detector too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from edge_runtime.compress.check_crops import boxes_found
from edge_runtime.compress.check_glance import file_detector, invoke_ms
from edge_runtime.compress.confidence import MeanValue
from edge_runtime.compress.crop_samples import as_input
from edge_runtime.compress.examination import file_answers
from edge_runtime.compress.face_crops import plain_affine, plain_crop
from edge_runtime.compress.face_sights import Points, Sight, lfw_sights
from edge_runtime.compress.onnx_teacher import OnnxTeacher
from edge_runtime.compress.photos import Photo, photo_of
from edge_runtime.compress.points_net import POINTS, SIDE
from edge_runtime.compress.points_samples import point_errors, random_points
from edge_runtime.compress.teacher import read_colour
from edge_runtime.engine.engine import open_engine
from edge_runtime.store.manifest import read_manifest

NAME, DETECTOR = "face-points", "face-glance"
TEACHER = "teachers/face_points.onnx"
SEED = 5


class PointsFinder:
    """The shipped file: where a photo's face has its points."""

    def __init__(self, folder: Path) -> None:
        """``folder``: the model's."""
        self._model = (folder / read_manifest(folder / "manifest.json").model).read_bytes()

    def find(self, photos: Sequence[Photo]) -> list[Points]:
        """[5, 2] in pixels, for the one face of each."""
        crops = [plain_crop(photo, SIDE) for photo in photos]
        (found,) = file_answers(self._model, as_input(crops), takes_bytes=True)
        places = found.reshape(-1, POINTS, 2).numpy() * SIDE
        return [_back(each, photo) for each, photo in zip(places, photos, strict=True)]

    def places(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """[n, 10] as shares of the crops' side."""
        (found,) = file_answers(self._model, as_input(list(crops)), takes_bytes=True)
        answers: np.ndarray = found.flatten(1).numpy()
        return answers


def detected(sights: Sequence[Sight], detector: Path) -> Iterator[tuple[Sight, Photo]]:
    """The sights whose face our own detector finds, each with the photo and its box there."""
    manifest = read_manifest(detector / "manifest.json")
    with open_engine(detector / manifest.model) as engine:
        detect = file_detector(engine)
        for sight in sights:
            boxes = boxes_found(sight.photo, detect, manifest.threshold)
            if len(boxes):
                yield sight, photo_of(sight.photo.image, boxes)


def report(models: Path, data: Path) -> None:
    """Print the figures."""
    folder, sights = models / NAME, list(lfw_sights(data, "val"))
    finder = PointsFinder(folder)
    manifest = read_manifest(folder / "manifest.json")
    with open_engine(folder / manifest.model) as engine:
        size = (folder / manifest.model).stat().st_size
        print(f"{folder / manifest.model}: {size} bytes, {invoke_ms(engine):.3f} ms")
    found = finder.find([sight.photo for sight in sights])
    _print("crops of the teacher's boxes", sights, found)
    print(f"the same, by point: {_by_point(sights, found)}")
    rng = np.random.default_rng(SEED)
    crops, true = zip(*(random_points(sight, rng) for sight in sights), strict=True)
    _show("crops as in training", point_errors(finder.places(crops), np.stack(true)))
    seen = list(detected(sights, models / DETECTOR))
    mine = [sight for sight, _ in seen]
    missed = len(sights) - len(mine)
    _print(f"boxes of {DETECTOR}, which misses {missed}", mine, finder.find([p for _, p in seen]))
    ask = OnnxTeacher(data / TEACHER)
    for margin in (0.0, 0.2):
        _print(
            f"{TEACHER}, margin {margin}", sights, [_taught(ask, data, s, margin) for s in sights]
        )


def _taught(
    ask: Callable[[torch.Tensor], torch.Tensor], data: Path, sight: Sight, margin: float
) -> Points:
    """The points that the landmark teacher finds in a square around the box, in colour."""
    x, y, w, h = (float(v) for v in sight.photo.faces[0])
    side = max(w, h) * (1 + margin)
    scale = SIDE / side
    affine = np.array([[scale, 0, SIDE / 2 - x * scale], [0, scale, SIDE / 2 - y * scale]])
    affine[:, 2] += (scale - 1) / 2  # cv2 counts from the first pixel's centre
    crop = cv2.warpAffine(
        read_colour(data / sight.file), affine, (SIDE, SIDE), flags=cv2.INTER_AREA
    )
    said = ask(torch.from_numpy(crop.transpose(2, 0, 1)[None].astype(np.float32)))
    places = said.reshape(POINTS, 2).numpy() * side
    return np.add(places, (x - side / 2, y - side / 2)).astype(np.float32)


def _back(places: np.ndarray, photo: Photo) -> Points:
    """From pixels of the crop to those of the photo."""
    affine = plain_affine(photo, SIDE)
    return np.asarray((places - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T, np.float32)


def _print(name: str, sights: Sequence[Sight], found: Sequence[Points]) -> None:
    true = np.stack([sight.points.reshape(-1) for sight in sights])
    _show(name, point_errors(np.stack([each.reshape(-1) for each in found]), true))


def _show(name: str, errors: np.ndarray) -> None:
    mean = MeanValue.of([float(each) for each in errors]).as_json()
    print(
        f"{name}: mean {mean['value']:.4f} ({mean['low95']:.4f} to {mean['high95']:.4f}), "
        f"95 % below {np.quantile(errors, 0.95):.4f}, of {len(errors)}"
    )


def _by_point(sights: Sequence[Sight], found: Sequence[Points]) -> str:
    true = np.stack([sight.points for sight in sights])
    eyes = np.linalg.norm(true[:, 0] - true[:, 1], axis=1)
    off = (np.linalg.norm(np.stack(found) - true, axis=2) / eyes[:, None]).mean(0)
    names = ("eye", "eye", "nose", "corner", "corner")
    return "  ".join(f"{name} {each:.4f}" for name, each in zip(names, off, strict=True))


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="Measure a net that finds a face's points.")
    parser.add_argument("models", type=Path, help="the folder of the models' folders")
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    report(options.models, options.data)


if __name__ == "__main__":
    main()
