"""Metrics of the cameras; with several of them each sample carries the camera's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from edge_runtime.types import Camera, Snapshot
from edge_runtime.web.sight import Sight

PREFIX: Final = "edge_runtime_"
_QUANTILES: Final = (("p50", "0.5"), ("p95", "0.95"), ("p99", "0.99"))

Family = GaugeMetricFamily | CounterMetricFamily


def camera_metrics(sights: Iterable[Sight], now: float) -> Iterator[Metric]:
    """One family per name, as the text format wants it, with the samples of all cameras."""
    known = tuple(sights)
    families: dict[str, Family] = {}
    for sight in known:
        samples = _Samples({"camera": sight.name} if len(known) > 1 else {}, families)
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
        self._add(GaugeMetricFamily, name, meaning, value, labels)

    def counter(self, name: str, meaning: str, value: float) -> None:
        self._add(CounterMetricFamily, name, meaning, value, {})

    def _add(
        self, kind: type[Family], name: str, meaning: str, value: float, own: dict[str, str]
    ) -> None:
        labels = self._labels | own
        if name not in self._families:
            self._families[name] = kind(PREFIX + name, meaning, labels=tuple(labels))
        self._families[name].add_metric(tuple(labels.values()), value)


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
    _latency(snapshot, samples)


def _latency(snapshot: Snapshot, samples: _Samples) -> None:
    for stage, percentiles in snapshot.latency.items():
        for name, quantile in _QUANTILES:
            samples.gauge(
                "stage_latency_seconds",
                "Percentiles over a sliding window.",
                getattr(percentiles, name) / 1000,
                stage=stage,
                quantile=quantile,
            )
