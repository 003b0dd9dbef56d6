"""``edge-runtime bench``: what this machine does, printed as a table or as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from edge_runtime.app.assembly import Assembly
from edge_runtime.bench.latency import ModelLatency, model_latency
from edge_runtime.bench.loop import LoopCost, loop_cost
from edge_runtime.bench.machine import Machine, one_core, this_machine
from edge_runtime.bench.start import Start, measure_start
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import Config, load_config
from edge_runtime.types import JsonObject

PARTS = ("latency", "pipeline", "memory")


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--runs", type=click.IntRange(min=10), default=500, show_default=True, help="Repetitions."
)
@set_option
def bench(
    parts: tuple[str, ...],
    config_file: Path | None,
    as_json: bool,
    runs: int,
    settings: tuple[tuple[str, object], ...],
) -> None:
    """Measure this machine: model latency, the frame loop's own cost, memory and start.

    PARTS are latency, pipeline and memory; all of them when none is named.
    """
    config = load_config(config_file, os.environ, overrides({}, settings))
    measured = Measured(this_machine(), config, runs)
    for part in parts or PARTS:
        getattr(measured, part)()
    click.echo(json.dumps(measured.as_json(), indent=2) if as_json else measured.as_text())


class Measured:
    """What was asked for, measured part by part."""

    def __init__(self, machine: Machine, config: Config, runs: int) -> None:
        self._machine = machine
        self._config = config
        self._runs = runs
        self._latency: list[ModelLatency] = []
        self._loop: LoopCost | None = None
        self._start: Start | None = None

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

    def as_json(self) -> JsonObject:
        return {
            "machine": str(self._machine),
            "latency": [each.as_json() for each in self._latency],
            "pipeline": self._loop.as_json() if self._loop else None,
            "memory": self._start.as_json() if self._start else None,
        }

    def as_text(self) -> str:
        lines = [f"machine: {self._machine}"]
        lines += [_latency_line(each) for each in self._latency]
        lines += _loop_lines(self._loop) if self._loop else []
        lines += _start_lines(self._start) if self._start else []
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
