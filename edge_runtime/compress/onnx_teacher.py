"""A teacher that comes as an ONNX file, answered by onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edge_runtime.errors import DataMissing, LibraryMissing


class OnnxTeacher:
    """Calls the file's first input, gives its first output; batches must be of free size."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise DataMissing(f"there is no teacher {file}")
        try:
            import onnxruntime
        except ImportError:
            raise LibraryMissing(
                "a teacher in ONNX needs onnxruntime: pip install onnxruntime"
            ) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def __call__(self, x: Tensor) -> Tensor:
        """Inputs as the file wants them -> its first output."""
        numbers = np.ascontiguousarray(x.detach().cpu().numpy(), np.float32)
        return torch.from_numpy(self._session.run(None, {self._input: numbers})[0])
