"""Frame to Regions: glance, rest while nothing happens, look where it is worth it, follow."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypedDict, Unpack

import numpy as np

from edge_runtime import imaging
from edge_runtime.attention.budget import Budget, Purse
from edge_runtime.attention.detector import Detector
from edge_runtime.attention.gaze import Gaze
from edge_runtime.attention.merge import Seen, merged
from edge_runtime.attention.motion import Motion, MotionGate
from edge_runtime.attention.tracker import Tracker
from edge_runtime.attention.window import show
from edge_runtime.types import Box, Clock, Detection, Frame, Look, Luma, Region

Lap = Callable[[str], None]
"""Told the name of each stage when it is over."""

ONE_LOOK: Final = Budget(looks=1)


class Attended(NamedTuple):
    """Where to look in one frame."""

    regions: tuple[Region, ...]
    possible: tuple[Box, ...]
    """Where else a face may be: just lost, not yet confirmed, or too faint to count."""
    motion: float
    """Share of the view that moved, 0 to 1."""
    looks: tuple[Look, ...]
    """What the detector was shown; empty when it rested."""

    @property
    def detected(self) -> bool:
        """Whether the detector ran."""
        return bool(self.looks)


class Manner(TypedDict):
    """How to look, as the settings say."""

    motion_threshold: float
    """Share of the view that must change to count as motion; 0 looks at every frame."""
    idle_interval_s: float
    budget: Budget
    smallest_face: float
    """Share of the picture's longer side."""
    unseen_s: float


class _Allowed(NamedTuple):
    """What the governor allows; replaced whole, for another thread says so."""

    looks: int | None
    detect_every: int


class Attention:
    """Decides per frame where to look for faces, and follows those it finds.

    Without anything moving or anybody followed the glance is due every ``idle_interval_s``
    seconds. What the detector finds below ``threshold`` starts no face: it only continues one, or
    is a place where one may be. ``budget`` bounds the looks at one frame, ``gaze`` chooses them.
    """

    def __init__(
        self,
        detector: Detector,
        tracker: Tracker,
        *,
        threshold: float = 0.0,
        motion_threshold: float = 0.004,
        idle_interval_s: float = 1.0,
        budget: Budget = ONE_LOOK,
        smallest_face: float = 0.02,
        unseen_s: float = 10.0,
        clock: Clock = time.perf_counter,
    ) -> None:
        self._tracker = tracker
        self.adjust(
            motion_threshold=motion_threshold,
            idle_interval_s=idle_interval_s,
            budget=budget,
            smallest_face=smallest_face,
            unseen_s=unseen_s,
        )
        self._clock = clock
        self._allowed = _Allowed(None, 1)
        self._turn = 0
        self._faint: tuple[Box, ...] = ()
        self.invoke_s = 0.0
        """Seconds the last frame's looks spent inside the interpreter."""
        self.exchange(detector, threshold=threshold)

    def adjust(self, **manner: Unpack[Manner]) -> None:
        """Look in another manner from the next ``exchange`` on."""
        self._motion_threshold = manner["motion_threshold"]
        self._idle_interval_s = manner["idle_interval_s"]
        self._smallest_face, self._unseen_s = manner["smallest_face"], manner["unseen_s"]
        self._purse = Purse(manner["budget"])

    def exchange(
        self, detector: Detector, *, threshold: float, sure_score: float | None = None
    ) -> None:
        """Look with another detector from the next frame on; whoever is followed stays so.

        Scores of two detectors mean different things: ``sure_score`` is the tracker's new one.
        """
        self._detector = detector
        self._threshold = threshold
        if sure_score is not None:
            self._tracker.sure_score = sure_score
        width, height = detector.glance_size
        self._gate = MotionGate(width=width, height=height)
        self._gaze = Gaze(
            detector.glance_size,
            smallest_face=self._smallest_face,
            unseen_s=self._unseen_s,
            idle_interval_s=self._idle_interval_s,
            motion_threshold=self._motion_threshold,
        )
        self._glance: Luma = np.empty((height, width), np.uint8)
        self._close_up: Luma = np.empty((height, width), np.uint8)

    def allow(self, *, looks: int | None, detect_every: int) -> None:
        """From the next frame on take at most so many looks, on one of so many frames."""
        self._allowed = _Allowed(looks, detect_every)

    def attend(self, frame: Frame, lap: Lap) -> Attended:
        """The faces of ``frame``; laps ``glance``, ``detect`` and ``track``."""
        picture = (frame.picture.width, frame.picture.height)
        fit = imaging.letterbox(frame.luma, picture, self._glance)
        motion = self._gate.update(self._glance)
        now = frame.moment
        expected = self._tracker.expected(
            now, lambda boxes: motion.within(list(map(fit.to_input, boxes)))
        )
        allowed = self._allowed
        self._turn = (self._turn + 1) % allowed.detect_every
        looks: tuple[Look, ...] = ()
        if self._turn == 0:
            most = self._purse.looks(allowed.looks)
            looks = self._gaze.plan(now, picture, motion, expected, most)
        lap("glance")
        if not looks:
            return self._rest(now, motion)
        smallest_px = self._smallest_face * max(picture)
        found = [
            each
            for each in self._look(frame, looks, fit)
            if max(each.box.w, each.box.h) >= smallest_px
        ]
        lap("detect")
        attended = self._follow(found, now, motion, looks)
        lap("track")
        return attended

    def _rest(self, now: float, motion: Motion) -> Attended:
        """Nobody looked: faces are where they are expected, and doubtful places stay doubtful."""
        self.invoke_s = 0.0
        possible = (*self._tracker.possible(now), *self._faint)
        return Attended(self._tracker.expect(now), possible, motion.share, ())

    def _look(self, frame: Frame, looks: Sequence[Look], fit: imaging.Fit) -> tuple[Detection, ...]:
        began = self._clock()
        self.invoke_s = 0.0
        seen = []
        for look in looks:
            if look.reason == "glance":
                found = self._detector.detect(self._glance, fit, frame.picture)
            else:
                found = self._closer(frame, look.window)
            self.invoke_s += self._detector.invoke_s
            seen.append(Seen(look.window, found))
        self._purse.spent(len(looks), (self._clock() - began) * 1000)
        size = (frame.picture.width, frame.picture.height)
        return merged(
            seen,
            size,
            view_width=self._glance.shape[1],
            iou_threshold=self._detector.iou_threshold,
            threshold=self._threshold,
            lowest=self._detector.threshold,
        )

    def _closer(self, frame: Frame, window: Box) -> tuple[Detection, ...]:
        if self._detector.color != "luma":
            return self._detector.detect_in(frame.picture, window)
        fit = show(frame, window, self._close_up)
        return self._detector.detect(self._close_up, fit, frame.picture)

    def _follow(
        self,
        detections: Sequence[Detection],
        now: float,
        motion: Motion,
        looks: tuple[Look, ...],
    ) -> Attended:
        faces = [found for found in detections if found.score >= self._threshold]
        faint = detections[len(faces) :]  # they come best first
        regions = self._tracker.update(
            faces, now, faint=faint, covered=lambda boxes: self._gaze.covered(looks, boxes)
        )
        self._gaze.learn(looks, faces)
        self._faint = tuple(found.box for found in faint)
        self._gaze.hint(self._faint, now)
        possible = (*self._tracker.possible(now), *self._faint)
        return Attended(regions, possible, motion.share, looks)
