"""A teacher that comes as an ONNX file, answered by onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edge_runtime.errors import DataMissing, LayerUnsuited, LibraryMissing


class OnnxTeacher:
    """Calls the file's first input, gives its first output.

    Raises DataMissing for a file that cannot be read and LayerUnsuited for one that does not take
    batches of any size.
    """

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise DataMissing(f"there is no teacher {file}")
        self._session = _session(file)
        taken = self._session.get_inputs()[0]
        if isinstance(taken.shape[0], int):
            raise LayerUnsuited(
                f"teacher {file} takes batches of {taken.shape[0]} only: export it with a free "
                "batch size"
            )
        self._input = taken.name

    def __call__(self, x: Tensor) -> Tensor:
        """Inputs as the file wants them -> its first output."""
        numbers = np.ascontiguousarray(x.detach().cpu().numpy(), np.float32)
        return torch.from_numpy(self._session.run(None, {self._input: numbers})[0])


def _session(file: Path) -> Any:
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as failures
    except ImportError:
        raise LibraryMissing(
            "a teacher in ONNX needs onnxruntime: pip install onnxruntime"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except (failures.Fail, failures.InvalidGraph, failures.InvalidProtobuf) as error:
        raise DataMissing(f"teacher {file} cannot be read as ONNX: {error}") from None
