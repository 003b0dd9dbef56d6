"""The live view: one small picture for all viewers, none while nobody watches.

Three parties meet here. The pipeline's thread leaves a small copy of a frame, at most ``fps`` times
a second and only if a viewer is ready for another; a worker's thread pixelates, draws and
compresses it; viewers in the server's event loop wait for the result. None of them ever waits for a
slower one. How often, how large and how good pictures are follows the slowest viewer: ``fidelity``.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from edge_runtime import drawing, imaging, jpeg
from edge_runtime.types import Bgr, Box, Clock, Face, Frame, Snapshot
from edge_runtime.web.fidelity import Fidelity
from edge_runtime.web.viewer import Shot, Viewer

HIDDEN_MARGIN: Final = 0.15
"""Pixelation reaches this share of the face's size over its box: hair and chin tell a lot."""


@dataclass(frozen=True, slots=True)
class _Offer:
    bgr: Bgr
    faces: tuple[Face, ...]
    possible_faces: tuple[Box, ...]
    scale: float


class Preview:
    """The newest picture with its faces marked, for up to ``max_viewers`` at once."""

    def __init__(
        self,
        *,
        fps: float = 10.0,
        width: int = 640,
        quality: int = 75,
        pixelate: bool = True,
        max_viewers: int = 8,
        stale_after_s: float = 2.0,
        clock: Clock = time.monotonic,
    ) -> None:
        self.pixelate = pixelate
        self.max_viewers = max_viewers
        self._fidelity = Fidelity(fps=fps, width=width, quality=quality, clock=clock)
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._lock = threading.Condition()
        # Replaced, never changed: the pipeline's thread looks through them without the lock.
        self._viewers: frozenset[Viewer] = frozenset()
        # Endless while nobody watches: then ``wanted`` is one comparison and nothing else.
        self._due = math.inf
        self._offered: _Offer | None = None
        self._last: Bgr | None = None
        self._seen_at = self._faded_at = -math.inf
        self._newest: Shot | None = None
        self._count = 0

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    @property
    def newest(self) -> Shot | None:
        """None before the first picture and while nobody watches."""
        return self._newest

    @property
    def fidelity(self) -> Fidelity:
        """What pictures are like now, and why."""
        return self._fidelity

    def wanted(self, now: float) -> bool:
        """Whether the next picture is due and somebody is ready for it (90 ns if none is due).

        To be asked about every frame: that frames come is how it knows that they did not stop.
        """
        self._seen_at = now
        return now >= self._due and any(viewer.waits for viewer in self._viewers)

    def offer(self, frame: Frame, snapshot: Snapshot) -> None:
        """Leave a small copy for ``encode_next``; an older one nobody took is replaced.

        The frame may be closed afterwards. Call it when ``wanted`` says so.
        """
        bgr = frame.picture.bgr()
        height, width = bgr.shape[:2]
        step = self._fidelity.step
        scale = min(1.0, step.width / width)
        small = imaging.resized(bgr, round(width * scale), max(1, round(height * scale)))
        with self._lock:
            if self._viewers:
                self._offered = _Offer(
                    small,
                    snapshot.faces,
                    snapshot.possible_faces,
                    small.shape[1] / snapshot.width,
                )
                self._due = self._next_due(1 / step.fps)
                self._lock.notify()

    def _next_due(self, interval_s: float) -> float:
        # From when this one was due, not from when its frame came: else 10 a second out of a
        # camera's 30 would become 7.5.
        self._seen_at = now = self._clock()
        due = self._due if math.isfinite(self._due) else now
        return max(due + interval_s, now + interval_s / 2)

    def encode_next(self, timeout_s: float) -> bool:
        """Make the next picture for all viewers; False when there was none within ``timeout_s``.

        For a thread of its own that calls it over and over, with at most 1 s of timeout.
        """
        with self._lock:
            self._lock.wait_for(lambda: self._offered is not None, timeout_s)
            offered, self._offered = self._offered, None
        if offered is None:
            return self._encode_faded()
        began = self._clock()
        self._last = self._marked(offered)
        self._publish(self._last, live=True)
        took_s = self._clock() - began
        with self._lock:  # whoever comes in meanwhile starts it anew
            self._fidelity.made(took_s, self._viewers)
        return True

    @contextmanager
    def watch(self) -> Iterator[Viewer | None]:
        """Be a viewer for the length of the block; None when there are too many already."""
        viewer = self._enter()
        try:
            yield viewer
        finally:
            if viewer is not None:
                self._leave(viewer)

    def _enter(self) -> Viewer | None:
        with self._lock:
            if len(self._viewers) >= self.max_viewers:
                return None
            loop = asyncio.get_running_loop()
            viewer = Viewer(lambda: self._newest, loop, self._clock)
            if not self._viewers:
                self._due = -math.inf
                self._fidelity.reset()
            self._viewers |= {viewer}
        return viewer

    def _leave(self, viewer: Viewer) -> None:
        with self._lock:
            self._viewers -= {viewer}
            if not self._viewers:
                # No picture outlives the last viewer.
                self._due = math.inf
                self._offered = self._last = self._newest = None

    def _marked(self, offered: _Offer) -> Bgr:
        if self.pixelate:
            found = (face.box for face in offered.faces)
            boxes = (*found, *offered.possible_faces)
            imaging.pixelate(offered.bgr, [_wider(box, offered.scale) for box in boxes])
        drawing.draw_faces(offered.bgr, offered.faces, offered.scale)
        return offered.bgr

    def _encode_faded(self) -> bool:
        """Once a second after the pictures stopped: the last one, grey, saying so."""
        last, now = self._last, self._clock()
        age_s = now - self._seen_at
        if last is None or age_s < self._stale_after_s or now - self._faded_at < 1:
            return False
        self._faded_at = now
        faded = last.copy()
        drawing.fade(faded, f"No new picture for {age_s:.0f} s")
        self._publish(faded, live=False)
        return True

    def _publish(self, bgr: Bgr, *, live: bool) -> None:
        data = jpeg.encode(bgr, self._fidelity.step.quality)
        with self._lock:
            if self._viewers:
                self._count += 1
                self._newest = Shot(self._count, data, live)
                for viewer in self._viewers:
                    viewer.wake()
            else:
                self._last = None


def _wider(box: Box, scale: float) -> Box:
    """The box on the small picture, with the hidden margin on every side."""
    across, down = box.w * HIDDEN_MARGIN, box.h * HIDDEN_MARGIN
    return Box(
        (box.x - across) * scale,
        (box.y - down) * scale,
        (box.w + 2 * across) * scale,
        (box.h + 2 * down) * scale,
    )
