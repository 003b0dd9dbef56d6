"""Whether an untrusted model may be used: it runs in a process of its own, and we watch."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import edge_runtime
from edge_runtime.engine.engine import read_model_file
from edge_runtime.engine.schema import read_graph
from edge_runtime.errors import LibraryMissing, ModelError, ModelRejected, TrialImpossible
from edge_runtime.store.manifest import Manifest
from edge_runtime.store.trial.process import Ending, run_watched
from edge_runtime.store.trial.task import Task
from edge_runtime.store.trial.verdict import DEFAULT_LIMITS, Figures, Limits, Verdict

CHILD: Final = "edge_runtime.store.trial.child"

_ENVIRONMENT: Final = {
    "PYTHONPATH": str(Path(edge_runtime.__file__).parents[1]),
    "LC_ALL": "C.UTF-8",
    # numpy's matrix library starts a thread for each core when imported; nothing here uses them.
    "OPENBLAS_NUM_THREADS": "1",
}

_DEATHS: Final = {
    signal.SIGSEGV: "reached for memory that is not its own",
    signal.SIGBUS: "reached for memory that is not there",
    signal.SIGFPE: "divided by zero",
    signal.SIGILL: "came to an instruction that this processor lacks",
    signal.SIGABRT: "gave up",
    signal.SIGKILL: "was killed, most likely because memory ran short",
    signal.SIGSYS: "made a forbidden system call",
}
_LONGEST_COMPLAINT: Final = 200


def run(
    model_file: Path,
    manifest: Manifest,
    *,
    limits: Limits = DEFAULT_LIMITS,
    examples: Path | None = None,
    least_accuracy: float = 0.0,
    python: str = sys.executable,
) -> Verdict:
    """Try a .tflite file against its manifest, in the end by running it.

    With ``examples`` (see ``examples.py``) it must also get the share ``least_accuracy`` of them
    right. Whatever the file does becomes the verdict's reason. Raises only what the file is not to
    blame for: LibraryMissing without an interpreter, TrialImpossible when no process can be started
    or the examples are broken.
    """
    sha256 = None
    try:
        content = _read(model_file, limits)
        sha256 = hashlib.sha256(content).hexdigest()
        _require_described(model_file, sha256, manifest)
        read_graph(content, str(model_file))
    except ModelError as error:
        return Verdict(False, str(error), sha256)
    task = Task.of(str(model_file), manifest, limits, examples, least_accuracy)
    return _judged(_held(content, task, limits, python), task, limits, sha256)


def _read(file: Path, limits: Limits) -> bytes:
    """Asked for its size first: a file larger than the memory must not be read."""
    try:
        size = file.stat().st_size
    except OSError:
        size = 0  # read_model_file says in words what is wrong
    if size > limits.model_bytes:
        raise ModelRejected(f"{file} has {size} bytes, expected at most {limits.model_bytes}")
    return read_model_file(file)


def _require_described(file: Path, sha256: str, manifest: Manifest) -> None:
    if sha256 != manifest.sha256:
        raise ModelRejected(
            f"{file} is not the file its manifest describes: its SHA-256 is {sha256}, the "
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
    said = [_report(line) for line in ending.said.splitlines()]
    steps = [report for report in said if "step" in report]
    last = said[-1] if said else {}
    if "impossible" in last:
        raise (LibraryMissing if last.get("missing") else TrialImpossible)(last["impossible"])
    if not steps:
        raise TrialImpossible(
            f"{task.name} cannot be tried: the process ended before it began: "
            f"{_death(ending, limits)}"
        )
    gaps = tuple(steps[0].get("gaps", ()))
    if ending.stopped is None and ending.status == 0 and {} not in said:
        if "figures" in last:
            reason = f"{task.name} ran and answered as it promises"
            return Verdict(True, reason, sha256, Figures(**last["figures"]), gaps)
        if "refused" in last:
            return Verdict(False, last["refused"], sha256, gaps=gaps)
    reason = f"{task.name} failed while {steps[-1]['step']}: {_death(ending, limits)}"
    return Verdict(False, reason, sha256, gaps=gaps)


def _report(line: bytes) -> dict[str, Any]:
    """A line as the child writes them; empty for one that something else wrote."""
    try:
        report = json.loads(line)
    except ValueError:
        return {}
    return report if isinstance(report, dict) else {}


def _death(ending: Ending, limits: Limits) -> str:
    """Why there is no proper end, in words."""
    if ending.stopped == "time":
        return f"it took longer than {limits.wall_s:g} s"
    if ending.stopped == "output":
        return f"it wrote more than {limits.report_bytes} bytes"
    if b"bad_alloc" in ending.complaints:
        return f"it needs more than {limits.memory_mb} MiB of memory"
    if ending.status == -signal.SIGXCPU:
        return f"it used more than {limits.cpu_s} s of processor time"
    if ending.status < 0:
        return f"it {_words(-ending.status)}{_complaint(ending)}"
    return f"it ended with status {ending.status} and no result{_complaint(ending)}"


def _words(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"was ended by signal {number}"
    return f"{_DEATHS.get(signal.Signals(number), 'was ended')} ({name})"


def _complaint(ending: Ending) -> str:
    """The last line it wrote to stderr, if any."""
    lines = ending.complaints.decode(errors="replace").strip().splitlines()
    return f": {lines[-1][:_LONGEST_COMPLAINT]}" if lines else ""
