"""One contender in a process of its own, which times itself; and its handle for who referees.

The process reads a line of JSON for each turn: the file that holds the frames, when the first was
taken and how many come in a second. It answers with what each frame cost and where faces were
found. Frames are in memory before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, cast

import numpy as np

from edge_runtime.types import Bgr, Box

OURS: Final = "ours"
SLOWEST_TURN_S: Final = 120.0
"""Who takes longer hangs."""

Marks = tuple[float, float]
"""Seconds on the wall and of this process on any core."""


class Looked(NamedTuple):
    """One frame's result. A frame costs from before the call until after it."""

    boxes: list[Box]
    alone: tuple[Marks, Marks]
    """Begin and end of what is also quoted by itself: a peer's detector without our classifier;
    our pipeline without making the small plane, which a Pi's camera delivers."""
    invoke_s: float | None = None
    """Ours: inside interpreters."""


class Contender(Protocol):
    """Detector and classifier, one frame after the other."""

    library: str

    def look(self, bgr: Bgr, moment: float) -> Looked: ...


def marks() -> Marks:
    return time.perf_counter(), time.process_time()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--cores", type=lambda text: set(map(int, text.split(","))), required=True)
    chosen = parser.parse_args()
    os.sched_setaffinity(0, chosen.cores)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print where they like; only we speak on the answers' line
    # Only what this contender needs counts for its memory.
    from benchmarks.contenders import open_contender  # noqa: PLC0415

    contender = open_contender(chosen.name, chosen.file)
    tell(answers, {"library": contender.library})
    for line in sys.stdin:
        tell(answers, turn(contender, **json.loads(line)))


def tell(answers: Any, what: dict[str, Any]) -> None:
    print(json.dumps(what), file=answers, flush=True)


def turn(contender: Contender, *, frames: str, at: float, fps: float) -> dict[str, Any]:
    """Go through the frames of a file; milliseconds by frame."""
    pictures = np.load(frames)
    costs: dict[str, list[float]] = {
        key: [] for key in ("wall_ms", "cpu_ms", "alone_wall_ms", "alone_cpu_ms")
    }
    boxes: list[list[Box]] = []
    invoke_ms: list[float] = []
    for index, bgr in enumerate(pictures):
        began = marks()
        looked = contender.look(bgr, at + index / fps)
        ended = marks()
        for name, (start, end) in {"": (began, ended), "alone_": looked.alone}.items():
            costs[f"{name}wall_ms"].append((end[0] - start[0]) * 1000)
            costs[f"{name}cpu_ms"].append((end[1] - start[1]) * 1000)
        boxes.append(looked.boxes)
        if looked.invoke_s is not None:
            invoke_ms.append(looked.invoke_s * 1000)
    memory = peak_memory_mib() - pictures.nbytes / 2**20
    return costs | {"boxes": boxes, "invoke_ms": invoke_ms, "memory_mib": memory}


def peak_memory_mib() -> float:
    """Most resident memory of this process so far."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("/proc/self/status names no VmHWM: this is not Linux")


class Corner:
    """The referee's handle on a contender's process. Close it."""

    def __init__(self, python: Path, name: str, *, cores: str, file: Path | None = None) -> None:
        """Raises RuntimeError with the process's own last line when it does not come up."""
        self.name = name
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in close()
        command = [str(python), "-m", "benchmarks.peer_process", name, "--cores", cores]
        command += ["--file", str(file)] if file else []
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            cwd=Path(__file__).resolve().parent.parent,
        )
        self.library: str = self._answer()["library"]

    def turn(self, frames: Path, at: float, fps: float) -> dict[str, Any]:
        """Let it have the core until it is through with the frames. Raises RuntimeError."""
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        self._process.stdin.write(json.dumps({"frames": str(frames), "at": at, "fps": fps}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        timer = threading.Timer(SLOWEST_TURN_S, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            self._process.kill()
            self._process.wait()
            raise RuntimeError(f"{self.name} gave up: {self._last_words()}")
        return cast("dict[str, Any]", json.loads(line))

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = [line.strip() for line in self._said if line.strip()]
        return lines[-1] if lines else "it said nothing"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._said.close()


if __name__ == "__main__":
    main()
