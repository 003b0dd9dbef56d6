"""Metrics of what happened, and of what rules made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, Metric

from edge_runtime.event import KINDS, OF_CAMERA
from edge_runtime.web.camera_metrics import PREFIX
from edge_runtime.web.event_source import EventSource, Rules


def event_metrics(events: EventSource, rules: Rules, cameras: Iterable[str]) -> Iterator[Metric]:
    """From zero on, so that the first of its kind is an increase too."""
    counts, names = events.counts(), tuple(cameras)
    family = CounterMetricFamily(f"{PREFIX}events", "What happened.", labels=("kind", "camera"))
    for kind in KINDS:
        for camera in names if kind in OF_CAMERA else (None,):
            # An empty label is no label: what is of no camera carries none.
            family.add_metric((kind, camera or ""), counts.get((kind, camera), 0))
    yield family
    yield _firings(rules)


def _firings(rules: Rules) -> Metric:
    family = CounterMetricFamily(
        f"{PREFIX}rule_firings", "What became of a rule's firings.", labels=("rule", "outcome")
    )
    for state in rules:
        outcomes = {
            "done": state.tally.done,
            "failed": state.tally.failed,
            "dropped": state.tally.dropped,
            "held_back": state.held_back,
        }
        for outcome, number in outcomes.items():
            family.add_metric((state.rule.name, outcome), number)
    return family
