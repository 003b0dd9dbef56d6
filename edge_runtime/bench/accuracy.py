"""How well a detector finds faces in labelled pictures, and how often it sees one where none is.

Every picture is fitted into the model's input by area average and judged by itself: no tracker, no
second look. Intervals are percentiles 2.5 and 97.5 of bootstrap samples of the pictures (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from edge_runtime import imaging
from edge_runtime.attention.detector import Detector
from edge_runtime.average_precision import (
    Curve,
    Found,
    Judged,
    Verdicts,
    large_enough,
    verdicts,
)
from edge_runtime.bench.labels import LabelledPicture
from edge_runtime.capture.source import open_source
from edge_runtime.engine.engine import Engine
from edge_runtime.errors import SourceDamaged
from edge_runtime.store.model import Model
from edge_runtime.types import Box, Frame, JsonObject

LEAST_PARTS: Final = (0.1, 0.05)
"""Of the picture's long side: what is smaller need not be found."""

SURE: Final = 0.95
"""The precision that a second threshold is looked for."""

LOWEST_SCORE: Final = 0.05
"""Detections below are not asked for: the curve ends there."""

RESAMPLES, SEED = 1000, 7
INTERVAL: Final = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and where it lies with a confidence of 95 %."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        return {
            "value": round(self.value, 5),
            "low95": round(self.low, 5),
            "high95": round(self.high, 5),
        }


@dataclass(frozen=True, slots=True)
class SizeAccuracy:
    """For faces of at least a part of the picture's long side; None where there is none."""

    least_part: float
    faces: int
    average_precision: Estimate | None
    precision: Estimate | None
    """This and the next at the manifest's threshold."""
    recall: Estimate | None
    sure_threshold: Estimate | None
    """The lowest that gives 95 % precision; None when none does."""
    sure_recall: Estimate | None

    def as_json(self) -> JsonObject:
        figures = ("average_precision", "precision", "recall", "sure_threshold", "sure_recall")
        found = {name: getattr(self, name) for name in figures}
        return {"least_part": self.least_part, "faces": self.faces} | {
            name: each.as_json() if each else None for name, each in found.items()
        }


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Detections in pictures that show no face."""

    folder: Path
    pictures: int
    per_picture: tuple[tuple[float, Estimate], ...]
    """Threshold and detections a picture."""

    def as_json(self) -> JsonObject:
        alarms = [
            {"threshold": round(threshold, 5), "per_picture": each.as_json()}
            for threshold, each in self.per_picture
        ]
        return {"folder": str(self.folder), "pictures": self.pictures, "false_alarms": alarms}


@dataclass(frozen=True, slots=True)
class Accuracy:
    """All that was found out about one model."""

    model: Model
    pictures: int
    sizes: tuple[SizeAccuracy, ...]
    empty: tuple[FalseAlarms, ...]

    def as_json(self) -> JsonObject:
        manifest = self.model.manifest
        return {
            "model": manifest.name,
            "version": manifest.version,
            "sha256": self.model.sha256,
            "bytes": self.model.bytes,
            "threshold": manifest.threshold,
            "pictures": self.pictures,
            "sizes": [each.as_json() for each in self.sizes],
            "empty": [each.as_json() for each in self.empty],
        }


def detector_accuracy(
    model: Model,
    engine: Engine,
    pictures: Sequence[LabelledPicture],
    empty: Sequence[Path] = (),
) -> Accuracy:
    """Run a detector over labelled pictures, and over folders of pictures without a face.

    False alarms are counted at the manifest's threshold and at the one that is sure for the small
    faces. Raises SourceUnavailable or SourceDamaged for pictures, ModelRejected for the model.
    """
    threshold = model.manifest.threshold
    detector = Detector(engine, model.manifest, threshold=min(LOWEST_SCORE, threshold))
    judged = [_judged(detector, picture) for picture in pictures]
    sizes = tuple(_of_size(judged, part, threshold) for part in LEAST_PARTS)
    thresholds = [threshold]
    if sure := sizes[-1].sure_threshold:
        thresholds.append(sure.value)
    alarms = tuple(_false_alarms(detector, folder, thresholds) for folder in empty)
    return Accuracy(model, len(pictures), sizes, alarms)


def _judged(detector: Detector, label: LabelledPicture) -> tuple[Judged, int]:
    """A picture's detections beside its truth, and its long side; all in its pixels."""
    frame = next(_frames(label.file))
    size = frame.picture.width, frame.picture.height
    if label.size and label.size != size:
        raise SourceDamaged(
            f"{label.file} has {size[0]}x{size[1]} pixels, its label is for "
            f"{label.size[0]}x{label.size[1]}: the boxes would be misplaced"
        )
    found = _found(detector, frame)
    return Judged(found, _rows(label.faces), _rows(label.ignore)), max(size)


def _found(detector: Detector, frame: Frame) -> Found:
    picture = frame.picture
    width, height = detector.glance_size
    glance = np.empty((height, width), np.uint8)
    size = picture.width, picture.height
    fit = imaging.letterbox(picture.luma(), size, glance, by_area=True)
    found = detector.detect(glance, fit, picture)
    return np.array([(*each.box, each.score) for each in found], np.float32).reshape(-1, 5)


def _frames(path: Path) -> Iterator[Frame]:
    with open_source(f"pictures://{quote(str(path.absolute()))}") as source:
        yield from source


def _rows(boxes: Iterable[Box]) -> npt.NDArray[np.float32]:
    return np.array(list(boxes), np.float32).reshape(-1, 4)


def _of_size(judged: Sequence[tuple[Judged, int]], part: float, threshold: float) -> SizeAccuracy:
    found = verdicts(large_enough(picture, part * side) for picture, side in judged)
    faces = int(found.faces.sum())
    return SizeAccuracy(part, faces, *(_estimates(found, threshold) if faces else [None] * 5))


def _estimates(found: Verdicts, threshold: float) -> list[Estimate | None]:
    """The figures of a SizeAccuracy."""
    curve = found.curve()
    samples = [_figures(each, threshold) for each in found.resampled(RESAMPLES, SEED)]
    bounds = np.quantile(samples, INTERVAL, axis=0).T.tolist()
    values = zip(_figures(curve, threshold), bounds, strict=True)
    estimates = [Estimate(value, *pair) for value, pair in values]
    known = 5 if curve.threshold_for(SURE) else 3
    return [*estimates[:known], *[None] * (5 - known)]


def _figures(curve: Curve, threshold: float) -> list[float]:
    """Area, precision and recall at the threshold, then the sure threshold and its recall."""
    sure = curve.threshold_for(SURE)
    if sure is None:
        sure = 1.0  # what lets nothing through is never wrong
    return [curve.area, *curve.at(threshold), sure, curve.at(sure)[1]]


def _false_alarms(detector: Detector, folder: Path, thresholds: Sequence[float]) -> FalseAlarms:
    scores = [_found(detector, frame)[:, 4] for frame in _frames(folder)]
    counts = {
        threshold: np.array([int((each >= threshold).sum()) for each in scores])
        for threshold in thresholds
    }
    return FalseAlarms(
        folder, len(scores), tuple((each, _mean(count)) for each, count in counts.items())
    )


def _mean(counts: npt.NDArray[np.integer]) -> Estimate:
    rng = np.random.default_rng(SEED)
    drawn = rng.choice(counts, (RESAMPLES, len(counts))).mean(axis=1)
    low, high = np.quantile(drawn, INTERVAL).tolist()
    return Estimate(float(counts.mean()), low, high)
