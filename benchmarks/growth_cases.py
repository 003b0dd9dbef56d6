"""What is measured for the growth of cost: a pipeline, its frames, and its turns."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final, NamedTuple

from benchmarks.growth_scenes import Size, crowd, places, portraits, stirred
from edge_runtime.app.assembly import Assembly
from edge_runtime.capture.glance import glance_of_bgr
from edge_runtime.capture.picture import BgrPicture
from edge_runtime.closeable import Closeable
from edge_runtime.config import load_config
from edge_runtime.mailbox import Mailbox
from edge_runtime.store.catalogue import packaged_models
from edge_runtime.types import Bgr, Box, Face, Frame

FACES: Final = (0, 1, 2, 5, 10, 20, 50)
SIZES: Final[tuple[Size, ...]] = (
    (320, 240),
    (640, 480),
    (1280, 720),
    (1920, 1080),
    (3840, 2160),
)
CLASSIFIERS: Final = (1, 2, 4, 8)
USUAL: Final[Size] = (640, 480)

CROWDED, LARGE = 0.094, 0.19
"""A portrait's width of the picture's: so small that fifty fit, and as at a desk."""
POOL: Final = 8
"""Galleries of fifty that are looked at to find fifty people whom the detector sees so small."""

TURN: Final = 30
"""Frames in a row: a second, in which whatever has a cadence has its turn."""
SETTLE: Final = 2
"""Turns before the first that counts: everybody is followed and caches are warm."""
MOST_BYTES: Final = 100 << 20
"""Of distinct frames in memory."""
FPS: Final = 30


class Cost(NamedTuple):
    """A turn's mean for a frame."""

    cpu_ms: float
    """This thread's processor time."""
    wall_ms: float
    plane_ms: float
    """Processor time of making the small plane, which a Pi's camera delivers; not in the above."""
    faces: float


class Case(Closeable):
    """One point of a curve."""

    def __init__(self, x: float, label: str, frames: list[Bgr], settings: dict[str, Any]) -> None:
        self.x, self.label = x, label
        self._frames = frames
        self._assembly = Assembly(load_config(None, {}, {"engine.threads": 1} | settings))
        self._pipeline = self._assembly.pipeline(Mailbox())
        self._seen = 0
        self.costs: list[Cost] = []

    def turn(self) -> None:
        """Some frames in a row."""
        shown = [self._next() for _ in range(TURN)]
        if self._seen > SETTLE * TURN:
            self.costs.append(Cost(*map(fmean, zip(*shown, strict=True))))

    def _next(self) -> Cost:
        bgr = self._frames[self._seen % len(self._frames)]
        began = time.thread_time()
        luma = glance_of_bgr(bgr)
        frame = Frame(self._seen, self._seen / FPS, luma, BgrPicture(bgr))
        made, wall = time.thread_time(), time.perf_counter()
        snapshot = self._pipeline.process(frame)
        ended, wall_ended = time.thread_time(), time.perf_counter()
        self._seen += 1
        return Cost(
            (ended - made) * 1000,
            (wall_ended - wall) * 1000,
            (made - began) * 1000,
            len(snapshot.faces),
        )

    def point(self, reference: Case) -> dict[str, Any]:
        """Medians of the turns, and how many times the reference's cost in the same round."""
        pairs = zip(self.costs, reference.costs, strict=True)
        ratios = sorted(mine.cpu_ms / its.cpu_ms for mine, its in pairs)
        return {
            "x": self.x,
            "label": self.label,
            **{
                name: round(median(getattr(cost, name) for cost in self.costs), 4)
                for name in Cost._fields
            },
            "low_ms": round(min(cost.cpu_ms for cost in self.costs), 4),
            "times": round(median(ratios), 2),
        }

    def close(self) -> None:
        self._assembly.close()


class Series(NamedTuple):
    """A curve's points and which of them is its measure."""

    cases: list[Case]
    reference: int

    def points(self) -> list[dict[str, Any]]:
        return [case.point(self.cases[self.reference]) for case in self.cases]


def by_faces(data: Path) -> Series:
    """0 to 50 faces of one size; twice 0: nothing moves, and something does."""
    heads, boxes = seen(data), places(max(FACES), USUAL, CROWDED)
    cases = [Case(0, "0, still", crowd([], [], USUAL, TURN), {})]
    for count in FACES:
        frames = crowd(heads[:count], boxes, USUAL, TURN) if count else stirred(USUAL, TURN)
        cases.append(Case(count, str(count), frames, {}))
    return Series(cases, 2)


def seen(data: Path) -> list[Bgr]:
    """The people whom the detector is surest of, best first: the cost is asked for, no recall."""
    most = max(FACES)
    boxes, rated = places(most, USUAL, CROWDED), []
    heads = portraits(data, POOL * most)
    with Assembly(load_config(None, {}, {"engine.threads": 1})) as assembly:
        pipeline = assembly.pipeline(Mailbox(), confirm=False, motion_threshold=0)
        for index in range(POOL):
            shown = heads[index * most : (index + 1) * most]
            bgr = crowd(shown, boxes, USUAL, 1)[0]
            # So much later that nobody is taken for who was there before.
            frame = Frame(index, index * 60.0, glance_of_bgr(bgr), BgrPicture(bgr))
            faces = pipeline.process(frame).faces
            rated += [(score_at(box, faces), head) for box, head in zip(boxes, shown, strict=True)]
    rated.sort(key=lambda pair: -pair[0])
    return [head for _, head in rated[:most]]


def score_at(place: Box, faces: Sequence[Face]) -> float:
    """The best score of a face whose middle is in the place; 0 where there is none."""
    inside = [
        face.score
        for face in faces
        if place.x <= face.box.centre[0] <= place.right
        and place.y <= face.box.centre[1] <= place.bottom
    ]
    return max(inside, default=0.0)


def by_size(data: Path) -> Series:
    """One face, a fifth of the picture wide, in pictures up to 4K."""
    heads = portraits(data, 1)
    return Series([_sized(heads, size) for size in SIZES], SIZES.index(USUAL))


def _sized(heads: list[Bgr], size: Size) -> Case:
    frames = min(TURN, MOST_BYTES // (size[0] * size[1] * 3))
    pictures = crowd(heads, places(1, size, LARGE), size, frames)
    return Case(size[0] * size[1] / 1e6, f"{size[0]}x{size[1]}", pictures, {})


def by_classifiers(data: Path, folder: Path) -> Series:
    """One face asked about by 1 to 8 classifiers, `smile` and `mask` in turn."""
    names = list(copies(folder, max(CLASSIFIERS)))
    frames = crowd(portraits(data, 1), places(1, USUAL, LARGE), USUAL, TURN)
    cases = [
        Case(
            count,
            str(count),
            frames,
            {"models.dirs": [str(folder)], "classify.models": names[:count]},
        )
        for count in CLASSIFIERS
    ]
    return Series(cases, 0)


def copies(folder: Path, count: int) -> Iterator[str]:
    """Copies of the shipped classifiers under names of their own, as model folders."""
    shipped = packaged_models()
    if shipped is None:
        raise SystemExit("the shipped models are missing: run this in a checkout")
    for number in range(count):
        source = ("smile", "mask")[number % 2]
        name = f"{source}-{number // 2 + 1}"
        shutil.copytree(shipped / source, folder / name)
        manifest = folder / name / "manifest.json"
        described = json.loads(manifest.read_text()) | {"name": name}
        manifest.write_text(json.dumps(described))
        yield name


def measure(series: list[Series], rounds: int) -> None:
    """All cases in turn, again and again, so that noise hits all alike."""
    for _ in range(rounds + SETTLE):
        for each in series:
            for case in each.cases:
                case.turn()


def closing_all(series: list[Series]) -> Iterator[closing[Case]]:
    return (closing(case) for each in series for case in each.cases)
