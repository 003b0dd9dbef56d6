"""Faces with and without masks: ``source = "edge_runtime.compress.mask_portraits:mask_samples"``.

The two classes come from different places, and a net may learn the places. So plain faces of LFW
join those without a mask, masks are drawn onto both, and other things hide faces of both classes.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.compress.crop_samples import CropSamples, Group, Portrait
from edge_runtime.compress.face_covers import hide_above, hide_without_mask, wear_mask
from edge_runtime.compress.face_crops import turned_crop
from edge_runtime.compress.face_pools import clip_frames, grey, splitter
from edge_runtime.compress.lfw import read_lfw
from edge_runtime.compress.photos import Boxes, photo_of, read_luma
from edge_runtime.compress.teacher import CACHE, SURE_FACE, YunetTeacher, label_all

BARE, MASKED = 0, 1
CLASSES = {"without_mask": BARE, "with_mask": MASKED}
CLIPS, CLIP_STEP = "videos/person_*.mkv", 10
REAL_SHARE, DRAWN_SHARE = 0.3, 0.2
"""Of all crops: real masks, and drawn ones; half of all have none."""
SMALLEST_PX = 20
"""The larger side of the smallest face that a crop is cut from."""
COPY_PX, COPY_ANGLES, COPY_LIKENESS = 16, (-20, -10, 0, 10, 20), 0.9
"""Faces correlating that much at that size are taken for the same photograph."""


def mask_samples(data: Path) -> CropSamples:
    """Pictures under a data folder that has ``faces/`` and ``teachers/``."""
    examined = read_masks(data, "val")
    real, lfw = without_copies(read_masks(data, "train"), examined), bare_lfw(data, "train")
    bare = [portrait for portrait in real if portrait.label == BARE]
    groups = [
        Group([p for p in real if p.label == MASKED], REAL_SHARE, hide_above),
        Group(masked(lfw + bare), DRAWN_SHARE, wear_mask),
        Group(bare, 0.25, hide_without_mask),
        Group(lfw, 0.25, hide_without_mask),
    ]
    others = bare_lfw(data, "val")
    elsewhere = {
        "LFW": Group(others, 1.0),
        "LFW, masks drawn on": Group(masked(others), 1.0, wear_mask),
        "LFW, other things drawn on": Group(others, 1.0, hide_without_mask),
        "desk clips": Group(bare_clips(data), 1.0),
    }
    return CropSamples(groups, examined, elsewhere)


def read_masks(data: Path, split: str) -> list[Portrait]:
    """One face of every picture of `split` in which the teacher finds any."""
    mine = splitter(split)
    with (data / "faces" / "mask.csv").open(encoding="utf-8") as table:
        kinds = {f"faces/{row['file']}": row["label"] for row in csv.DictReader(table)}
    labels = label_all(data, filter(mine, kinds), CACHE / f"mask-{split}.npz")
    boxes = {name: _first_face(labels[name]) for name in kinds if mine(name)}
    return [
        Portrait(photo_of(read_luma(data / name), box), CLASSES[kinds[name]])
        for name, box in boxes.items()
        if box is not None
    ]


def bare_lfw(data: Path, split: str) -> list[Portrait]:
    """Portraits from years in which nobody was photographed with a mask."""
    return [Portrait(face.photo, BARE) for face in read_lfw(data, split)]


def bare_clips(data: Path) -> list[Portrait]:
    """People at a desk, before a camera nothing was learnt from; three frames a second."""
    teacher = YunetTeacher(data)
    found: list[Portrait] = []
    for clip in sorted(data.glob(CLIPS)):
        for frame in clip_frames(clip, CLIP_STEP):
            box = _first_face(teacher.find(frame))
            if box is not None:
                found.append(Portrait(photo_of(grey(frame), box), BARE))
    return found


def masked(portraits: list[Portrait]) -> list[Portrait]:
    """The same faces, to be dressed with masks."""
    return [Portrait(portrait.photo, MASKED) for portrait in portraits]


def without_copies(learnt: list[Portrait], examined: list[Portrait]) -> list[Portrait]:
    """Those learnt from that are no copies, mirrored or turned, of any examined.

    The set has the same photograph several times, some of them turned, on both sides of its split.
    """
    seen = np.concatenate(
        [
            _thumbnails(examined, float(np.radians(degrees)), flip)
            for degrees in COPY_ANGLES
            for flip in (-1, 1)
        ]
    )
    likeness = (_thumbnails(learnt, 0.0, 1) @ seen.T).max(1)
    return [p for p, alike in zip(learnt, likeness, strict=True) if alike < COPY_LIKENESS]


def _thumbnails(portraits: list[Portrait], angle: float, flip: int) -> NDArray[np.float32]:
    """[n, 256]: small crops of mean 0 and length 1, so that a product is a correlation."""
    crops = [turned_crop(portrait.photo, COPY_PX, angle, flip) for portrait in portraits]
    rows = np.stack(crops).reshape(len(crops), -1).astype(np.float32)
    rows -= rows.mean(1, keepdims=True)
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6), np.float32)


def _first_face(boxes: Boxes) -> Boxes | None:
    """[1, 4]: the largest sure face, for labels speak of it; if none is sure, the surest."""
    boxes = boxes[boxes[:, 2:4].max(1, initial=0.0) >= SMALLEST_PX]
    if not len(boxes):
        return None
    sure = boxes[:, 4] >= SURE_FACE
    rank = boxes[:, 2] * boxes[:, 3] * sure if sure.any() else boxes[:, 4]
    return boxes[int(np.argmax(rank))][None, :4]
