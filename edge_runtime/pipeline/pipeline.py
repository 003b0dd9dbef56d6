"""The loop: one frame in, one Snapshot out. Orders the stages and times them, decides nothing else.

Stages, in order: ``glance`` (small picture, motion), ``detect``, ``track``, ``crop``,
``classify``, ``recognize``; ``frame`` is all of them together and ``age`` the time from the picture
being taken to its result.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from edge_runtime.attention.attention import Attention, Manner
from edge_runtime.attention.detector import Detector
from edge_runtime.identity import Identity
from edge_runtime.pipeline.labeller import Labeller, Listener, Turn
from edge_runtime.pipeline.stopwatch import Stopwatch
from edge_runtime.telemetry.meters import LatencyMeter, RateMeter
from edge_runtime.types import (
    Allowance,
    Clock,
    Durations,
    Face,
    Frame,
    ModelInUse,
    Percentiles,
    Picture,
    Rates,
    Region,
    Snapshot,
)

STAGES: Final = ("glance", "detect", "track", "crop", "classify", "recognize", "frame", "age")

REFRESH_S: Final = 0.5
"""How often rates and percentiles are worked out anew: sorting windows per frame would cost more
than the frame."""


class Inflow(Protocol):
    """What the pipeline asks of the mailbox it is fed from."""

    def rates(self, processed: RateMeter) -> Rates: ...


class Recognizer(Protocol):
    """Says whose faces these are; people/recognizer.py has the one that does."""

    looks: int
    """Faces looked at since the start."""

    @property
    def invoke_s(self) -> float:
        """Seconds the last frame spent inside interpreters."""

    def recognize(
        self, picture: Picture, regions: Sequence[Region], now: float
    ) -> Mapping[int, Identity]:
        """By the regions' numbers."""


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
        self._recognizer: Recognizer | None = None
        self._recognizing: tuple[ModelInUse, ...] = ()
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
        self._durations: Mapping[str, Durations] = {}

    @property
    def invoke_s(self) -> float:
        """Seconds the last frame spent inside interpreters."""
        return self._invoke_s

    def median_ms(self, stage: str) -> float | None:
        """What a stage took lately; None when it was not needed."""
        latency = self._latency.get(stage)
        return latency.p50 if latency else None

    def exchange(
        self,
        *,
        models: tuple[ModelInUse, ...],
        turns: Sequence[Turn],
        detector: Detector | None = None,
        threshold: float = 0.0,
        sure_score: float | None = None,
        manner: Manner | None = None,
    ) -> None:
        """From the next frame on work with other models; not while a frame is processed.

        Faces keep their numbers: the tracker stays. Without ``detector`` the present one stays;
        ``threshold`` and ``sure_score`` are a new one's, and with it goes a new ``manner`` to look.
        """
        if detector is not None:
            if manner is not None:
                self._attention.adjust(**manner)
            self._attention.exchange(detector, threshold=threshold, sure_score=sure_score)
        self._labeller.exchange(turns)
        self._models = models

    def allow(self, allowance: Allowance) -> None:
        """Do no more than this from the next frame on; any thread may say so."""
        self._attention.allow(looks=allowance.looks, detect_every=allowance.detect_every)

    def listen(self, listener: Listener | None) -> None:
        """Let somebody hear every classifier's answers, or nobody."""
        self._labeller.listener = listener

    def recognize_by(
        self, recognizer: Recognizer | None, models: tuple[ModelInUse, ...] = ()
    ) -> None:
        """Ask it, with these models, whose faces are seen, or nobody; not while a frame is
        processed.
        """
        self._recognizer, self._recognizing = recognizer, models

    def rest(self, last: Snapshot) -> Snapshot:
        """``last`` brought up to date while no frame comes: no faces, rates of now."""
        self.refresh(self._clock())
        return replace(
            last,
            faces=(),
            possible_faces=(),
            rates=self._rates,
            latency=self._latency,
            durations=self._durations,
        )

    def process(self, frame: Frame) -> Snapshot:
        """Look at one frame. The caller closes it."""
        watch = Stopwatch(self._clock)
        attended = self._attention.attend(frame, watch.lap)
        faces = self._labeller.label(frame.picture, attended.regions, watch.lap)
        self._detections += len(attended.looks)
        self._invoke_s = self._attention.invoke_s + self._labeller.invoke_s
        if self._recognizer is not None:
            faces = self._named(self._recognizer, frame, faces, attended.regions)
            watch.lap("recognize")
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
            looks=attended.looks,
            stage_ms=watch.stage_ms,
            latency=self._latency,
            durations=self._durations,
            rates=self._rates,
            inferences=self._inferences(),
            frames_with_face=self._with_face,
            models=self._models + self._recognizing,
        )

    def _named(
        self,
        recognizer: Recognizer,
        frame: Frame,
        faces: tuple[Face, ...],
        regions: Sequence[Region],
    ) -> tuple[Face, ...]:
        said = recognizer.recognize(frame.picture, regions, frame.moment)
        self._invoke_s += recognizer.invoke_s
        return tuple(replace(face, identity=said[face.track]) for face in faces)

    def _inferences(self) -> int:
        # A face that is recognized is shown to two models.
        recognized = 2 * self._recognizer.looks if self._recognizer else 0
        return self._detections + self._labeller.inferences + recognized

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
        self._durations = {stage: self._meters[stage].durations() for stage in self._latency}
