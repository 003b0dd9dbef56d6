"""The status as Prometheus metrics, read when somebody asks. What is unknown is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_runtime.types import Allowance, Health, ModelFate, ModelInUse, Throttling
from edge_runtime.web.camera_metrics import PREFIX, camera_metrics
from edge_runtime.web.event_metrics import event_metrics
from edge_runtime.web.live import LiveFeed
from edge_runtime.web.reporter import Reporter
from edge_runtime.web.sight import models_of, sights_of

MIB = 1024 * 1024
_ALARMS = ("under_voltage", "frequency_capped", "throttled", "soft_temperature_limit")


class StatusCollector(Collector):
    """Turns the newest snapshot and health into metrics at each scrape."""

    def __init__(self, reporter: Reporter, feed: LiveFeed) -> None:
        self._reporter = reporter
        self._feed = feed

    def collect(self) -> Iterator[Metric]:
        """All metric families whose values are known."""
        status = self._reporter.status
        build = InfoMetricFamily(f"{PREFIX}build", "This program.")
        build.add_metric((), {"version": self._reporter.version})
        yield build
        sights, health = sights_of(status.cameras()), status.health()
        yield from camera_metrics(sights, self._reporter.clock())
        yield from _of_allowance(status.allowance())
        yield _fates(status.model_counts())
        names = [sight.name for sight in sights]
        yield from event_metrics(status.events(), status.rules(), names)
        yield from _models(models_of(sights))
        if health is not None:
            yield from _of_health(health)
        viewers = self._reporter.previews.viewers
        yield _gauge("preview_viewers", "Connections to the live view.", viewers)
        yield _gauge("live_subscribers", "Connections to the events.", self._feed.subscribers)


def _of_allowance(allowance: Allowance) -> Iterator[Metric]:
    yield _gauge("governor_level", "0 gives nothing up.", allowance.level)
    every = allowance.detect_every
    yield _gauge("governor_detect_every_frames", "1: on every frame.", every)
    for name, meaning, most in (
        ("governor_looks_limit", "Most detector calls per frame.", allowance.looks),
        ("governor_frame_rate_limit_hertz", "Most frames from the camera.", allowance.fps),
    ):
        if most is not None:
            yield _gauge(name, meaning, most)


def _models(models: tuple[ModelInUse, ...]) -> Iterator[Metric]:
    info = InfoMetricFamily(f"{PREFIX}model", "A model in use.", labels=("name",))
    size = GaugeMetricFamily(f"{PREFIX}model_size_bytes", "Of its file.", labels=("name",))
    for model in models:
        words = {
            "version": model.version,
            "kind": model.kind,
            "backend": model.backend,
            "sha256": model.sha256,
        }
        info.add_metric((model.name,), words)
        size.add_metric((model.name,), model.bytes)
    yield info
    yield size


def _fates(counts: Mapping[ModelFate, int]) -> Metric:
    family = CounterMetricFamily(
        f"{PREFIX}model_events", "What became of models.", labels=("what",)
    )
    for fate in get_args(ModelFate):
        family.add_metric((fate.replace(" ", "_"),), counts.get(fate, 0))
    return family


def _of_health(health: Health) -> Iterator[Metric]:
    known: tuple[tuple[str, str, float | None, float], ...] = (
        ("system_cpu_ratio", "Of all cores together.", health.system_cpu_percent, 0.01),
        ("cpu_frequency_hertz", "Of the first core.", health.cpu_frequency_mhz, 1e6),
        ("peak_memory_bytes", "The most it ever was.", health.peak_memory_mb, MIB),
        ("memory_available_bytes", "Of the machine.", health.memory_available_mb, MIB),
        ("temperature_celsius", "Of the processor.", health.temperature_c, 1),
        ("temperature_limit_celsius", "Where it is slowed.", health.temperature_limit_c, 1),
        ("energy_per_frame_joules", "All of the power.", health.energy_per_frame_mj, 0.001),
        ("energy_per_inference_joules", "Likewise.", health.energy_per_inference_mj, 0.001),
    )
    for name, meaning, value, unit in known:
        if value is not None:
            yield _gauge(name, meaning, value * unit)
    if health.throttling is not None:
        yield _throttling(health.throttling)
    yield from _power(health)


def _throttling(throttling: Throttling) -> Metric:
    family = GaugeMetricFamily(
        f"{PREFIX}throttling", "1 while the firmware's alarm is on.", labels=("alarm", "when")
    )
    for alarm in _ALARMS:
        for when, field in (("now", alarm), ("since_boot", f"{alarm}_since_boot")):
            value = getattr(throttling, field)
            if value is not None:
                family.add_metric((alarm, when), value)
    return family


def _power(health: Health) -> Iterator[Metric]:
    if health.power is None:
        return
    power = health.power
    for name, meaning, watts in (
        ("power_watts", "Power drawn.", power.watts),
        ("power_error_watts", "Half-width of the error.", power.plus_minus),
    ):
        family = GaugeMetricFamily(PREFIX + name, meaning, labels=("source", "scope"))
        family.add_metric((power.source, power.scope), watts)
        yield family


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, meaning, value=value)
