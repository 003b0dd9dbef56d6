"""A tensor's description, and pure functions between stored numbers and real values.

TFLite stores reals as integers: ``real = (stored - zero_point) * scale``, with one scale for the
tensor or one for each slice along an axis (LiteRT 8-bit quantization specification,
https://ai.google.dev/edge/litert/models/quantization_spec). Tensors without a scale store reals as
they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import ModelRejected

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]
Writer = Callable[[Pixels, Array], None]

MOST_SATURATED: Final = 26
"""Of 256 byte values, how many may be cut off by an input's range: a tenth. Calibrated ranges
miss the ends a little; a scale that was forgotten misses nearly all."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output, as the model file describes it."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float | None = None
    """None for reals stored as they are, and where each slice has its own (see ``scales``)."""
    zero_point: int | None = None
    scales: tuple[float, ...] = ()
    """Per channel: one for each slice along ``axis``; empty otherwise."""
    zero_points: tuple[int, ...] = ()
    axis: int = 0

    @property
    def quantized(self) -> bool:
        return self.scale is not None or bool(self.scales)

    @property
    def limits(self) -> tuple[float, float] | None:
        """The least and the largest real its integers hold; None for floats and several scales."""
        if self.scale is None or self.dtype.kind not in "iu":
            return None
        ends = np.iinfo(self.dtype)
        low, high = dequantize(np.array([ends.min, ends.max], self.dtype), self).tolist()
        return low, high

    def __str__(self) -> str:
        size = "x".join(map(str, self.shape))
        if self.scales:
            return f"{self.dtype.name} {size} (per channel, {len(self.scales)} scales)"
        if self.scale is None:
            return f"{self.dtype.name} {size}"
        return f"{self.dtype.name} {size} (scale {self.scale:.6g}, zero point {self.zero_point})"


def dequantize(stored: Array, tensor: Tensor) -> npt.NDArray[np.float32]:
    """The real values of ``stored`` as float32.

    Any part of a tensor with one scale may be given, in any shape; with a scale per channel,
    ``stored`` must be whole along the axis and have all dimensions.
    """
    if not tensor.quantized:
        return np.asarray(stored, np.float32)
    # float32 holds 24 bits exactly: enough for differences of int16, not of int32.
    wide = np.float64 if stored.dtype.itemsize > 2 else np.float32
    scale, zero_point = _parameters(tensor, stored.ndim, wide)
    return np.asarray(np.subtract(stored, zero_point, dtype=wide) * scale, np.float32)


def quantize(real: npt.ArrayLike, tensor: Tensor) -> Array:
    """``real`` as ``tensor`` stores it: halves away from zero as TFLite rounds, ends cut off."""
    values = np.asarray(real, np.float64)
    if tensor.quantized:
        scale, zero_point = _parameters(tensor, values.ndim, np.float64)
        values = values / scale + zero_point
    if tensor.dtype.kind not in "iu":
        return values.astype(tensor.dtype)
    limits = np.iinfo(tensor.dtype)
    rounded = np.trunc(values + np.copysign(0.5, values))
    return np.clip(rounded, limits.min, limits.max).astype(tensor.dtype)


def quantize_value(real: float, tensor: Tensor) -> float:
    """Where ``real`` lies on a per-tensor scale, neither rounded nor cut off.

    For comparing stored numbers with a threshold without bringing each back to a real.
    """
    if tensor.scale is None:
        return real
    return real / tensor.scale + (tensor.zero_point or 0)


def _parameters(tensor: Tensor, ndim: int, wide: type[np.floating[Any]]) -> tuple[Any, Any]:
    """Scale and zero point: scalars, or arrays that broadcast along the tensor's axis."""
    if not tensor.scales:
        return wide(tensor.scale or 1.0), wide(tensor.zero_point or 0)
    shape = [1] * ndim
    shape[tensor.axis] = len(tensor.scales)
    scales, zero_points = np.array(tensor.scales, wide), np.array(tensor.zero_points, wide)
    return scales.reshape(shape), zero_points.reshape(shape)


def byte_writer(tensor: Tensor, *, scale: float = 1.0, offset: float = 0.0) -> Writer:
    """A function that writes picture bytes into an input's memory in one pass.

    The model means ``real = byte * scale + offset``. The writer takes pixels (height, width) or
    (height, width, channels) and the input's view (1, height, width, channels). An int8 input whose
    zero point is -128 is the byte with its top bit flipped, a uint8 one the byte itself; anything
    else goes through a table of 256 entries.

    Raises ModelRejected when the input cannot hold most of the 256 values.
    """
    table = byte_table(tensor, scale=scale, offset=offset)
    stored = table.view(np.uint8) if table.itemsize == 1 else None
    every = np.arange(256, dtype=np.uint8)
    if stored is not None and np.array_equal(stored, every):
        return _copy
    if stored is not None and np.array_equal(stored, every ^ 0x80):
        return _flip
    return _through(table)


def byte_table(tensor: Tensor, *, scale: float, offset: float) -> Array:
    """What ``tensor`` stores for each byte value, shape (256,)."""
    real = np.arange(256) * scale + offset
    table = quantize(real, tensor)
    if tensor.dtype.kind in "iu":
        _refuse_saturated(table, real, tensor)
    return table


def _refuse_saturated(table: Array, real: Array, tensor: Tensor) -> None:
    error = np.abs(dequantize(table, tensor) - real)
    cut_off = int((error > (tensor.scale or 1.0)).sum())
    if cut_off > MOST_SATURATED:
        limits = np.iinfo(tensor.dtype)
        low, high = dequantize(np.array([limits.min, limits.max], tensor.dtype), tensor)
        raise ModelRejected(
            f"input {tensor.name!r} holds {low:.4g} to {high:.4g}, but picture bytes would be "
            f"{real[0]:.4g} to {real[-1]:.4g}: set input.scale and input.offset in manifest.json "
            "to what the model was trained with"
        )


def _copy(pixels: Pixels, out: Array) -> None:
    np.copyto(out.view(np.uint8).reshape(pixels.shape), pixels)


def _flip(pixels: Pixels, out: Array) -> None:
    np.bitwise_xor(pixels, 0x80, out=out.view(np.uint8).reshape(pixels.shape))


def _through(table: Array) -> Writer:
    def write(pixels: Pixels, out: Array) -> None:
        # mode="clip" because the default checks indices by way of a copy; bytes are never outside.
        np.take(table, pixels, out=out.reshape(pixels.shape), mode="clip")

    return write
