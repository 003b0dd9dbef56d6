"""The ways a stretch of a model can be coded in a package, and how each is undone.

Sizes are checked before memory is taken: what a coding may produce is known beforehand.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from edge_runtime.store.cursor import Cursor, PackageDamaged
from edge_runtime.store.huffman import read_code


class Coding(IntEnum):
    """The number that stands for a coding in the file."""

    STORED = 0
    DEFLATE = 1
    LZMA = 2
    HUFFMAN = 3
    SHARED = 4


LZMA_FILTERS: Final = ({"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20, "lc": 0, "lp": 2, "pb": 2},)
"""Not stored, so a decoder's dictionary is never larger than this 1 MiB. Most of what is
coded this way is tables of 4-byte numbers, whence lp and pb."""

WIDTHS: Final = (1, 2, 4)
"""Bytes of the numbers whose values can be shared: int8, float16, float32."""

MOST_GAP_BITS: Final = 8
_PIECE: Final = 1 << 16

Numbers = npt.NDArray[Any]


def decode(coding: Coding, payload: memoryview, size: int) -> memoryview:
    """The ``size`` bytes a payload stands for; PackageDamaged when it stands for anything else."""
    return _DECODERS[coding](payload, size)


def _stored(payload: memoryview, size: int) -> memoryview:
    if len(payload) != size:
        raise PackageDamaged(f"{size} bytes are stored in {len(payload)}")
    return payload


def _deflate(payload: memoryview, size: int) -> memoryview:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # A bound of 0 would mean none; one byte more shows a stream that goes on.
        found = stream.decompress(payload, size + 1)
    except zlib.error as error:
        raise PackageDamaged(f"a deflated stream is broken: {error}") from None
    _require_end("deflated", len(found), size, ended=stream.eof, behind=stream.unused_data)
    return memoryview(found)


def _lzma(payload: memoryview, size: int) -> memoryview:
    stream = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=LZMA_FILTERS)
    try:
        found = stream.decompress(payload, size + 1)
    except lzma.LZMAError as error:
        raise PackageDamaged(f"an LZMA stream is broken: {error}") from None
    _require_end("LZMA", len(found), size, ended=stream.eof, behind=stream.unused_data)
    return memoryview(found)


def _require_end(name: str, found: int, size: int, *, ended: bool, behind: bytes) -> None:
    if found != size or not ended or behind:
        raise PackageDamaged(f"a stream ({name}) does not end at the {size} bytes it declares")


def _huffman(payload: memoryview, size: int) -> memoryview:
    cursor = Cursor(payload, "a Huffman stream")
    return read_code(cursor).decode(cursor.rest(), size).data


def _shared(payload: memoryview, size: int) -> memoryview:
    """A codebook, how many entries, how far each is from the one before, which value each has.

    What no entry stands at has the codebook's first value: the zeros that pruning left. Distances
    too long for their bits are bridged by entries of that value (arXiv 1510.00149, figure 2).
    """
    cursor = Cursor(payload, "a stream of shared values")
    book = _codebook(cursor)
    if size % book.itemsize:
        raise PackageDamaged(f"{size} bytes are no whole numbers of {book.itemsize} bytes")
    values = np.full(size // book.itemsize, book[0])
    count = cursor.number("the count of entries", len(values))
    gap_bits = cursor.byte("the bits of a distance")
    if gap_bits > MOST_GAP_BITS:
        raise PackageDamaged(f"distances have {gap_bits} bits, expected at most {MOST_GAP_BITS}")
    gaps = _gaps(cursor, count) if gap_bits else None
    entries = read_code(cursor).decode(cursor.rest(), count)
    for place, chosen in _placed(gaps, entries, len(values)):
        values[place] = _looked_up(book, chosen)
    return values.view(np.uint8).data


def _codebook(cursor: Cursor) -> Numbers:
    width = cursor.byte("the width of a value")
    if width not in WIDTHS:
        raise PackageDamaged(f"shared values are {width} bytes wide, expected 1, 2 or 4")
    count = cursor.byte("the size of a codebook") + 1
    return np.frombuffer(cursor.take(width * count, "a codebook"), f"<u{width}")


def _gaps(cursor: Cursor, count: int) -> npt.NDArray[np.uint8]:
    size = cursor.number("the size of the distances", cursor.left)
    part = Cursor(cursor.take(size, "the distances"), "a stream of distances")
    return read_code(part).decode(part.rest(), count)


def _placed(
    gaps: npt.NDArray[np.uint8] | None, entries: npt.NDArray[np.uint8], size: int
) -> Iterator[tuple[Any, npt.NDArray[np.uint8]]]:
    """Places and codebook numbers of a piece of the entries after the other."""
    end = 0
    for first in range(0, len(entries), _PIECE):
        chosen = entries[first : first + _PIECE]
        steps = np.ones(len(chosen), np.int64)
        if gaps is not None:
            steps += gaps[first : first + _PIECE]
        places = np.cumsum(steps) + (end - 1)
        end = int(places[-1]) + 1
        if end > size:
            raise PackageDamaged(f"an entry stands at {end - 1} of {size} numbers")
        yield places, chosen


def _looked_up(book: Numbers, chosen: npt.NDArray[np.uint8]) -> Numbers:
    if int(chosen.max()) >= len(book):
        raise PackageDamaged(f"an entry names value {chosen.max()} of {len(book)}")
    return book[chosen]


_DECODERS: Final[dict[Coding, Callable[[memoryview, int], memoryview]]] = {
    Coding.STORED: _stored,
    Coding.DEFLATE: _deflate,
    Coding.LZMA: _lzma,
    Coding.HUFFMAN: _huffman,
    Coding.SHARED: _shared,
}
