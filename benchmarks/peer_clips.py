"""The frames everybody is shown, thirty at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.peer_detectors import Peer
from benchmarks.peer_figures import Kind
from edge_runtime.types import Bgr, Box

LENGTH: Final = 30
"""Frames of a turn: a second, and 28 MB of memory."""

EMPTY: Final = "empty-room.mp4"
EMPTY_EVERY: Final = 3
"""Of the empty room's turns one in so many is shown: slow peers take long enough."""
STILL_TURNS: Final = 4
STILL_SIZE: Final = (640, 480)
SENSOR_NOISE: Final = 2.5
"""Standard deviation, grey levels: a small sensor indoors."""

BETWEEN_S: Final = 10.0
"""From one clip to the next: long enough for everybody to be forgotten."""


class Segment(NamedTuple):
    """Some frames of a clip."""

    kind: Kind
    clip: str
    frames: npt.NDArray[np.uint8]
    """(n, height, width, 3), blue, green, red."""
    at: float
    """When the first was taken, seconds on one clock for all clips."""
    fps: float
    truth: tuple[Box | None, ...]
    counts: bool = True

    def save(self, file: Path) -> None:
        np.save(file, self.frames)


class Clips:
    """Clips with a face, then a still scene, then people passing whose faces are not seen."""

    def __init__(self, folder: Path, truth: Peer | None, most: int | None) -> None:
        self._folder, self._truth, self._most = folder, truth, most
        self._now = 0.0
        self.counts: list[bool] = []
        """By segment, whether it is a measurement."""

    def segments(self) -> Iterator[Segment]:
        for make in (self._with_face, self._still, self._empty):
            for number, segment in enumerate(make()):
                if self._most is not None and number >= self._most:
                    break
                if segment.kind == "face":
                    self.last_with_face = segment
                self.counts.append(segment.counts)
                yield segment
            self._now += BETWEEN_S

    def later(self) -> float:
        """A time after everything."""
        self._now += BETWEEN_S
        return self._now

    def _with_face(self) -> Iterator[Segment]:
        for file in sorted(self._folder.glob("person_*")):
            for frames, fps in chunks(file):
                truth = tuple(self._face(bgr) for bgr in frames)
                yield self._segment("face", file.name, frames, fps, truth)
            self._now += BETWEEN_S

    def _still(self) -> Iterator[Segment]:
        """An empty room under sensor noise, the first second of which is for settling."""
        frames, _ = next(chunks(self._folder / EMPTY))
        scene = cv2.resize(frames[0], STILL_SIZE).astype(np.float32)
        rng = np.random.default_rng(7)
        for number in range(STILL_TURNS + 1):
            noisy = scene + rng.normal(0, SENSOR_NOISE, (LENGTH, *scene.shape)).astype(np.float32)
            still = np.clip(noisy + 0.5, 0, 255).astype(np.uint8)
            segment = self._segment("still", "a still room", still, 30.0)
            yield segment._replace(counts=number > 0)

    def _empty(self) -> Iterator[Segment]:
        for number, (frames, fps) in enumerate(chunks(self._folder / EMPTY)):
            segment = self._segment("empty", EMPTY, frames, fps)
            if number % EMPTY_EVERY == 0:
                yield segment

    def _segment(
        self,
        kind: Kind,
        clip: str,
        frames: npt.NDArray[np.uint8],
        fps: float,
        truth: tuple[Box | None, ...] | None = None,
    ) -> Segment:
        at = self._now
        self._now += len(frames) / fps
        return Segment(kind, clip, frames, at, fps, truth or (None,) * len(frames))

    def _face(self, bgr: Bgr) -> Box | None:
        found = self._truth.find(bgr) if self._truth else []
        return found[0] if found else None


def chunks(file: Path) -> Iterator[tuple[npt.NDArray[Any], float]]:
    """A video's frames by LENGTH, and their rate."""
    capture = cv2.VideoCapture(str(file))
    if not capture.isOpened():
        raise SystemExit(f"{file} cannot be read as a video")
    fps = capture.get(cv2.CAP_PROP_FPS) or 30.0
    held: list[Bgr] = []
    while True:
        there, bgr = capture.read()
        if there:
            held.append(np.asarray(bgr, np.uint8))
        if held and (not there or len(held) == LENGTH):
            yield np.stack(held), fps
            held = []
        if not there:
            return
