"""Metrics of the cameras: each sample carries the camera's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final, TypeVar, cast

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from edge_runtime.types import DURATION_BOUNDS_MS, Camera, Durations, Snapshot
from edge_runtime.web.sight import Sight

PREFIX: Final = "edge_runtime_"
_BOUNDS: Final = (*(str(bound / 1000) for bound in DURATION_BOUNDS_MS), "+Inf")

Family = GaugeMetricFamily | CounterMetricFamily | HistogramMetricFamily
Kind = TypeVar("Kind", GaugeMetricFamily, CounterMetricFamily, HistogramMetricFamily)


def camera_metrics(sights: Iterable[Sight], now: float) -> Iterator[Metric]:
    """One family per name, as the text format wants it, with the samples of all cameras."""
    families: dict[str, Family] = {}
    for sight in sights:
        samples = _Samples({"camera": sight.name}, families)
        _of_camera(sight.camera, samples)
        samples.counter("frames_skipped", "Frames left with the camera.", sight.skipped)
        if sight.snapshot is not None:
            _of_snapshot(sight.snapshot, now, samples)
    yield from families.values()


class _Samples:
    """Adds the samples of one camera to the families of all."""

    def __init__(self, labels: dict[str, str], families: dict[str, Family]) -> None:
        self._labels, self._families = labels, families

    def gauge(self, name: str, meaning: str, value: float, **labels: str) -> None:
        family, values = self._family(GaugeMetricFamily, name, meaning, labels)
        family.add_metric(values, value)

    def counter(self, name: str, meaning: str, value: float) -> None:
        family, values = self._family(CounterMetricFamily, name, meaning, {})
        family.add_metric(values, value)

    def histogram(self, name: str, meaning: str, durations: Durations, **labels: str) -> None:
        family, values = self._family(HistogramMetricFamily, name, meaning, labels)
        buckets = list(zip(_BOUNDS, accumulate(durations.counts), strict=True))
        family.add_metric(values, buckets, durations.sum_ms / 1000)

    def _family(
        self, kind: type[Kind], name: str, meaning: str, own: dict[str, str]
    ) -> tuple[Kind, tuple[str, ...]]:
        """The family of that name, made when its first sample comes, and the sample's labels."""
        labels = self._labels | own
        family = self._families.setdefault(name, kind(PREFIX + name, meaning, labels=tuple(labels)))
        return cast(Kind, family), tuple(labels.values())


def _of_camera(camera: Camera, samples: _Samples) -> None:
    for state in ("opening", "streaming", "lost", "ended"):
        meaning = "1 for the state the camera is in."
        samples.gauge("camera_state", meaning, camera.state == state, state=state)
    samples.counter("camera_reopened", "Times it was lost and came back.", camera.reopened)


def _of_snapshot(snapshot: Snapshot, now: float, samples: _Samples) -> None:
    rates, age = snapshot.rates, max(0.0, now - snapshot.taken_at)
    samples.counter("frames_captured", "Frames the camera delivered.", rates.captured)
    samples.counter("frames_processed", "Frames with a result.", rates.processed)
    samples.counter("frames_dropped", "Frames replaced by newer ones unseen.", rates.dropped)
    samples.counter("frames_with_face", "Frames with a face.", snapshot.frames_with_face)
    samples.counter("inferences", "Model runs.", snapshot.inferences)
    samples.gauge("faces", "Faces in the last frame.", len(snapshot.faces))
    samples.gauge("motion_ratio", "Share of the view that changed.", snapshot.motion)
    samples.gauge("frame_age_seconds", "Since the last frame.", age)
    for kind in ("captured", "processed", "dropped"):
        rate = getattr(rates, f"{kind}_fps")
        if rate is not None:
            samples.gauge("frame_rate_hertz", "Over a window of seconds.", rate, frames=kind)
    for stage, durations in snapshot.durations.items():
        meaning = "What a stage took; frame is all of them, age from the picture to its result."
        samples.histogram("stage_duration_seconds", meaning, durations, stage=stage)
