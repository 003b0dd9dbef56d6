"""Weights of two or three values a filter, stored in 1 or 2 bits and expanded exactly."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge_runtime.compress.weighted_layers import KINDS
from edge_runtime.errors import LayerUnsuited


@dataclass(frozen=True, slots=True)
class LowBitWeight:
    """A weight tensor in bits: 1 bit for plus or minus, 2 where zero occurs."""

    shape: tuple[int, ...]
    bits: int
    sizes: NDArray[np.float32]
    """[filters]: what plus and minus stand for."""
    data: bytes

    @property
    def stored_bytes(self) -> int:
        return len(self.data) + self.sizes.nbytes

    def signs(self) -> NDArray[np.int8]:
        """-1, 0 or 1 in the weight's shape."""
        flat = np.unpackbits(np.frombuffer(self.data, np.uint8), count=self.bits * self._count)
        planes = flat.reshape(self.bits, -1).astype(np.int8)
        signs = 1 - 2 * planes[0]
        return (signs if self.bits == 1 else signs * planes[1]).reshape(self.shape)

    def as_float(self) -> NDArray[np.float32]:
        """The weights."""
        return self.signs() * self.sizes.reshape(-1, *[1] * (len(self.shape) - 1))

    def as_int8(self) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Whole numbers -127, 0, 127, and [filters] the real value of one step."""
        return self.signs() * np.int8(127), self.sizes / np.float32(127)

    @property
    def _count(self) -> int:
        return math.prod(self.shape)


def pack_weight(weight: Tensor) -> LowBitWeight:
    """Store a weight [filters, ...]. Raises LayerUnsuited where a filter has more values."""
    values = weight.detach().cpu().numpy().astype(np.float32)
    rows = values.reshape(len(values), -1)
    sizes = np.abs(rows).max(1)
    if not np.all((rows == 0) | (np.abs(rows) == sizes[:, None])):
        raise LayerUnsuited("a filter has more than three values: binarize or ternarize it first")
    bits = 2 if (rows == 0).any() else 1
    planes = [rows < 0, rows != 0][:bits]
    data = np.packbits(np.stack(planes).astype(np.uint8).reshape(-1)).tobytes()
    return LowBitWeight(values.shape, bits, sizes.astype(np.float32), data)


def packed_weights(net: nn.Module) -> bytes:
    """All parameters and buffers in one archive; weights of two or three values in bits."""
    low = _low_bit_names(net)
    arrays: dict[str, NDArray[Any]] = {}
    for name, value in net.state_dict().items():
        if name in low:
            packed = pack_weight(value)
            arrays[f"{name}:bits"] = np.frombuffer(packed.data, np.uint8)
            arrays[f"{name}:sizes"] = packed.sizes
            arrays[f"{name}:form"] = np.array([packed.bits, *packed.shape], np.int32)
        else:
            arrays[name] = value.cpu().numpy()
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def load_packed_weights(net: nn.Module, stored: bytes) -> None:
    """Fill a net of the same shape with what ``packed_weights`` stored."""
    with np.load(io.BytesIO(stored), allow_pickle=False) as arrays:
        state = {name: arrays[name] for name in arrays.files if ":" not in name}
        for name in [each.removesuffix(":bits") for each in arrays.files if ":bits" in each]:
            bits, *shape = (int(each) for each in arrays[f"{name}:form"])
            data, sizes = arrays[f"{name}:bits"].tobytes(), arrays[f"{name}:sizes"]
            state[name] = LowBitWeight(tuple(shape), bits, sizes, data).as_float()
    net.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})


def _low_bit_names(net: nn.Module) -> set[str]:
    names = set()
    for name, layer in net.named_modules():
        if isinstance(layer, KINDS) and _is_low_bit(layer.weight):
            names.add(f"{name}.weight" if name else "weight")
    return names


def _is_low_bit(weight: Any) -> bool:
    rows = weight.detach().abs().flatten(1)
    return bool(((rows == 0) | (rows == rows.amax(1, keepdim=True))).all())
