"""The loop: one frame in, one Snapshot out. Orders the stages and times them, decides nothing else.

Stages, in order: ``glance`` (small picture, motion), ``detect``, ``track``, ``crop``,
``classify``; ``frame`` is all of them together and ``age`` the time from the picture being taken
to its result.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from edge_runtime.attention.attention import Attention
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

REFRESH_S: Final = 0.5
"""How often rates and percentiles are worked out anew: sorting windows per frame would cost more
than the frame."""


class Inflow(Protocol):
    """What the pipeline needs to know of the mailbox."""

    @property
    def captured(self) -> int: ...

    @property
    def dropped(self) -> int: ...


class Stopwatch:
    """Milliseconds by stage of one frame."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = self._lapped = clock()
        self.stage_ms: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Everything since the last lap was ``stage``."""
        now = self._clock()
        self.stage_ms[stage] = (now - self._lapped) * 1000
        self._lapped = now

    def finish(self, taken_at: float) -> None:
        """Close the frame: its total, and its age since ``taken_at``."""
        self.stage_ms["frame"] = (self._lapped - self._began) * 1000
        self.stage_ms["age"] = max(0.0, self._lapped - taken_at) * 1000


class Flow:
    """Rates of what came, was processed and was dropped, from counts sampled now and then."""

    def __init__(self, inflow: Inflow, clock: Clock) -> None:
        self._inflow = inflow
        self._captured = RateMeter(clock=clock)
        self._processed = RateMeter(clock=clock)
        self._dropped = RateMeter(clock=clock)
        self._counted = [0, 0, 0]

    def rates(self, processed: int) -> Rates:
        """Totals and rates as of now."""
        totals = [self._inflow.captured, processed, self._inflow.dropped]
        meters = (self._captured, self._processed, self._dropped)
        for meter, total, counted in zip(meters, totals, self._counted, strict=True):
            meter.mark(total - counted)
        self._counted = totals
        fps = [meter.rate() for meter in meters]
        return Rates(fps[0], fps[1], fps[2], totals[0], totals[1], totals[2])


class Pipeline:
    """Attention and classifiers over frames, one after the other, in the caller's thread."""

    def __init__(
        self,
        attention: Attention,
        classifiers: Sequence[Classifier],
        *,
        models: tuple[ModelInUse, ...],
        inflow: Inflow,
        clock: Clock = time.monotonic,
    ) -> None:
        self._attention = attention
        self._classifiers = tuple(classifiers)
        self._models = models
        self._clock = clock
        self._flow = Flow(inflow, clock)
        self._meters = {stage: LatencyMeter() for stage in STAGES}
        self._processed = 0
        self._with_face = 0
        self._inferences = 0
        self._invoke_s = 0.0
        self._refreshed_at = float("-inf")
        self._rates = self._flow.rates(0)
        self._latency: Mapping[str, Percentiles] = {}

    @property
    def invoke_s(self) -> float:
        """Seconds the last frame spent inside interpreters."""
        return self._invoke_s

    def process(self, frame: Frame) -> Snapshot:
        """Look at one frame. The caller closes it."""
        watch = Stopwatch(self._clock)
        attended = self._attention.attend(frame, watch.lap)
        self._invoke_s = self._attention.invoke_s if attended.detected else 0.0
        self._inferences += attended.detected
        faces = self._classified(frame.picture, attended.regions, watch)
        watch.finish(frame.taken_at)
        self._count(faces, watch.stage_ms)
        return Snapshot(
            frame=frame.index,
            taken_at=frame.taken_at,
            width=frame.picture.width,
            height=frame.picture.height,
            faces=faces,
            motion=attended.motion,
            detected=attended.detected,
            stage_ms=watch.stage_ms,
            latency=self._latency,
            rates=self._rates,
            inferences=self._inferences,
            frames_with_face=self._with_face,
            models=self._models,
        )

    def _classified(
        self, picture: Picture, regions: Sequence[Region], watch: Stopwatch
    ) -> tuple[Face, ...]:
        if not regions:
            return ()
        labels: dict[int, dict[str, Mapping[str, float]]] = {r.track: {} for r in regions}
        crop_ms = classify_ms = 0.0
        for classifier in self._classifiers:
            crops = [cut(picture, region, classifier.crop_spec) for region in regions]
            watch.lap("crop")
            for result in classifier.classify(crops):
                labels[result.track][result.model] = result.scores
            watch.lap("classify")
            crop_ms += watch.stage_ms["crop"]
            classify_ms += watch.stage_ms["classify"]
            self._invoke_s += classifier.invoke_s
            self._inferences += len(crops)
        if self._classifiers:
            watch.stage_ms |= {"crop": crop_ms, "classify": classify_ms}
        return tuple(Face(r.track, r.box, r.score, labels[r.track]) for r in regions)

    def _count(self, faces: Sequence[Face], stage_ms: Mapping[str, float]) -> None:
        self._processed += 1
        self._with_face += bool(faces)
        for stage, milliseconds in stage_ms.items():
            self._meters[stage].add(milliseconds)
        now = self._clock()
        if now - self._refreshed_at >= REFRESH_S:
            self.refresh(now)

    def refresh(self, now: float) -> None:
        """Work out rates and percentiles for the next snapshots."""
        self._refreshed_at = now
        self._rates = self._flow.rates(self._processed)
        every = {stage: meter.percentiles() for stage, meter in self._meters.items()}
        self._latency = {stage: p for stage, p in every.items() if p is not None}
