"""A whole run from outside: time from the command to the first result, memory with the page up."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from typing import Final

from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.types import JsonObject

FRAMES: Final = 150
"""Five seconds at the demo's 30 frames a second: the page is up and being watched for most."""

TIMEOUT_S: Final = 60

STREAM_BYTES: Final = 200_000
"""Of the live view: a dozen pictures or so, so that the preview's memory counts."""


@dataclass(frozen=True, slots=True)
class Start:
    """One run of the demo with its page open and its live view watched."""

    first_result_s: float
    peak_memory_mb: float

    def as_json(self) -> JsonObject:
        return {"first_result_s": self.first_result_s, "peak_memory_mb": self.peak_memory_mb}


def measure_start() -> Start:
    """Start ``edge-runtime run`` on the demo, look at its page, read its own summary."""
    command = [sys.executable, "-m", "edge_runtime", "run", "--source", "demo://?faces=1"]
    command += ["--port", "0", "--json", "--max-frames", str(FRAMES), "--log-level", "error"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            _look_at(_page_of(child))
            out, err = child.communicate(timeout=TIMEOUT_S)
        finally:
            child.kill()
    if child.returncode != 0:
        raise EdgeRuntimeError(f"the measured run failed with code {child.returncode}: {err}")
    summary = json.loads(out)
    return Start(summary["first_result_s"], summary["peak_memory_mb"])


def _page_of(child: subprocess.Popen[str]) -> str:
    """The address the run prints first of all."""
    line = child.stderr.readline() if child.stderr else ""
    if not line.startswith("page: "):
        raise EdgeRuntimeError(f"the measured run printed {line!r} and not its page's address")
    return line.removeprefix("page: ").strip()


def _look_at(page: str) -> None:
    for path in ("", "api/v1/status"):
        with urllib.request.urlopen(f"{page}{path}", timeout=TIMEOUT_S) as answer:  # noqa: S310
            answer.read()
    with urllib.request.urlopen(f"{page}api/v1/stream.mjpg", timeout=TIMEOUT_S) as stream:  # noqa: S310
        stream.read(STREAM_BYTES)
