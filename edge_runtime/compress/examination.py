"""Asks a net, or a .tflite as the device will run it, for its answers to the same inputs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_runtime.compress.file_figures import measure_file
from edge_runtime.compress.measure import Answers
from edge_runtime.engine.engine import Engine, open_engine
from edge_runtime.engine.tensor import dequantize
from edge_runtime.types import JsonObject

BYTE = 255.0
EXAM_BATCH = 250


@torch.no_grad()
def net_answers(net: Callable[[Tensor], Any], inputs: Tensor) -> Answers:
    """A torch net's outputs, however it nests them, in the order in which it names them."""
    parts = [tuple(_tensors(net(some))) for some in inputs.split(EXAM_BATCH)]
    return [torch.cat(each) for each in zip(*parts, strict=True)]


def file_answers(model: bytes, inputs: Tensor, *, takes_bytes: bool = False) -> Answers:
    """Real values of a file's outputs. ``takes_bytes``: inputs are bytes / 255."""
    with _on_disk(model) as folder, open_engine(Path(folder) / "model.tflite") as engine:
        rows = [_answer(engine, each, takes_bytes) for each in _as_stored(inputs)]
    stacked = (torch.from_numpy(np.concatenate(each)) for each in zip(*rows, strict=True))
    return [each.permute(0, 3, 1, 2) if each.dim() == 4 else each for each in stacked]


def file_costs(model: bytes, runs: int) -> JsonObject:
    """Latency at 1 to 4 threads and peak memory, from a process of its own."""
    with _on_disk(model) as folder:
        return measure_file(Path(folder) / "model.tflite", runs=runs)


def _tensors(outputs: Any) -> Iterator[Tensor]:
    if isinstance(outputs, Tensor):
        yield outputs
    else:
        nested: Iterable[Any] = outputs.values() if isinstance(outputs, dict) else outputs
        for each in nested:
            yield from _tensors(each)


def _answer(
    engine: Engine, values: NDArray[np.float32], takes_bytes: bool
) -> list[NDArray[np.float32]]:
    taken = engine.inputs[0]
    if taken.scale is None:
        engine.input()[...] = values
    else:
        real = values * BYTE if takes_bytes else values
        stored = np.round(real / taken.scale) + (taken.zero_point or 0)
        limits = np.iinfo(taken.dtype)
        engine.input()[...] = np.clip(stored, limits.min, limits.max).astype(taken.dtype)
    engine.invoke()
    # Copies: the interpreter writes its next answer to the same place.
    return [dequantize(engine.output(i), each).copy() for i, each in enumerate(engine.outputs)]


def _as_stored(inputs: Tensor) -> list[NDArray[np.float32]]:
    """One by one, pictures with channels last."""
    last = inputs.permute(0, 2, 3, 1) if inputs.dim() == 4 else inputs
    return [np.ascontiguousarray(each.numpy(), np.float32) for each in last.split(1)]


def _on_disk(model: bytes) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory()
    (Path(folder.name) / "model.tflite").write_bytes(model)
    return folder
