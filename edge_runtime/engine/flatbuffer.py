"""Read a flatbuffer without trusting it: every offset is checked against the file's end.

The C++ interpreter follows offsets unchecked, so a damaged file can kill the process. This reader
is how a file is looked at first. Layout: https://flatbuffers.dev/internals (all little-endian). A
table starts with a signed offset back to its vtable; the vtable holds its own size, the table's
size and for each field ("slot") its place in the table, 0 when absent. Strings, vectors and tables
are reached by an unsigned offset relative to where it stands.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_UINT32: Final = struct.Struct("<I")
_INT32: Final = struct.Struct("<i")
_UINT16: Final = struct.Struct("<H")


MOST_READ: Final = 4 << 20
"""Bytes of tables, strings and numbers to be made into objects; weights are only looked at."""
_TABLE_COST: Final = 64
_LEAST_READ: Final = 1 << 16
_READ_PER_BYTE: Final = 16


class FlatbufferDamaged(ValueError):
    """An offset, size or count points outside the file; the text says where."""


class Bytes:
    """A file's bytes, readable only inside its bounds, and not again and again.

    Offsets may lead to the same place many times, so a file of 3 KB can stand for a million tables.
    """

    __slots__ = ("_data", "_left", "size")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self._left = min(MOST_READ, _LEAST_READ + _READ_PER_BYTE * self.size)

    def number(self, code: struct.Struct, at: int) -> Any:
        """The number at byte ``at``."""
        self.require(at, code.size)
        return code.unpack_from(self._data, at)[0]

    def array(self, dtype: npt.DTypeLike, count: int, at: int) -> npt.NDArray[Any]:
        """``count`` numbers from byte ``at``, without copying."""
        kind = np.dtype(dtype)
        self.require(at, count * kind.itemsize)
        return np.frombuffer(self._data, kind, count, at)

    def require(self, at: int, size: int) -> None:
        """Raise FlatbufferDamaged unless ``size`` bytes from ``at`` lie inside the file."""
        if at < 0 or size < 0 or at + size > self.size:
            raise FlatbufferDamaged(
                f"byte {at} to {at + size} is asked for, but the file has {self.size} bytes"
            )

    def spend(self, size: int) -> None:
        """Count ``size`` bytes as read; raise FlatbufferDamaged when it becomes too much."""
        self._left -= size
        if self._left < 0:
            raise FlatbufferDamaged("it leads to the same places more than any model needs")


class Table:
    """One table: its fields by slot number, absent ones as defaults or None."""

    __slots__ = ("_at", "_data", "_fields", "_size")

    def __init__(self, data: Bytes, at: int) -> None:
        self._data, self._at = data, at
        vtable = at - data.number(_INT32, at)
        length = data.number(_UINT16, vtable)
        self._size = data.number(_UINT16, vtable + 2)
        if length < 4 or length % 2 or self._size < 4:
            raise FlatbufferDamaged(f"the table at byte {at} has a vtable of {length} bytes")
        data.require(at, self._size)
        data.spend(length)
        self._fields = data.array("<u2", length // 2 - 2, vtable + 4).tolist()
        if any(field >= self._size for field in self._fields):
            raise FlatbufferDamaged(f"the table at byte {at} has a field outside itself")

    @classmethod
    def root(cls, data: Bytes) -> Table:
        """The table the file begins with."""
        return cls(data, data.number(_UINT32, 0))

    def number(self, slot: int, code: str, default: float = 0) -> Any:
        """The number in ``slot``, written as ``struct`` code ``code``."""
        at = self._place(slot)
        return default if at is None else self._data.number(struct.Struct("<" + code), at)

    def table(self, slot: int) -> Table | None:
        """The table ``slot`` points to."""
        at = self._target(slot)
        return None if at is None else Table(self._data, at)

    def tables(self, slot: int) -> tuple[Table, ...]:
        """The vector of tables in ``slot``; empty when absent."""
        at = self._target(slot)
        if at is None:
            return ()
        offsets = self._data.array("<u4", self._data.number(_UINT32, at), at + 4)
        self._data.spend(offsets.size * _TABLE_COST)
        places = (at + 4 + 4 * i + offset for i, offset in enumerate(offsets.tolist()))
        return tuple(Table(self._data, place) for place in places)

    def numbers(self, slot: int, dtype: npt.DTypeLike) -> npt.NDArray[Any] | None:
        """The vector of numbers in ``slot``, without copying; None when absent."""
        at = self._target(slot)
        if at is None:
            return None
        found = self._data.array(dtype, self._data.number(_UINT32, at), at + 4)
        if found.itemsize > 1:  # single bytes are weights, options and strings
            self._data.spend(found.nbytes)
        return found

    def span(self, slot: int, dtype: npt.DTypeLike) -> tuple[int, int] | None:
        """First byte in the file and size in bytes of the vector in ``slot``; None when absent."""
        at, found = self._target(slot), self.numbers(slot, dtype)
        return None if at is None or found is None else (at + 4, found.nbytes)

    def text(self, slot: int) -> str:
        """The string in ``slot``; empty when absent."""
        letters = self.numbers(slot, np.uint8)
        if letters is None:
            return ""
        self._data.spend(letters.size)
        # A string ends with a zero byte that its length leaves out: C++ reads up to it.
        at = self._target(slot) or 0
        if self._data.array(np.uint8, letters.size + 1, at + 4)[-1]:
            raise FlatbufferDamaged(f"the string at byte {at} does not end where it says")
        try:
            return letters.tobytes().decode()
        except UnicodeDecodeError:
            raise FlatbufferDamaged(f"the string at byte {at} is no UTF-8") from None

    def _place(self, slot: int) -> int | None:
        field = self._fields[slot] if slot < len(self._fields) else 0
        return self._at + field if field else None

    def _target(self, slot: int) -> int | None:
        at = self._place(slot)
        if at is None:
            return None
        return at + int(self._data.number(_UINT32, at))
