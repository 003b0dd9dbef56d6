"""The process in which an untrusted model runs: ``python -m edge_runtime.store.trial.child TASK``.

The model's bytes come through stdin, from memory: what was hashed is what runs, whatever happens
to the file meanwhile. Reports go to stdout, one JSON object a line:

    {"step": "loading it", "gaps": […]}    what is done next
    {"refused": "sentence"}                what is wrong with the model
    {"impossible": "sentence"}             what is wrong here, with the model untouched
    {"figures": {…}}                       it ran to the end
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from edge_runtime.engine.engine import open_content
from edge_runtime.engine.litert import load_library
from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import LibraryMissing, ModelRejected, TrialImpossible
from edge_runtime.store.trial.examine import examine
from edge_runtime.store.trial.examples import Examples, read_examples
from edge_runtime.store.trial.fence import close_fence, memory_kb
from edge_runtime.store.trial.task import Task
from edge_runtime.store.trial.verdict import Figures


class _Reports:
    """Where reports go; nobody else writes there."""

    def __init__(self) -> None:
        # Native code prints to descriptor 1; the reports keep one of their own.
        self._descriptor = os.dup(1)
        os.dup2(2, 1)

    def __call__(self, **report: Any) -> None:
        os.write(self._descriptor, json.dumps(report).encode() + b"\n")

    def step(self, what: str) -> None:
        self(step=what)


def main(arguments: list[str], model: BinaryIO) -> None:
    """Try the model and report."""
    reports = _Reports()
    task = Task.from_json(arguments[1])
    try:
        load_library("auto")  # imported before the fence closes
        examples = _examples(task)
    except (LibraryMissing, TrialImpossible) as error:
        reports(impossible=str(error), missing=isinstance(error, LibraryMissing))
        return
    reports(step="loading it", gaps=close_fence(cpu_s=task.cpu_s, memory_mb=task.memory_mb))
    try:
        figures = _tried(task, examples, model.read(), reports)
    except ModelRejected as error:
        reports(refused=str(error))
    except MemoryError:
        reports(refused=f"{task.name} needs more than {task.memory_mb} MiB of memory")
    else:
        reports(figures=dataclasses.asdict(figures))


def _examples(task: Task) -> Examples | None:
    if task.examples is None:
        return None
    return read_examples(Path(task.examples), task.shape, task.least_accuracy)


def _tried(task: Task, examples: Examples | None, content: bytes, reports: _Reports) -> Figures:
    declared = read_graph(content, task.name).interface()
    before_kb = memory_kb()["VmRSS"]
    with open_content(content, name=task.name) as engine:
        found = examine(engine, declared, task, examples, step=reports.step)
        return Figures(
            backend=engine.backend,
            median_ms=round(found.median_ms, 4),
            p95_ms=round(found.p95_ms, 4),
            runs=len(found.took_ms),
            memory_mb=round((memory_kb()["VmHWM"] - before_kb) / 1024, 2),
            accuracy=found.accuracy,
        )


if __name__ == "__main__":
    main(sys.argv, sys.stdin.buffer)
