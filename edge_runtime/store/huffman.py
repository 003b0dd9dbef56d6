"""Canonical Huffman codes: only the lengths are stored, and decoding looks several bits up at once.

The codes of one length are consecutive numbers in the order of their symbols, shorter lengths first
(RFC 1951, section 3.2.2). With no code longer than 15 bits, the next 15 bits of a stream name the
symbol through one table. Bits are taken from the highest of each byte to the lowest.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from edge_runtime.store.cursor import Cursor, PackageDamaged

LONGEST_CODE: Final = 15
MOST_SYMBOLS: Final = 256
LONGEST_GAP: Final = 16
"""Absent symbols that one pair of half bytes can stand for in a stored table."""

_WINDOWS: Final = 1 << LONGEST_CODE
_PIECE: Final = 1 << 13
"""Bytes looked at at once: bounds the memory, not the stream."""

Symbols = npt.NDArray[np.uint8]


class Code:
    """A prefix code for symbols 0 to 255, made from its lengths; length 0 means never used.

    Raises PackageDamaged unless the lengths make a whole code (or one symbol of length 1).
    """

    def __init__(self, lengths: Symbols) -> None:
        order = np.argsort(lengths, kind="stable")[np.count_nonzero(lengths == 0) :]
        spans = _WINDOWS >> lengths[order].astype(np.int64)
        alone = len(order) == 1 and lengths[order[0]] == 1
        if spans.sum() != _WINDOWS and not alone:
            raise PackageDamaged(f"a table's {len(order)} code lengths make no prefix code")
        self.lengths = lengths
        self._symbol = np.zeros(_WINDOWS, np.uint8)
        self._length = np.zeros(_WINDOWS, np.uint8)
        used = int(spans.sum())
        self._symbol[:used] = np.repeat(order, spans)
        self._length[:used] = np.repeat(lengths[order], spans)
        self._starts = np.zeros(len(lengths), np.uint16)
        self._starts[order] = np.cumsum(spans) - spans

    def codes(self) -> npt.NDArray[np.uint16]:
        """Each symbol's bits, at the high end of 15."""
        return self._starts

    def decode(self, stream: memoryview, count: int) -> Symbols:
        """``count`` symbols [count]. Raises PackageDamaged unless the stream is just those."""
        if count > 8 * len(stream):
            raise PackageDamaged(f"{count} symbols cannot be in {len(stream)} bytes")
        padded = np.concatenate([np.frombuffer(stream, np.uint8), np.zeros(3, np.uint8)])
        symbols = np.empty(count, np.uint8)
        done = at = 0
        while done < count:
            first = at // 8
            if first >= len(stream):
                raise PackageDamaged(f"the codes end after {done} of {count} symbols")
            piece = padded[first : first + _PIECE + 2]
            found, at = self._piece(piece, at % 8, count - done)
            symbols[done : done + len(found)] = found
            done, at = done + len(found), at + 8 * first
        if (at + 7) // 8 != len(stream):
            raise PackageDamaged(f"{count} symbols take {at} bits of {len(stream)} bytes")
        return symbols

    def _piece(self, piece: npt.NDArray[np.uint8], at: int, most: int) -> tuple[Symbols, int]:
        """Symbols that begin within the piece, and the bit where the next one begins."""
        windows = _windows(piece)
        lengths = self._length[windows]
        starts, at = _walk(lengths.tobytes(), at, most)
        places = np.array(starts, np.int64)
        if not lengths[places].all():
            raise PackageDamaged("a code that its table does not know")
        return self._symbol[windows[places]], at


def _windows(piece: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """The 15 bits from every bit of the piece, its last two bytes left out."""
    wide = piece.astype(np.uint32)
    triples = (wide[:-2] << 16) | (wide[1:-1] << 8) | wide[2:]
    shifts = np.arange(24 - LONGEST_CODE, 16 - LONGEST_CODE, -1, dtype=np.uint32)
    return ((triples[:, None] >> shifts) & (_WINDOWS - 1)).reshape(-1)


def _walk(lengths: bytes, at: int, most: int) -> tuple[list[int], int]:
    """Where codes begin: each tells where the next one does, which no array operation can."""
    starts = []
    end = len(lengths)
    for _ in range(most):
        if at >= end:
            break
        starts.append(at)
        at += lengths[at]
    return starts, at


def read_code(cursor: Cursor) -> Code:
    """A table: how many symbols, then half a byte of length each; 0 is followed by how many more.

    Unused symbols come in runs, so a 0 and a second half byte n stand for n + 1 of them.
    """
    count = cursor.byte("a code table") + 1
    halves = _half_bytes(cursor)
    lengths: list[int] = []
    while len(lengths) < count:
        length = next(halves)
        lengths += [0] * (next(halves) + 1) if length == 0 else [length]
    if len(lengths) > count:
        raise PackageDamaged(f"a table of {count} symbols goes on to {len(lengths)}")
    return Code(np.array(lengths, np.uint8))


def _half_bytes(cursor: Cursor) -> Any:
    while True:
        byte = cursor.byte("a code table")
        yield byte >> 4
        yield byte & 15
