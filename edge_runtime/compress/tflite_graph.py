"""A .tflite in the making: tensors, buffers and operators, collected one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_runtime.compress.slim import filled_buffer, pack

_TYPES: Final = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "int8": schema.TensorType.INT8,
}


class TfliteGraph:
    """Hands out a number for every tensor; equal constants are kept once.

    ``versions`` names operators whose first version cannot do what they are wanted for.
    """

    def __init__(self, versions: Mapping[int, int] | None = None) -> None:
        self._versions = versions or {}
        self._buffers: dict[bytes, int] = {b"": 0}  # the format keeps the first one empty
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: list[int] = []

    def tensor(self, shape: Sequence[int], dtype: str, quantization: Any = None) -> int:
        """A tensor that is computed, or an input."""
        return self._tensor(shape, dtype, quantization, 0)

    def constant(self, values: NDArray[Any], quantization: Any = None) -> int:
        """A tensor that has its values from the file: float32, int32 or int8."""
        buffer = self._buffers.setdefault(values.tobytes(), len(self._buffers))
        return self._tensor(values.shape, values.dtype.name, quantization, buffer)

    def operator(self, code: int, options: Any, inputs: Sequence[int], output: int) -> None:
        """An operator that computes one tensor from others, in the order of calling."""
        if code not in self._codes:
            self._codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = self._codes.index(code)
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        made.builtinOptions = options
        self._operators.append(made)

    def as_bytes(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The finished file."""
        graph, model = schema.SubGraphT(), schema.ModelT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        model.version, model.subgraphs = 3, [graph]
        model.operatorCodes = [self._operator_code(code) for code in self._codes]
        model.buffers = [filled_buffer(content) for content in self._buffers]
        return pack(model)

    def _tensor(self, shape: Sequence[int], dtype: str, quantization: Any, buffer: int) -> int:
        made = schema.TensorT()
        made.shape, made.type, made.buffer = np.array(shape, np.int32), _TYPES[dtype], buffer
        made.quantization = quantization
        self._tensors.append(made)
        return len(self._tensors) - 1

    def _operator_code(self, code: int) -> Any:
        made = schema.OperatorCodeT()
        # The field of old readers has seven bits.
        made.builtinCode, made.deprecatedBuiltinCode = code, min(code, 127)
        made.version = self._versions.get(code, 1)
        return made


def quantization(scales: NDArray[Any], zero_point: int = 0, axis: int = 0) -> Any:
    """What a stored number means: one scale, or one for each index along ``axis``."""
    made = schema.QuantizationParametersT()
    made.scale = scales.astype(np.float32)
    made.zeroPoint = np.full(len(scales), zero_point, np.int64)
    made.quantizedDimension = axis
    return made


def channels_last(shape: Sequence[int]) -> tuple[int, ...]:
    """Torch's [n, c, h, w] as TFLite's [n, h, w, c]; other shapes are alike in both."""
    return (shape[0], *shape[2:], shape[1]) if len(shape) == 4 else tuple(shape)
