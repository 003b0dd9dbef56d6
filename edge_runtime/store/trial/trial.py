"""Whether an untrusted model may be used: it runs in a process of its own, and we watch."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import edge_runtime
from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import LibraryMissing, ModelError, ModelRejected, TrialImpossible
from edge_runtime.store.manifest import Manifest
from edge_runtime.store.package import read_tflite
from edge_runtime.store.trial.death import cause_of
from edge_runtime.store.trial.process import Ending, run_watched
from edge_runtime.store.trial.report import read_report
from edge_runtime.store.trial.task import Task
from edge_runtime.store.trial.verdict import DEFAULT_LIMITS, Figures, Limits, Verdict

CHILD: Final = "edge_runtime.store.trial.child"

_ENVIRONMENT: Final = {
    "PYTHONPATH": str(Path(edge_runtime.__file__).parents[1]),
    "LC_ALL": "C.UTF-8",
    # numpy's matrix library starts a thread for each core when imported; nothing here uses them.
    "OPENBLAS_NUM_THREADS": "1",
}


def run(
    model_file: Path,
    manifest: Manifest,
    *,
    limits: Limits = DEFAULT_LIMITS,
    examples: Path | None = None,
    least_accuracy: float = 0.0,
    name: str | None = None,
    python: str = sys.executable,
) -> Verdict:
    """Try a .tflite file against its manifest, in the end by running it.

    Sentences call it ``name``, or by its path. With ``examples`` (see ``examples.py``) it must also
    get the share ``least_accuracy`` of them right. Whatever the file does becomes the verdict's
    reason. Raises only what the file is not to blame for: LibraryMissing without an interpreter,
    TrialImpossible when no process can be started or the examples are broken.
    """
    sha256, name = None, name or str(model_file)
    try:
        content = _read(model_file, limits)
        sha256 = hashlib.sha256(content).hexdigest()
        _require_described(name, sha256, manifest)
        read_graph(content, name)
    except ModelError as error:
        return Verdict(False, str(error), sha256)
    task = Task.of(name, manifest, limits, examples, least_accuracy)
    return _judged(_held(content, task, limits, python), task, limits, sha256)


def _read(file: Path, limits: Limits) -> bytes:
    """Asked for its size first: a file larger than the memory must not be read."""
    try:
        size = file.stat().st_size
    except OSError:
        size = 0  # read_tflite says in words what is wrong
    if size > limits.model_bytes:
        raise ModelRejected(f"{file} has {size} bytes, expected at most {limits.model_bytes}")
    return read_tflite(file).tflite


def _require_described(name: str, sha256: str, manifest: Manifest) -> None:
    if sha256 != manifest.sha256:
        raise ModelRejected(
            f"{name} is not the file its manifest describes: its SHA-256 is {sha256}, the "
            f"manifest says {manifest.sha256}; copy both again, or correct sha256"
        )


def _held(content: bytes, task: Task, limits: Limits, python: str) -> Ending:
    try:
        with _in_memory(content) as descriptor:
            return run_watched(
                [python, "-P", "-m", CHILD, task.to_json()],
                stdin=descriptor,
                environment=_ENVIRONMENT,
                wall_s=limits.wall_s,
                most_bytes=limits.report_bytes,
            )
    except OSError as error:
        raise TrialImpossible(
            f"{task.name} cannot be tried: no process can be started ({error}); try again "
            "when there is more memory"
        ) from error


@contextmanager
def _in_memory(content: bytes) -> Iterator[int]:
    """A file descriptor from which the bytes can be read, wherever the file goes meanwhile."""
    descriptor = os.memfd_create("model")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _judged(ending: Ending, task: Task, limits: Limits, sha256: str) -> Verdict:
    said = [read_report(line) for line in ending.said.splitlines()]
    steps = [report for report in said if "step" in report]
    last = said[-1] if said else {}
    if "impossible" in last:
        raise (LibraryMissing if last.get("missing") else TrialImpossible)(last["impossible"])
    if not steps:
        raise TrialImpossible(
            f"{task.name} cannot be tried: the process ended before it began: "
            f"{cause_of(ending, limits)}"
        )
    gaps = tuple(steps[0].get("gaps", ()))
    if ending.stopped is None and ending.status == 0 and {} not in said:
        if "figures" in last:
            reason = f"{task.name} ran and answered as it promises"
            return Verdict(True, reason, sha256, Figures(**last["figures"]), gaps)
        if "refused" in last:
            return Verdict(False, last["refused"], sha256, gaps=gaps)
    reason = f"{task.name} failed while {steps[-1]['step']}: {cause_of(ending, limits)}"
    return Verdict(False, reason, sha256, gaps=gaps)
