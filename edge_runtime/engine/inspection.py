"""Look inside a .tflite: what goes in, what comes out, what a run costs."""

from __future__ import annotations

import hashlib
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.engine.cost import Cost, cost_of
from edge_runtime.engine.engine import open_content
from edge_runtime.engine.schema import read_graph
from edge_runtime.engine.tensor import Tensor

WARM_UP = 3
"""Runs before measuring: the first ones fetch weights and memory."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What can be said of a file without running it."""

    path: Path
    bytes: int
    sha256: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    cost: Cost
    operators: dict[str, int]
    """Operator name to how often it occurs, most often first."""

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "path": str(self.path),
            "bytes": self.bytes,
            "sha256": self.sha256,
            "inputs": [_tensor_json(tensor) for tensor in self.inputs],
            "outputs": [_tensor_json(tensor) for tensor in self.outputs],
            "parameters": self.cost.parameters,
            "macs": self.cost.macs,
            "uncounted_operators": list(self.cost.uncounted),
            "operators": self.operators,
        }


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one run takes on this machine."""

    median_ms: float
    runs: int
    backend: str
    threads: int


def inspect_content(content: bytes, path: Path) -> Inspection:
    """Read the graph of a .tflite that came from ``path``. Raises ModelRejected."""
    graph = read_graph(content, str(path))
    inputs, outputs = graph.interface()
    return Inspection(
        path=path,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        inputs=inputs,
        outputs=outputs,
        cost=cost_of(graph),
        operators=graph.operator_counts(),
    )


def measure_latency(
    content: bytes, *, name: str, runs: int, threads: int = 1, backend: str = "auto"
) -> Latency:
    """The median invoke over ``runs`` on seeded noise, after a few unmeasured ones.

    Raises LibraryMissing where no interpreter is installed.
    """
    with open_content(content, name=name, threads=threads, backend=backend) as engine:
        noise = np.random.default_rng(7)
        for index, tensor in enumerate(engine.inputs):
            engine.input(index)[...] = noise.integers(0, 127, tensor.shape).astype(tensor.dtype)
        took = []
        for _ in range(WARM_UP + runs):
            engine.invoke()
            took.append(engine.invoke_s * 1000)
        return Latency(statistics.median(took[WARM_UP:]), runs, engine.backend, threads)


def _tensor_json(tensor: Tensor) -> dict[str, Any]:
    per_channel = {
        "scales": list(tensor.scales),
        "zero_points": list(tensor.zero_points),
        "axis": tensor.axis,
    }
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype.name,
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
        **(per_channel if tensor.scales else {}),
    }
