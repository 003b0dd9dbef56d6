"""``edge-runtime bench``: what this machine does, printed as a table or as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from edge_runtime.app.assembly import Assembly
from edge_runtime.bench.accuracy import Accuracy, Estimate, SizeAccuracy, detector_accuracy
from edge_runtime.bench.labels import LabelledPicture, read_labels
from edge_runtime.bench.latency import ModelLatency, model_latency
from edge_runtime.bench.loop import LoopCost, loop_cost
from edge_runtime.bench.machine import Machine, one_core, this_machine
from edge_runtime.bench.start import Start, measure_start
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import Config, load_config
from edge_runtime.store.catalogue import Catalogue
from edge_runtime.store.manifest import DETECTORS
from edge_runtime.types import JsonObject

PARTS = ("latency", "pipeline", "memory")
"""What any machine can measure; ``accuracy`` needs pictures."""


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice((*PARTS, "accuracy")))
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--runs", type=click.IntRange(min=10), default=500, show_default=True, help="Repetitions."
)
@click.option(
    "--model", metavar="NAME|PATH", help="The detector; otherwise the config's detector.model."
)
@click.option(
    "--data",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="accuracy: labelled pictures, as JSON lines.",
)
@click.option(
    "--empty",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="accuracy: a folder of pictures without faces; may be repeated.",
)
@set_option
def bench(
    *,
    parts: tuple[str, ...],
    config_file: Path | None,
    as_json: bool,
    runs: int,
    model: str | None,
    data: Path | None,
    empty: tuple[Path, ...],
    settings: tuple[tuple[str, object], ...],
) -> None:
    """Measure this machine: model latency, the frame loop's own cost, memory and start.

    PARTS are latency, pipeline and memory; all of them when none is named. One more, accuracy,
    measures how well a detector finds the faces of labelled pictures.
    """
    if ("accuracy" in parts) != (data is not None) or (empty and data is None):
        raise click.UsageError("accuracy, --data FILE and --empty DIR go together")
    flags = overrides({"detector.model": model}, settings)
    config = load_config(config_file, os.environ, flags)
    measured = Measured(this_machine(), config, runs, read_labels(data) if data else (), empty)
    for part in parts or PARTS:
        getattr(measured, part)()
    click.echo(json.dumps(measured.as_json(), indent=2) if as_json else measured.as_text())


class Measured:
    """What was asked for, measured part by part."""

    def __init__(
        self,
        machine: Machine,
        config: Config,
        runs: int,
        pictures: Sequence[LabelledPicture],
        empty: Sequence[Path],
    ) -> None:
        self._machine = machine
        self._config = config
        self._runs = runs
        self._pictures = pictures
        self._empty = empty
        self._latency: list[ModelLatency] = []
        self._loop: LoopCost | None = None
        self._start: Start | None = None
        self._accuracy: Accuracy | None = None

    def latency(self) -> None:
        with Assembly(self._config) as assembly:
            opened = [each.model for each in assembly.opened]
        most = len(os.sched_getaffinity(0))
        for model in opened:
            for threads in range(1, min(most, 4) + 1):
                backend = self._config.engine.backend
                self._latency.append(
                    model_latency(model, threads=threads, backend=backend, runs=self._runs)
                )

    def pipeline(self) -> None:
        with one_core(), Assembly(self._config) as assembly:
            self._loop = loop_cost(assembly, frames=self._runs)

    def memory(self) -> None:
        self._start = measure_start()

    def accuracy(self) -> None:
        config = self._config
        model = Catalogue(config.models.dirs).find(config.detector.model, kinds=DETECTORS)
        threads = config.engine.threads or 1
        with model.open_engine(threads=threads, backend=config.engine.backend) as engine:
            self._accuracy = detector_accuracy(model, engine, self._pictures, self._empty)

    def as_json(self) -> JsonObject:
        return {
            "machine": str(self._machine),
            "latency": [each.as_json() for each in self._latency],
            "pipeline": self._loop.as_json() if self._loop else None,
            "memory": self._start.as_json() if self._start else None,
            "accuracy": self._accuracy.as_json() if self._accuracy else None,
        }

    def as_text(self) -> str:
        lines = [f"machine: {self._machine}"]
        lines += [_latency_line(each) for each in self._latency]
        lines += _loop_lines(self._loop) if self._loop else []
        lines += _start_lines(self._start) if self._start else []
        lines += _accuracy_lines(self._accuracy) if self._accuracy else []
        return "\n".join(lines)


def _latency_line(each: ModelLatency) -> str:
    spread = each.invoke_ms
    return (
        f"{each.name:<16} {each.threads} thread{'s' if each.threads > 1 else ' '}"
        f"  invoke {spread.median:7.3f} ms median, {spread.p95:7.3f} ms p95  ({each.backend})"
    )


def _loop_lines(loop: LoopCost) -> list[str]:
    frame, invoke, overhead = loop.frame_ms, loop.invoke_ms, loop.overhead_ms
    return [
        f"frame loop, one core, 640x480, faces in {loop.frames_with_face} of {loop.frames} frames:",
        f"  whole frame   {frame.median:7.3f} ms median, {frame.p95:7.3f} ms p95",
        f"  interpreters  {invoke.median:7.3f} ms median",
        f"  overhead      {overhead.median:7.3f} ms median, {overhead.p95:7.3f} ms p95",
    ]


def _start_lines(start: Start) -> list[str]:
    return [
        f"first result      {start.first_result_s:6.2f} s after the command",
        f"resident memory   {start.peak_memory_mb:6.1f} MiB at most, page and live view open",
    ]


def _accuracy_lines(found: Accuracy) -> list[str]:
    manifest = found.model.manifest
    lines = [
        f"{manifest.name} {manifest.version}, {found.model.bytes:,} bytes, on {found.pictures:,} "
        "pictures; in brackets where each figure lies with a confidence of 95 %"
    ]
    for size in found.sizes:
        lines += _size_lines(size, manifest.threshold)
    for empty in found.empty:
        lines.append(f"{empty.folder}, {empty.pictures:,} pictures without faces")
        lines += [
            f"  false alarms      {_shown(alarms)} a picture at {threshold:.3f}"
            for threshold, alarms in empty.per_picture
        ]
    return lines


def _size_lines(size: SizeAccuracy, threshold: float) -> list[str]:
    lines = [f"faces of at least {100 * size.least_part:g} % of the long side: {size.faces:,}"]
    if not size.faces:
        return lines
    lines += [
        f"  AP@0.5            {_shown(size.average_precision)}",
        f"  precision         {_shown(size.precision)} at {threshold:.3f}",
        f"  recall            {_shown(size.recall)} at {threshold:.3f}",
        f"  95 % precision    {_shown(size.sure_threshold)} is the threshold",
    ]
    if size.sure_threshold:
        at = size.sure_threshold.value
        lines.append(f"  recall            {_shown(size.sure_recall)} at {at:.3f}")
    return lines


def _shown(figure: Estimate | None) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]" if figure else "unknown"
