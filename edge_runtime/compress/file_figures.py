"""What a .tflite costs while it runs, measured in a process of its own.

python -m edge_runtime.compress.file_figures MODEL [--runs 200]

Prints JSON. Nothing heavy is imported here: what the process holds besides the interpreter would
count as the model's memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from edge_runtime.engine.engine import Engine, open_engine
from edge_runtime.errors import CompressionError
from edge_runtime.types import JsonObject

WARM_UP, RUNS = 10, 200
LONGEST_S = 5.0
"""A thread count is measured no longer than this, however slow the model."""
MOST_THREADS = 4
PATIENCE_S = 300.0


def measure_file(model: Path, *, runs: int = RUNS) -> JsonObject:
    """Latency by thread count and peak memory, from a child process. Raises CompressionError."""
    command = [sys.executable, "-m", __name__, str(model), "--runs", str(runs)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=PATIENCE_S
        )
    except subprocess.CalledProcessError as error:
        raise CompressionError(f"{model} cannot be run: {error.stderr.strip()[-500:]}") from None
    except subprocess.TimeoutExpired:
        raise CompressionError(f"{model} was not measured within {PATIENCE_S:g} s") from None
    found: JsonObject = json.loads(done.stdout.splitlines()[-1])
    return found


def figures(model: Path, runs: int) -> JsonObject:
    """Measure in this process."""
    before = _peak_kib()
    latency = {}
    peak = 0
    for threads in range(1, MOST_THREADS + 1):
        with open_engine(model, threads=threads) as engine:
            latency[str(threads)] = _latency(engine, runs)
        peak = peak or _peak_kib()  # of one thread: the later ones hold a thread pool as well
    return {
        "latency_ms": latency,
        "peak_memory_kib": peak,
        "peak_memory_of_model_kib": peak - before,
    }


def _latency(engine: Engine, runs: int) -> JsonObject:
    noise = np.random.default_rng(7)
    for index, tensor in enumerate(engine.inputs):
        values = noise.integers(0, 127, tensor.shape)
        engine.input(index)[...] = values.astype(tensor.dtype)
    for _ in range(WARM_UP):
        engine.invoke()
    took: list[float] = []
    until = time.monotonic() + LONGEST_S
    while len(took) < runs and (not took or time.monotonic() < until):
        engine.invoke()
        took.append(engine.invoke_s * 1000)
    ordered = sorted(took)
    return {
        "median": round(ordered[len(ordered) // 2], 5),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 5),
        "runs": len(ordered),
    }


def _peak_kib() -> int:
    """Highest resident memory. Not ru_maxrss: a child inherits that of its parent."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise OSError("/proc/self/status has no VmHWM")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="Measure a .tflite.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--runs", type=int, default=RUNS)
    args = parser.parse_args()
    print(json.dumps(figures(args.model, args.runs)))


if __name__ == "__main__":
    main()
