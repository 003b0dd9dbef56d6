"""How long each model takes inside its interpreter, alone, by thread count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_runtime.bench.timing import Spread, timed
from edge_runtime.engine.engine import Engine
from edge_runtime.store.model import Model
from edge_runtime.types import JsonObject

WARM_UP: Final = 20


@dataclass(frozen=True, slots=True)
class ModelLatency:
    """One model's invoke at one thread count."""

    name: str
    threads: int
    backend: str
    invoke_ms: Spread

    def as_json(self) -> JsonObject:
        return {
            "model": self.name,
            "threads": self.threads,
            "backend": self.backend,
            "invoke_ms": self.invoke_ms.as_json(),
        }


def model_latency(model: Model, *, threads: int, backend: str, runs: int) -> ModelLatency:
    """Invoke times on seeded noise; what lies in the input does not change the arithmetic."""
    with model.open_engine(threads=threads, backend=backend) as engine:
        fill_with_noise(engine)
        spread = timed(engine.invoke, runs=runs, warm_up=WARM_UP)
        return ModelLatency(model.manifest.name, threads, engine.backend, spread)


def fill_with_noise(engine: Engine) -> None:
    """Seeded numbers that every dtype of an input can hold."""
    noise = np.random.default_rng(7)
    for index, tensor in enumerate(engine.inputs):
        values = noise.integers(0, 127, tensor.shape)
        engine.input(index)[...] = values.astype(tensor.dtype)
