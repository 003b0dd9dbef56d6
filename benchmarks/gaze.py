"""What closer looks find: ``python -m benchmarks.gaze --data DIR [--clips NAME…] [--json FILE]``.

Clips: each goes through the whole pipeline once for every budget; truth is YuNet at 960 px of the
long side (score 0.6 and more), which is a far larger net at twice the clip's size. Stills: held-out
photographs of WebFaces pasted small into scenes, and as they are; our detector with a glance alone
and with the whole pyramid beside YuNet at 320 px. DIR holds webfaces/, negatives/, videos/ and
teachers/. Times are processor time of the thread, on the one core it is bound to.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.performance_page import replaced
from edge_runtime.app.assembly import Assembly
from edge_runtime.average_precision import Judged, large_enough, verdicts
from edge_runtime.bench.labels import read_labels
from edge_runtime.capture.glance import glance_of_bgr
from edge_runtime.capture.picture import BgrPicture
from edge_runtime.capture.source import open_source
from edge_runtime.config import Config
from edge_runtime.mailbox import Mailbox
from edge_runtime.types import Bgr, Box, Frame

CLIPS = ("classroom", "face-demographics-walking-and-pause")
BUDGETS = ("1", "2", "4", "8", "full")
TRUTH_SIDE, TRUTH_SCORE = 960, 0.6
PEER_SIDE = 320
SAME = 0.4
"""Overlap from which on a found box is the true face: two detectors' boxes differ."""
LOWEST = 0.05
SCENE = (1280, 960)
SEED = 11

Rows = npt.NDArray[np.float32]
"""[n, 5]: left, top, width, height, score."""


class Yunet:
    """YuNet with the picture's long side brought to a size."""

    def __init__(self, data: Path, side: int, lowest: float) -> None:
        path = str(data / "teachers" / "yunet_n_dynamic.onnx")
        self._net = cv2.FaceDetectorYN.create(path, "", (side, side), lowest)
        self._side = side

    def find(self, bgr: Bgr) -> Rows:
        """Boxes in pixels of the picture, with scores."""
        scale = self._side / max(bgr.shape[:2])
        sized = cv2.resize(bgr, None, fx=scale, fy=scale)
        self._net.setInputSize((sized.shape[1], sized.shape[0]))
        found = self._net.detect(sized)[1]
        if found is None:
            return np.empty((0, 5), np.float32)
        return np.concatenate([found[:, :4] / scale, found[:, 14:15]], axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One clip under one budget."""

    clip: str
    budget: str
    frames: int
    faces: int
    recall: float
    false_faces: float
    """A frame, where YuNet sees nothing even at a score of 0.3."""
    looks: float
    """A frame."""
    ms: float
    """Median of attention and classification, a frame."""


def clip_rows(data: Path, clip: str, budgets: Sequence[str], smallest: float) -> list[ClipRow]:
    """Every budget on one clip."""
    path = data / "videos" / f"{clip}.mp4"
    teacher = Yunet(data, TRUTH_SIDE, 0.3)
    truths = [teacher.find(frame.picture.bgr()) for frame in frames_of(path)]
    return [clip_row(path, budget, truths, smallest) for budget in budgets]


def clip_row(path: Path, budget: str, truths: Sequence[Rows], smallest: float) -> ClipRow:
    faces = hits = false = looks = 0
    times: list[float] = []
    config = Config.model_validate({"detector": {"smallest_face": smallest}})
    with Assembly(config) as assembly:
        pipeline = assembly.pipeline(Mailbox(), budget=budget)
        for frame, truth in zip(frames_of(path), truths, strict=True):
            began = time.thread_time()
            snapshot = pipeline.process(frame)
            times.append((time.thread_time() - began) * 1000)
            found = [face.box for face in snapshot.faces]
            sure = [Box(*map(float, row[:4])) for row in truth if row[4] >= TRUTH_SCORE]
            sure = [box for box in sure if max(box.w, box.h) >= smallest * snapshot.width]
            maybe = [Box(*map(float, row[:4])) for row in truth]
            faces += len(sure)
            hits += sum(any(box.iou(other) >= SAME for other in found) for box in sure)
            false += sum(all(box.iou(other) < 0.2 for other in maybe) for box in found)
            looks += len(snapshot.looks)
    count = len(truths)
    return ClipRow(
        path.stem,
        budget,
        count,
        faces,
        round(hits / max(faces, 1), 4),
        round(false / count, 4),
        round(looks / count, 2),
        round(float(np.median(times)), 3),
    )


def frames_of(path: Path) -> Iterator[Frame]:
    """All frames of a clip, on its own clock."""
    with open_source(f"file://{quote(str(path.absolute()))}", wait=lambda seconds: None) as source:
        for frame in source:
            yield frame
            frame.close()


@dataclass(frozen=True, slots=True)
class StillRow:
    """One detector on one set of stills."""

    pictures: str
    detector: str
    ap_large: float
    """Faces of at least a tenth of the photograph's long side."""
    ap_small: float
    """At least a twentieth."""
    ms: float


@dataclass(frozen=True, slots=True)
class Still:
    """A picture and its truth."""

    bgr: Bgr
    faces: Rows
    ignore: Rows
    long_side: float
    """Of the photograph whose faces these are; what is large and small is relative to it."""


def photographs(data: Path) -> list[Still]:
    """The held-out photographs as they are."""
    stills = []
    for label in read_labels(data / "webfaces" / "val.jsonl"):
        bgr = np.asarray(cv2.imread(str(label.file)), np.uint8)
        rows = [np.array(list(boxes), np.float32).reshape(-1, 4) for boxes in _boxes(label)]
        stills.append(Still(bgr, *rows, float(max(bgr.shape[:2]))))
    return stills


def _boxes(label: object) -> tuple[Sequence[Box], Sequence[Box]]:
    return label.faces, label.ignore  # type: ignore[attr-defined]


def pasted(stills: Sequence[Still], data: Path) -> list[Still]:
    """Each photograph somewhere in a scene of four times its width, as a camera would see it."""
    rng = np.random.default_rng(SEED)
    scenes = sorted((data / "negatives" / "scenes").glob("*.jpg"))
    return [_pasted(still, scenes[int(rng.integers(len(scenes)))], rng) for still in stills]


def _pasted(still: Still, scene: Path, rng: np.random.Generator) -> Still:
    backdrop = np.asarray(cv2.resize(cv2.imread(str(scene)), SCENE), np.uint8)
    height, width = still.bgr.shape[:2]
    left = int(rng.integers(0, SCENE[0] - width + 1))
    top = int(rng.integers(0, SCENE[1] - height + 1))
    backdrop[top : top + height, left : left + width] = still.bgr
    shift = np.array([left, top, 0, 0], np.float32)
    return Still(backdrop, still.faces + shift, still.ignore + shift, still.long_side)


def still_rows(name: str, stills: Sequence[Still], data: Path, smallest: float) -> list[StillRow]:
    """A glance, the pyramid and YuNet, taking turns picture by picture."""
    config = Config.model_validate(
        {
            "detector": {"threshold": LOWEST, "smallest_face": smallest},
            "classify": {"models": []},
        }
    )
    peer = Yunet(data, PEER_SIDE, LOWEST)
    found: dict[str, list[Rows]] = {}
    times: dict[str, list[float]] = {}
    with Assembly(config) as assembly:

        def ours(budget: str, bgr: Bgr) -> Rows:
            pipeline = assembly.pipeline(
                Mailbox(), confirm=False, motion_threshold=0.0, budget=budget
            )
            frame = Frame(0, 0.0, glance_of_bgr(bgr), BgrPicture(bgr))
            faces = pipeline.process(frame).faces
            return np.array([(*f.box, f.score) for f in faces], np.float32).reshape(-1, 5)

        detectors = {
            "glance": lambda bgr: ours("1", bgr),
            "whole pyramid": lambda bgr: ours("full", bgr),
            f"YuNet_n at {PEER_SIDE}": peer.find,
        }
        for still in stills:
            for detector, find in detectors.items():
                began = time.thread_time()
                rows = find(still.bgr)
                times.setdefault(detector, []).append((time.thread_time() - began) * 1000)
                found.setdefault(detector, []).append(rows)
    return [
        StillRow(
            name,
            detector,
            *(_area(found[detector], stills, part) for part in (0.1, 0.05)),
            round(float(np.median(times[detector])), 3),
        )
        for detector in detectors
    ]


def _area(found: Sequence[Rows], stills: Sequence[Still], part: float) -> float:
    judged = [
        large_enough(Judged(rows, still.faces, still.ignore), part * still.long_side)
        for rows, still in zip(found, stills, strict=True)
    ]
    return round(verdicts(judged).curve().area, 4)


def table(rows: Sequence[ClipRow | StillRow]) -> str:
    """Markdown."""
    fields = list(asdict(rows[0]))
    lines = [f"| {' | '.join(fields)} |", "|" + "---|" * len(fields)]
    lines += [f"| {' | '.join(str(value) for value in asdict(row).values())} |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clips", nargs="*", default=CLIPS)
    parser.add_argument("--budgets", nargs="*", default=BUDGETS)
    parser.add_argument("--smallest-face", type=float, default=0.02, help="on clips")
    parser.add_argument("--stills", type=int, default=561, help="how many photographs")
    parser.add_argument("--json", type=Path, help="also write the rows there")
    parser.add_argument("--page", type=Path, help="also put the tables into docs/gaze.md")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    clips = [
        row
        for clip in arguments.clips
        for row in clip_rows(arguments.data, clip, arguments.budgets, arguments.smallest_face)
    ]
    tables = [table(clips)] if clips else []
    stills: list[StillRow] = []
    if arguments.stills:
        plain = photographs(arguments.data)[: arguments.stills]
        stills += still_rows("photographs", plain, arguments.data, 0.05)
        stills += still_rows("pasted small", pasted(plain, arguments.data), arguments.data, 0.0125)
        tables.append(table(stills))
    print("\n\n".join(tables))
    if arguments.page:
        page = arguments.page.read_text()
        arguments.page.write_text(replaced(page, "gaze", "\n\n".join(tables)))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in (*clips, *stills)], indent=1))


if __name__ == "__main__":
    main()
