"""Is a library installed, and does it load? Tried in a child process: a wrong wheel may crash."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

# Names on the package index where they differ from the import's.
_DISTRIBUTIONS = {
    "ai_edge_litert": ("ai-edge-litert", "ai-edge-litert-nightly"),
    "tflite_runtime": ("tflite-runtime", "tflite-runtime-nightly"),
    "cv2": ("opencv-python-headless", "opencv-python", "opencv-contrib-python"),
}


@dataclass(frozen=True, slots=True)
class Library:
    """An installed library."""

    version: str | None
    folder: Path | None
    problem: str | None
    """Why it does not load, in one line; None when it does."""


def find_library(module: str, *, loads: str | None = None, timeout_s: float = 60) -> Library | None:
    """The library that ``import module`` would give; None when it is not installed.

    ``loads`` is what to import to be sure, such as ``ai_edge_litert.interpreter``.
    """
    spec = importlib.util.find_spec(module)
    if spec is None:
        return None
    folder = Path(spec.origin).parent if spec.origin else None
    return Library(_version(module), folder, _trial(loads or module, timeout_s))


def _version(module: str) -> str | None:
    for name in _DISTRIBUTIONS.get(module, (module,)):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def _trial(module: str, timeout_s: float) -> str | None:
    try:
        tried = subprocess.run(
            [sys.executable, "-c", f"import {module}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"importing it took over {timeout_s:.0f} s"
    if tried.returncode < 0:
        return f"importing it crashes with {signal.Signals(-tried.returncode).name}"
    last_line = tried.stderr.strip().rpartition("\n")[2]
    return None if tried.returncode == 0 else last_line or "importing it fails"
