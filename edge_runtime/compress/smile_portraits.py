"""Smiling and neutral faces: ``source = "edge_runtime.compress.smile_portraits:smile_samples"``."""

from __future__ import annotations

import zlib
from pathlib import Path

from edge_runtime.compress.crop_samples import UNKNOWN, CropSamples, Group, Portrait
from edge_runtime.compress.crop_teacher import FOLDS
from edge_runtime.compress.lfw import read_lfw

CLASSES = {"neutral": 0, "happiness": 1, "": UNKNOWN}
"""The other expressions are too few to learn."""
SHARES = {0: 0.48, 1: 0.48, UNKNOWN: 0.04}
"""Of the crops; a teacher says what the unlabelled are."""


def smile_samples(data: Path) -> CropSamples:
    """LFW's portraits under a data folder that has ``faces/`` and ``teachers/``."""
    learnt = _portraits(data, "train")
    groups = [Group([p for p in learnt if p.label == label], SHARES[label]) for label in SHARES]
    held = [p for p in _portraits(data, "val") if p.label != UNKNOWN]
    return CropSamples([group for group in groups if group.portraits], held)


def _portraits(data: Path, split: str) -> list[Portrait]:
    """Folds are of people, so that no teacher knows anybody it is asked about."""
    return [
        Portrait(face.photo, CLASSES[face.expression], zlib.crc32(face.person.encode()) % FOLDS)
        for face in read_lfw(data, split)
        if face.expression in CLASSES
    ]
