"""Frame to Regions: glance, rest while nothing happens, detect, follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from edge_runtime import imaging
from edge_runtime.attention.detector import Detector
from edge_runtime.attention.motion import MotionGate
from edge_runtime.attention.tracker import Tracker
from edge_runtime.types import Box, Frame, Luma, Region

Lap = Callable[[str], None]
"""Told the name of each stage when it is over."""


class Attended(NamedTuple):
    """Where to look in one frame."""

    regions: tuple[Region, ...]
    possible: tuple[Box, ...]
    """Where else a face may be: just lost, not yet confirmed, or too faint to count."""
    motion: float
    """Share of the view that moved, 0 to 1."""
    detected: bool
    """Whether the detector ran."""


class Attention:
    """Decides per frame whether to look for faces, and follows those it finds.

    The detector runs on every frame while something moves or somebody is followed, otherwise every
    ``idle_interval_s`` seconds. What it finds below ``threshold`` starts no face: it only
    continues one, or is a place where one may be.
    """

    def __init__(
        self,
        detector: Detector,
        tracker: Tracker,
        *,
        threshold: float = 0.0,
        motion_threshold: float = 0.004,
        idle_interval_s: float = 1.0,
    ) -> None:
        self._tracker = tracker
        self._motion_threshold = motion_threshold
        self._idle_interval_s = idle_interval_s
        self._detected_at = float("-inf")
        self._detect_every = 1
        self._turn = 0
        self._held = Attended((), (), 0.0, False)
        self.exchange(detector, threshold=threshold)

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
        self._glance: Luma = np.empty((height, width), np.uint8)

    def allow(self, *, detect_every: int) -> None:
        """From the next frame on let the detector run at most on every so many frames."""
        self._detect_every = detect_every

    def attend(self, frame: Frame, lap: Lap) -> Attended:
        """The faces of ``frame``; laps ``glance``, ``detect`` and ``track``."""
        picture = frame.picture
        fit = imaging.letterbox(frame.luma, (picture.width, picture.height), self._glance)
        motion = self._gate.update(self._glance).share
        lap("glance")
        if not self._worth_a_look(motion, frame.moment):
            return Attended((), (), motion, False)
        self._turn = (self._turn + 1) % self._detect_every
        if self._turn:
            # Not an empty frame: pictures for people hide what is still known to be there.
            return self._held._replace(motion=motion, detected=False)
        self._detected_at = frame.moment
        detections = self._detector.detect(self._glance, fit, picture)
        lap("detect")
        faces = [found for found in detections if found.score >= self._threshold]
        faint = detections[len(faces) :]  # they come best first
        regions = self._tracker.update(faces, frame.moment, faint=faint)
        possible = (*self._tracker.possible(frame.moment), *(found.box for found in faint))
        lap("track")
        self._held = Attended(regions, possible, motion, True)
        return self._held

    @property
    def invoke_s(self) -> float:
        """Seconds the last detection spent inside the interpreter."""
        return self._detector.invoke_s

    def _worth_a_look(self, motion: float, now: float) -> bool:
        return (
            motion >= self._motion_threshold
            or self._tracker.active > 0
            or now - self._detected_at >= self._idle_interval_s
        )
