"""The loop: one frame in, one Snapshot out. Orders the stages and times them, decides nothing else.

Stages, in order: ``glance`` (small picture, motion), ``detect``, ``track``, ``crop``,
``classify``; ``frame`` is all of them together and ``age`` the time from the picture being taken
to its result.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from edge_runtime.attention.attention import Attention, Lap
from edge_runtime.attention.crop import cut
from edge_runtime.classify import Classifier
from edge_runtime.telemetry.meters import LatencyMeter, RateMeter
from edge_runtime.types import (
    Clock,
    Face,
    Frame,
    ModelInUse,
    Percentiles,
    Picture,
    Rates,
    Region,
    Snapshot,
)

STAGES: Final = ("glance", "detect", "track", "crop", "classify", "frame", "age")

Labels = dict[str, Mapping[str, float]]
"""Model name to (label to score)."""

REFRESH_S: Final = 0.5
"""How often rates and percentiles are worked out anew: sorting windows per frame would cost more
than the frame."""


class Inflow(Protocol):
    """What the pipeline asks of the mailbox it is fed from."""

    def rates(self, processed: RateMeter) -> Rates: ...


class Stopwatch:
    """Milliseconds by stage of one frame."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = self._lapped = clock()
        self.stage_ms: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Everything since the last lap was ``stage``."""
        now = self._clock()
        # A stage may come more than once in a frame: each classifier crops and classifies.
        self.stage_ms[stage] = self.stage_ms.get(stage, 0.0) + (now - self._lapped) * 1000
        self._lapped = now

    def finish(self, taken_at: float) -> None:
        """Close the frame: its total, and its age since ``taken_at``."""
        self.stage_ms["frame"] = (self._lapped - self._began) * 1000
        self.stage_ms["age"] = max(0.0, self._lapped - taken_at) * 1000


class Labeller:
    """Asks every classifier about every face, each face in every ``every_n_frames``-th frame.

    Between its turns a face keeps what was last said of it.
    """

    def __init__(self, classifiers: Sequence[Classifier], *, every_n_frames: int = 1) -> None:
        self._classifiers = tuple(classifiers)
        self._every = every_n_frames
        self._frame = 0
        self._said: dict[int, tuple[int, Labels]] = {}
        self.inferences = 0
        """Classifier runs since the start."""
        self.invoke_s = 0.0
        """Seconds the last frame spent inside interpreters."""

    def label(self, picture: Picture, regions: Sequence[Region], lap: Lap) -> tuple[Face, ...]:
        """The regions with their labels; laps ``crop`` and ``classify``."""
        self._frame += 1
        self.invoke_s = 0.0
        due = [region for region in regions if self._due(region.track)]
        fresh: dict[int, Labels] = {region.track: {} for region in due}
        for classifier in self._classifiers if due else ():
            crops = [cut(picture, region, classifier.crop_spec) for region in due]
            lap("crop")
            for result in classifier.classify(crops):
                fresh[result.track][result.model] = result.scores
            lap("classify")
            self.invoke_s += classifier.invoke_s
            self.inferences += len(crops)
        self._remember(fresh)
        return tuple(Face(r.track, r.box, r.score, self._said[r.track][1]) for r in regions)

    def _due(self, track: int) -> bool:
        return track not in self._said or self._frame - self._said[track][0] >= self._every

    def _remember(self, fresh: Mapping[int, Labels]) -> None:
        self._said |= {track: (self._frame, labels) for track, labels in fresh.items()}
        stale = self._frame - self._every
        if len(self._said) > len(fresh):
            self._said = {t: said for t, said in self._said.items() if said[0] >= stale}


class Pipeline:
    """Attention and classifiers over frames, one after the other, in the caller's thread."""

    def __init__(
        self,
        attention: Attention,
        labeller: Labeller,
        *,
        models: tuple[ModelInUse, ...],
        inflow: Inflow,
        clock: Clock = time.monotonic,
    ) -> None:
        self._attention = attention
        self._labeller = labeller
        self._models = models
        self._clock = clock
        self._inflow = inflow
        self._meters = {stage: LatencyMeter() for stage in STAGES}
        self._processed = RateMeter(clock=clock)
        self._with_face = 0
        self._detections = 0
        self._invoke_s = 0.0
        self._refreshed_at = float("-inf")
        self._rates = inflow.rates(self._processed)
        self._latency: Mapping[str, Percentiles] = {}

    @property
    def invoke_s(self) -> float:
        """Seconds the last frame spent inside interpreters."""
        return self._invoke_s

    def rest(self, last: Snapshot) -> Snapshot:
        """``last`` brought up to date while no frame comes: no faces, rates of now."""
        self.refresh(self._clock())
        return replace(last, faces=(), possible_faces=(), rates=self._rates, latency=self._latency)

    def process(self, frame: Frame) -> Snapshot:
        """Look at one frame. The caller closes it."""
        watch = Stopwatch(self._clock)
        attended = self._attention.attend(frame, watch.lap)
        faces = self._labeller.label(frame.picture, attended.regions, watch.lap)
        self._detections += attended.detected
        self._invoke_s = self._labeller.invoke_s
        if attended.detected:
            self._invoke_s += self._attention.invoke_s
        watch.finish(frame.taken_at)
        self._count(faces, watch.stage_ms)
        return Snapshot(
            frame=frame.index,
            taken_at=frame.taken_at,
            width=frame.picture.width,
            height=frame.picture.height,
            faces=faces,
            possible_faces=attended.possible,
            motion=attended.motion,
            detected=attended.detected,
            stage_ms=watch.stage_ms,
            latency=self._latency,
            rates=self._rates,
            inferences=self._detections + self._labeller.inferences,
            frames_with_face=self._with_face,
            models=self._models,
        )

    def _count(self, faces: Sequence[Face], stage_ms: Mapping[str, float]) -> None:
        self._processed.add()
        self._with_face += bool(faces)
        for stage, milliseconds in stage_ms.items():
            self._meters[stage].add(milliseconds)
        now = self._clock()
        if now - self._refreshed_at >= REFRESH_S:
            self.refresh(now)

    def refresh(self, now: float) -> None:
        """Work out rates and percentiles for the next snapshots."""
        self._refreshed_at = now
        self._rates = self._inflow.rates(self._processed)
        every = {stage: meter.percentiles() for stage, meter in self._meters.items()}
        self._latency = {stage: p for stage, p in every.items() if p is not None}
