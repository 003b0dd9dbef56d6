"""Examines a .tflite as the device will run it, on inputs a torch net would take."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from edge_runtime.compress.confidence import Share
from edge_runtime.compress.file_figures import measure_file
from edge_runtime.engine.engine import Engine, open_engine
from edge_runtime.types import JsonObject

BYTE = 255.0


def file_answers(model: bytes, inputs: Tensor, *, takes_bytes: bool = False) -> NDArray[np.float32]:
    """Real values of the first output, a row an input. ``takes_bytes``: inputs are bytes / 255."""
    with _on_disk(model) as folder, open_engine(Path(folder) / "model.tflite") as engine:
        rows = [_answer(engine, each, takes_bytes) for each in _as_stored(inputs)]
    return np.concatenate(rows)


def examine_file(
    model: bytes, inputs: Tensor, labels: Tensor, *, takes_bytes: bool = False
) -> Share:
    """How many inputs get their label."""
    answers = file_answers(model, inputs, takes_bytes=takes_bytes)
    return Share(int((answers.argmax(1) == labels.numpy()).sum()), len(labels))


def file_costs(model: bytes, runs: int) -> JsonObject:
    """Latency at 1 to 4 threads and peak memory, from a process of its own."""
    with _on_disk(model) as folder:
        return measure_file(Path(folder) / "model.tflite", runs=runs)


def _answer(engine: Engine, values: NDArray[np.float32], takes_bytes: bool) -> NDArray[np.float32]:
    taken = engine.inputs[0]
    if taken.scale is None:
        engine.input()[...] = values
    else:
        real = values * BYTE if takes_bytes else values
        stored = np.round(real / taken.scale) + (taken.zero_point or 0)
        limits = np.iinfo(taken.dtype)
        engine.input()[...] = np.clip(stored, limits.min, limits.max).astype(taken.dtype)
    engine.invoke()
    given = engine.outputs[0]
    raw = engine.output().astype(np.float32)
    real = raw if given.scale is None else (raw - (given.zero_point or 0)) * given.scale
    return np.asarray(real, np.float32).reshape(1, -1)


def _as_stored(inputs: Tensor) -> list[NDArray[np.float32]]:
    """One by one, pictures with channels last."""
    last = inputs.permute(0, 2, 3, 1) if inputs.dim() == 4 else inputs
    return [np.ascontiguousarray(each.numpy(), np.float32) for each in last.split(1)]


def _on_disk(model: bytes) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory()
    (Path(folder.name) / "model.tflite").write_bytes(model)
    return folder
